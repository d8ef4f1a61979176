"""Simulations: whom they strike, how often, how they end, and what is no simulation."""

from typing import Any

import pytest
from sqlalchemy import text

from settlekit import Client
from settlekit_mock import MockServer
from tests.settlekit_mock.control.conftest import SHOP, Control, rows_of

SLOT = {"weekday": 2, "hour": 10, "minute": 30}
STRUCK = ("notice.failed", "debit.failed", "debit.unknown")
REASONS = [
    "INSUFFICIENT_BALANCE",
    "INSUFFICIENT_ALLOWANCE",
    "BUDGET_VAULT_INACTIVE",
    "PAYOUT_CAP_EXCEEDED",
    "ONCHAIN_FAILURE",
]


def sell(mock: MockServer, *buyers: str) -> None:
    """Have buyers pay, whose slots are the same."""
    for buyer in buyers:
        mock.buyers.create(buyer_id=buyer, weekly_slot=SLOT)
        mock.usage(buyer, merchant=SHOP, amount_minor=100, currency="JPY")


def batch_of(mock: MockServer, buyer: str) -> str:
    with mock.world.snapshot() as connection:
        query = text(
            "SELECT settlement_batch_id FROM batches JOIN buyers USING (buyer_number) "
            "WHERE buyer_id = :buyer"
        )
        found: str = connection.execute(query, {"buyer": buyer}).scalar_one()
    return found


def failures(mock: MockServer, kind: str = "debit.failed") -> dict[str, int]:
    """Count the journal's entries of a kind by their subject."""
    subjects = [entry.subject for entry in mock.events(kind=kind)]
    return {subject: subjects.count(subject) for subject in subjects}


@pytest.mark.parametrize("reason", REASONS)
def test_a_debit_fails_for_the_reason_asked_for(mock: MockServer, reason: str) -> None:
    """Each public reason is the batch's own until an attempt goes through."""
    sell(mock, "b1")
    mock.simulate.debit_failure(buyer="b1", reason=reason)
    mock.clock.advance(until="debit.failed")
    (batch,) = mock.client("provider").provider_statements.settlement_batches()
    assert (batch.failure_reason_code, batch.failure_reason_label is None) == (reason, False)
    mock.clock.advance(until="batch.settled")
    assert failures(mock) == {batch.settlement_batch_id: 1}


def test_the_closest_simulation_goes_first(mock: MockServer) -> None:
    """The one for the batch goes before the one for the buyer, and that before the one for all."""
    sell(mock, "b1")
    mock.clock.advance(until="notice.recorded")
    mock.simulate.debit_failure(reason="ONCHAIN_FAILURE")
    mock.simulate.debit_failure(buyer="b1", reason="PAYOUT_CAP_EXCEEDED")
    mock.simulate.debit_failure(
        settlement_batch_id=batch_of(mock, "b1"), reason="BUDGET_VAULT_INACTIVE"
    )
    mock.clock.advance(days=10)
    codes = [entry.data["code"] for entry in mock.events(kind="debit.failed")]
    assert codes == ["BUDGET_VAULT_INACTIVE", "PAYOUT_CAP_EXCEEDED", "ONCHAIN_FAILURE"]


def test_a_simulation_strikes_nobody_else(mock: MockServer) -> None:
    """What is asked for one batch or one buyer leaves all others alone."""
    sell(mock, "b1", "b2", "b3")
    mock.clock.advance(until="notice.recorded")
    mock.simulate.debit_failure(buyer="b2", times=2)
    mock.simulate.debit_failure(settlement_batch_id=batch_of(mock, "b1"), times=3)
    mock.clock.advance(days=10)
    assert failures(mock) == {batch_of(mock, "b1"): 3, batch_of(mock, "b2"): 2}


def test_a_missing_buyer_means_all(mock: MockServer) -> None:
    """Without a buyer the notices and outcomes of everybody are struck."""
    sell(mock, "b1", "b2")
    mock.simulate.notice_failure(times=2)
    mock.simulate.unknown_outcome(times=2)
    mock.clock.advance(days=10)
    assert list(failures(mock, "notice.failed").values()) == [1, 1]
    assert list(failures(mock, "debit.unknown").values()) == [1, 1]


@pytest.mark.parametrize("kind", ["notice_failure", "debit_failure", "unknown_outcome"])
def test_zero_times_ends_a_simulation(mock: MockServer, kind: str) -> None:
    """``times: 0`` takes back what was asked for, and the batch settles at its first attempt."""
    sell(mock, "b1")
    begin = getattr(mock.simulate, kind)
    begin(buyer="b1", times=5)
    assert begin(buyer="b1", times=0).times == 0
    mock.clock.advance(until="batch.settled")
    assert [entry.kind for entry in mock.events() if entry.kind in STRUCK] == []


