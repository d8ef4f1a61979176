"""Checkout sessions moved by control: sign in, cancel, fail, and from where that is refused."""

from collections.abc import Callable

import pytest

from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError
from tests.settlekit_mock.control.conftest import SHOP, Control, rows_of

ORIGIN = "http://localhost:3000"
MOVES = ("authenticate", "cancel", "fail")
REACHED = {"authenticate": "authenticated", "cancel": "cancelled", "fail": "failed"}


def opened(mock: MockServer) -> str:
    return (
        mock.client()
        .checkout_sessions.create(
            merchant=SHOP,
            amount_minor=1200,
            currency="JPY",
            nonce="order-1",
            success_url=f"{ORIGIN}/done",
            cancel_url=f"{ORIGIN}/cart",
        )
        .session_id
    )


def pay(mock: MockServer, session_id: str) -> None:
    mock.client().request("POST", f"/sandbox/checkout-sessions/{session_id}/confirm", json={})


def leave(mock: MockServer, _session_id: str) -> None:
    mock.clock.advance(minutes=30)


def stay(_mock: MockServer, _session_id: str) -> None:
    pass


def by(move: str) -> Callable[[MockServer, str], None]:
    def act(mock: MockServer, session_id: str) -> None:
        getattr(mock.checkout, move)(session_id)

    return act


STATES = {
    "open": stay,
    "authenticated": by("authenticate"),
    "paid": pay,
    "expired": leave,
    "cancelled": by("cancel"),
    "failed": by("fail"),
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", ["open", "authenticated"])
def test_a_waiting_session_is_moved(
    mock: MockServer, control: Control, state: str, move: str
) -> None:
    """From open and authenticated each move is made, and the session shows it to its merchant."""
    session_id = opened(mock)
    STATES[state](mock, session_id)
    status, moved = control.post(f"checkout-sessions/{session_id}/{move}")
    assert (status, moved["status"]) == (200, REACHED[move])
    assert mock.client().checkout_sessions.get(session_id).status == REACHED[move]


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", ["paid", "expired", "cancelled", "failed"])
def test_a_session_that_is_over_is_not_moved(
    mock: MockServer, control: Control, state: str, move: str
) -> None:
    """From every other status each move is 409, and no row changes."""
    session_id = opened(mock)
    STATES[state](mock, session_id)
    before = rows_of(mock.world)
    assert control.post(f"checkout-sessions/{session_id}/{move}") == (
        409,
        "CHECKOUT_SESSION_NOT_OPEN",
    )
    assert rows_of(mock.world) == before


@pytest.mark.parametrize("move", MOVES)
def test_who_and_what_must_be_known(mock: MockServer, control: Control, move: str) -> None:
    """An unknown session or buyer is 404, another field 422, and no row changes."""
    session_id = opened(mock)
    before = rows_of(mock.world)
    path = f"checkout-sessions/{session_id}/{move}"
    assert control.post(f"checkout-sessions/chk_none/{move}") == (404, "CHECKOUT_SESSION_NOT_FOUND")
    assert control.post(path, buyer="nobody") == (404, "BUYER_NOT_FOUND")
    assert control.post(path, colour="red") == (422, "INVALID_REQUEST")
    assert rows_of(mock.world) == before


def test_the_one_who_signed_in_pays(mock: MockServer) -> None:
    """A buyer who was signed in by control is the one who is debited."""
    alice = mock.buyers.create(buyer_id="alice", balances={"JPYC": "5000"})
    session_id = opened(mock)
    mock.checkout.authenticate(session_id, buyer=alice)
    pay(mock, session_id)
    assert mock.buyers.get("alice").balances.JPYC == "3800"
    assert mock.buyers.get("sandbox_buyer").balances.JPYC == "1000000"


@pytest.mark.parametrize("move", MOVES)
def test_the_journal_says_who(mock: MockServer, move: str) -> None:
    """Each move is in the journal with the buyer it was made for."""
    mock.buyers.create(buyer_id="alice")
    session_id = opened(mock)
    getattr(mock.checkout, move)(session_id, buyer="alice")
    (entry,) = mock.events(kind=f"checkout.{REACHED[move]}")
    assert (entry.subject, entry.data["buyer"]) == (session_id, "alice")


def test_the_driver_tells_a_refusal(mock: MockServer) -> None:
    """What is refused is an error that says the status and the code."""
    session_id = opened(mock)
    mock.checkout.fail(session_id)
    with pytest.raises(ControlError, match="409 CHECKOUT_SESSION_NOT_OPEN"):
        mock.checkout.cancel(session_id)
