"""What an event of the card processor says was paid."""

from typing import Any

import pytest

from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.operations.rules.top_ups import Completed, completed

SESSION = {"id": "cs_1", "payment_status": "paid", "currency": "usd", "amount_total": 500}


def event(kind: str = "checkout.session.completed", **changes: Any) -> dict[str, Any]:
    session = {name: value for name, value in {**SESSION, **changes}.items() if value != "absent"}
    return {"id": "evt_1", "type": kind, "data": {"object": session}, "livemode": False}


@pytest.mark.parametrize("payment_status", ["paid", "absent"])
def test_a_completed_session_was_paid(payment_status: str) -> None:
    """Paid, or without a word of it, a completed session tells event, session and cents."""
    found = completed(event(payment_status=payment_status))
    assert found == Completed("evt_1", "cs_1", 500)


@pytest.mark.parametrize(
    "given",
    [
        event("checkout.session.expired"),
        event("payment_intent.succeeded"),
        {"type": "customer.created"},
        event(payment_status="unpaid"),
        event(payment_status="no_payment_required", amount_total=0),
        event(payment_status=None),
    ],
    ids=str,
)
def test_everything_else_is_ignored(given: dict[str, Any]) -> None:
    """Other types, and sessions that aren't paid, credit nothing."""
    assert completed(given) is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"type": 7},
        {"type": "checkout.session.completed"},
        {"type": "checkout.session.completed", "data": []},
        {"type": "checkout.session.completed", "data": {"object": "cs_1"}},
        event(currency="eur"),
        event(currency="USD"),
        event(currency="absent"),
        event(amount_total=0),
        event(amount_total=-500),
        event(amount_total=500.0),
        event(amount_total="500"),
        event(amount_total=True),
        event(amount_total="absent"),
        event(amount_total=10**30),
        event(id=""),
        event(id=None),
        event(id="c" * 256),
        {**event(), "id": None},
        {**event(), "id": ""},
    ],
    ids=str,
)
def test_a_payment_that_is_none_is_refused(given: dict[str, Any]) -> None:
    """A completed session must name event and session, and a positive amount of US cents."""
    with pytest.raises(Invalid):
        completed(given)