@pytest.mark.parametrize("kind", ["notice_failure", "debit_failure", "unknown_outcome"])
def test_zero_times_without_a_buyer_ends_everybodys(mock: MockServer, kind: str) -> None:
    """A missing buyer means all where simulations end, too."""
    sell(mock, "b1", "b2")
    begin = getattr(mock.simulate, kind)
    begin(buyer="b1", times=5)
    begin(buyer="b2", times=5)
    begin(times=0)
    mock.clock.advance(days=10)
    assert [len(failures(mock, of)) for of in (*STRUCK, "batch.settled")] == [0, 0, 0, 2]


def test_zero_times_for_one_ends_nobody_elses(mock: MockServer) -> None:
    """Ended for one batch or buyer, what was asked for others, or for all, goes on."""
    sell(mock, "b1", "b2", "b3")
    mock.clock.advance(until="notice.recorded")
    mock.simulate.debit_failure(buyer="b1", times=2)
    mock.simulate.debit_failure(settlement_batch_id=batch_of(mock, "b2"), times=3)
    mock.simulate.debit_failure(times=1)
    mock.simulate.debit_failure(buyer="b3", times=0)
    mock.simulate.debit_failure(settlement_batch_id=batch_of(mock, "b1"), times=0)
    mock.clock.advance(days=10)
    assert sum(failures(mock).values()) == 2 + 3 + 1


def test_another_simulation_of_the_same_target_takes_its_place(mock: MockServer) -> None:
    """Asked twice, the second one counts: they don't add up."""
    sell(mock, "b1")
    mock.simulate.debit_failure(buyer="b1", times=9)
    mock.simulate.debit_failure(buyer="b1", times=1)
    mock.clock.advance(until="batch.settled")
    assert list(failures(mock).values()) == [1]


@pytest.mark.parametrize(
    ("seconds", "settles"), [(0, "00.000Z"), (1, "01.000Z"), (59, "59.000Z"), (None, "30.000Z")]
)
def test_finality_takes_as_long_as_is_asked(
    mock: MockServer, seconds: int | None, settles: str
) -> None:
    """From submission to settlement is the time that was set, thirty seconds unless it was."""
    sell(mock, "b1")
    mock.simulate.finality(seconds=5)
    mock.simulate.finality(seconds=seconds)
    mock.clock.advance(until="batch.settled")
    (settled,) = mock.events(kind="batch.settled")
    assert settled.at == f"2026-03-07T10:30:{settles}"


def execute(client: Client, key: str, listing_id: str, capability_key: str) -> Any:
    body = {
        "listing_id": listing_id,
        "operation_key": "summarise",
        "amount_minor": 100,
        "currency": "JPY",
        "idempotency_key": key,
        "input": {},
    }
    path = f"/market/capabilities/{capability_key}/execute"
    return client.request("POST", path, json=body).data


def test_a_provider_answers_as_is_asked_so_many_times(mock: MockServer) -> None:
    """The outcome is of one capability, as often as asked; then its provider does its work."""
    listing_id = mock.merchants.get(SHOP).listing_id
    mock.simulate.provider_outcome(capability_key="digest", outcome="5xx", times=2)
    client = mock.client("buyer")
    for number, capability in enumerate(("digest", "other", "digest", "digest")):
        execute(client, f"k{number}", listing_id, capability)
    told = [entry.data["outcome"] for entry in mock.events(kind="capability.executed")]
    assert told == ["5xx", "2xx", "5xx", "2xx"]


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("notice-failure", {"buyer": "nobody", "times": 1}, 404),
        ("debit-failure", {"buyer": "nobody", "reason": "ONCHAIN_FAILURE", "times": 1}, 404),
        ("unknown-outcome", {"settlement_batch_id": "msb_none", "times": 1}, 404),
        ("notice-failure", {}, 422),
        ("notice-failure", {"times": -1}, 422),
        ("notice-failure", {"times": "1"}, 422),
        ("debit-failure", {"reason": "BAD_LUCK", "times": 1}, 422),
        ("debit-failure", {"times": 1}, 422),
        ("provider-outcome", {"capability_key": "c", "outcome": "3xx", "times": 1}, 422),
        ("provider-outcome", {"outcome": "2xx", "times": 1}, 422),
        ("finality", {"seconds": -1}, 422),
        ("finality", {"seconds": 3601}, 422),
        ("finality", {"seconds": 1, "surprise": 1}, 422),
    ],
)
def test_what_is_no_simulation_changes_nothing(
    mock: MockServer, control: Control, name: str, body: dict[str, Any], status: int
) -> None:
    """Somebody or something unknown is 404, anything out of range 422, and no row changes."""
    before = rows_of(mock.world)
    assert control.post(f"simulate/{name}", **body)[0] == status
    assert rows_of(mock.world) == before


def test_a_batch_is_of_its_own_buyer(mock: MockServer, control: Control) -> None:
    """A batch named with another buyer is as if there were none."""
    sell(mock, "b1", "b2")
    mock.clock.advance(until="period.closed")
    asked = {"buyer": "b2", "settlement_batch_id": batch_of(mock, "b1"), "times": 1}
    assert control.post("simulate/unknown-outcome", **asked)[0] == 404
