"""Whatever happens in the midst of a call that writes: it has its whole effect once, or none."""

from collections.abc import Callable

import pytest

from settlekit_mock import MockServer
from tests.machine.interrupting import (
    made_ready,
    makes_room,
    stands_its_double,
    survives_its_death,
)
from tests.machine.planted_transactions import (
    DEADLY,
    DOUBLED,
    Plant,
    terms_checked_outside_the_transaction,
)
from tests.settlekit_mock.control.conftest import SHOP
from tests.settlekit_mock.writing import WRITES


def cancel_the_session(mock: MockServer) -> object:
    opened = next(iter(mock.events(kind="checkout.opened")))
    return mock.checkout.cancel(opened.subject)


def take_the_balance(mock: MockServer) -> object:
    return mock.buyers.update("sandbox_buyer", balances={"JPYC": "0", "USDC": "0"})


def close_the_vault(mock: MockServer) -> object:
    return mock.buyers.update("sandbox_buyer", vault_active=False)


def suspend_billing(mock: MockServer) -> object:
    return mock.merchants.update(SHOP, billing_status="suspended")


OTHERS = [
    ("confirm_session", cancel_the_session),
    *((name, take_the_balance) for name in ("confirm_session", "pay_requirement", "subscribe")),
    *((name, close_the_vault) for name in ("run_capability", "run_slot", "pay_requirement")),
    *((name, suspend_billing) for name in ("open_session", "ask_requirement", "run_capability")),
]


@pytest.mark.parametrize("name", WRITES)
def test_a_call_survives_its_death(name: str) -> None:
    """Killed before, within or after any transaction, and sent again: one effect, told once."""
    with made_ready(name) as ready:
        survives_its_death(ready)


@pytest.mark.parametrize("name", WRITES)
def test_a_call_stands_its_double(name: str) -> None:
    """The same call between any two of its transactions: both answer the same, one effect."""
    with made_ready(name) as ready:
        stands_its_double(ready)


def named(value: object) -> str:
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(("name", "other"), OTHERS, ids=named)
def test_a_call_makes_room_for_another(name: str, other: Callable[[MockServer], object]) -> None:
    """What changes a call's terms in its midst comes before it or after it, never both."""
    with made_ready(name) as ready:
        makes_room(ready, other)


def test_a_stale_look_finds_terms_checked_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session judged as it stood before the transaction is paid though it was cancelled."""
    terms_checked_outside_the_transaction(monkeypatch)
    with made_ready("confirm_session") as ready, pytest.raises(AssertionError):
        makes_room(ready, cancel_the_session)


@pytest.mark.parametrize(("plant", "name"), DEADLY, ids=named)
def test_a_death_finds_what_is_written_too_late(
    plant: Plant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What isn't in the transaction of its effect is lost or doubled by a kill."""
    plant(monkeypatch)
    with made_ready(name) as ready, pytest.raises(AssertionError):
        survives_its_death(ready)


@pytest.mark.parametrize(("plant", "name"), DOUBLED, ids=named)
def test_a_double_finds_what_is_read_too_early(
    plant: Plant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What isn't read in the transaction that acts on it lets a second effect through."""
    plant(monkeypatch)
    with made_ready(name) as ready, pytest.raises(AssertionError):
        stands_its_double(ready)
