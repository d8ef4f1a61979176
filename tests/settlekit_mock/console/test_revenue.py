"""Revenue over time: what stood in each bucket at the end of each step."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from settlekit_mock import MockServer
from settlekit_mock.console.rules import FINEST_FIRST
from settlekit_mock.kernel.times import from_text
from settlekit_mock.ledger.tables import ACCOUNTS, ENTRIES, TRANSACTIONS
from settlekit_mock.settlement.rules.amounts import UNITS_PER_MINOR
from settlekit_mock.settlement.rules.batch_life import INITIAL
from settlekit_mock.settlement.rules.standing import Bucket, bucket_of
from settlekit_mock.settlement.tables import BATCHES, MOVES, PERIODS
from tests.settlekit_mock.console.conftest import Eventful
from tests.settlekit_mock.console.test_batches import provider_of
from tests.settlekit_mock.control.conftest import SHOP, START, Control

TOKENS = {"JPY": "JPYC", "USD": "USDC"}


class History:
    """What happened to each batch and wallet, read as it was written."""

    def __init__(self, mock: MockServer, currency: str) -> None:
        self._units = UNITS_PER_MINOR[currency]
        with mock.world.snapshot() as connection:
            periods = select(BATCHES.c.batch_number, PERIODS).join(
                PERIODS, PERIODS.c.period_number == BATCHES.c.period_number
            )
            self._batches = connection.execute(periods.where(PERIODS.c.currency == currency)).all()
            self._moves = connection.execute(select(MOVES).order_by(MOVES.c.move_number)).all()
            self._paid = connection.execute(
                select(TRANSACTIONS.c.created_at, ENTRIES.c.amount)
                .join(ENTRIES, ENTRIES.c.transaction_number == TRANSACTIONS.c.transaction_number)
                .join(ACCOUNTS, ACCOUNTS.c.account_number == ENTRIES.c.account_number)
                .where(
                    TRANSACTIONS.c.reason == "direct_payment",
                    ACCOUNTS.c.owner_scope == "developer",
                    ACCOUNTS.c.currency == currency,
                )
            ).all()

    def stood(self, at: int) -> dict[str, Decimal]:
        """Return each bucket's receivable at an instant, batch by batch."""
        found: Counter[str] = Counter()
        for batch in self._batches:
            if batch.closed_at <= at:
                status = INITIAL.status.value
                for move in self._moves:
                    if move.batch_number == batch.batch_number and move.moved_at <= at:
                        status = move.to_status
                found[bucket_of(status)] += batch.gross - batch.fee
        found["standard"] = sum(row.amount for row in self._paid if row.created_at <= at)
        return {
            f"{name}_minor": Decimal(found[name]) / self._units for name in (*Bucket, "standard")
        }


def amounts(point: dict[str, Any]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in point.items() if name != "at"}


@pytest.mark.both_databases
def test_points_are_what_batches_stood_at(eventful: Eventful) -> None:
    """At each point each bucket has what the batches in it had, move by move, by any step."""
    for currency in ("JPY", "USD"):
        history = History(eventful.mock, currency)
        for by in FINEST_FIRST[1:]:
            points = eventful.get("revenue", currency=currency, by=by)["points"]
            some = points[:: max(len(points) // 40, 1)] + points[-1:]
            for point in some:
                assert amounts(point) == history.stood(from_text(point["at"])), (by, point["at"])
            assert points[-1]["at"] == eventful.mock.clock.read().now


@pytest.mark.both_databases
def test_the_last_point_and_open_periods_are_the_summaries(eventful: Eventful) -> None:
    """With what open periods hold, the last point is what all providers' summaries add up to."""
    eventful.mock.merchants.create("another")
    for merchant, amount_minor in ((SHOP, 100), ("another", 40), ("another", 3)):
        eventful.mock.usage(
            "sandbox_buyer", merchant=merchant, amount_minor=amount_minor, currency="JPY", count=3
        )
    eventful.mock.clock.advance(days=9)
    eventful.mock.usage("sandbox_buyer", merchant="another", amount_minor=40, currency="JPY")
    owners = {one.merchant_account.merchant_user_id for one in eventful.mock.merchants.all()}
    assert len(owners) == 2
    summaries = [provider_of(eventful.mock, owner).summary() for owner in owners]
    for currency, token in TOKENS.items():
        last = amounts(eventful.get("revenue", currency=currency)["points"][-1])
        opened = eventful.mock.periods(currency=currency)
        last["unsettled_minor"] += sum(Decimal(one.provider_receivable_minor) for one in opened)
        for bucket in Bucket:
            told = [
                Decimal(one["totals_by_token"][token][f"{bucket}_provider_receivable_minor"])
                for one in summaries
            ]
            assert last[f"{bucket}_minor"] == sum(told), (currency, bucket)


def test_every_bucket_is_met(town: Eventful) -> None:
    """The worlds that these tests look at had something in every bucket at some time."""
    met: set[str] = set()
    for currency in TOKENS:
        for point in town.get("revenue", currency=currency, by="hour")["points"]:
            met |= {name for name, amount in amounts(point).items() if amount}
    assert met == {f"{name}_minor" for name in (*Bucket, "standard")} - {"uncollectible_minor"}


def test_nothing_closed_and_nothing_paid(mock: MockServer, control: Control) -> None:
    """There is no point before something closed or was paid, whatever has accrued."""
    mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY")
    asked = control.get("revenue", by="day")
    assert asked == (200, {"currency": "JPY", "by": "day", "points": []})
    assert control.get("revenue")[1]["points"] == []


def test_what_was_given_up_is_told_apart(mock: MockServer) -> None:
    """A batch that nobody will collect is uncollectible from then on, and not past due."""
    mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY")
    mock.simulate.debit_failure(times=28)
    mock.clock.advance(until="batch.past_due")
    (last,) = mock.revenue().points[-1:]
    assert (last.past_due_minor, last.uncollectible_minor) == ("98", "0")
    (batch,) = mock.batches.all()
    mock.batches.give_up(
        batch.settlement_batch_id, status="uncollectible", reason_code="buyer_unreachable"
    )
    (last,) = mock.revenue().points[-1:]
    assert (last.past_due_minor, last.uncollectible_minor) == ("0", "98")


def test_a_minute_is_a_step(mock: MockServer) -> None:
    """A debit that takes thirty seconds is over at the end of its minute, and not before."""
    mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY", count=100)
    closed = mock.clock.read().now
    mock.clock.advance(days=3)
    mock.clock.advance(minutes=2)
    told = mock.revenue(by="minute")
    assert told.points[0].at == closed == START
    assert (told.points[0].unsettled_minor, told.points[0].settled_minor) == ("9800", "0")
    assert len(told.points) == 3 * 24 * 60 + 3
    assert [point.settled_minor for point in told.points[-3:]] == ["0", "9800", "9800"]
    assert mock.revenue().by == "hour"


def test_too_fine_a_step_is_refused(mock: MockServer, control: Control) -> None:
    """A step that would make more than 10,000 points is 422; the default never is."""
    mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY", count=100)
    mock.clock.advance(days=8)
    assert control.get("revenue", by="minute") == (422, "INVALID_REQUEST")
    mock.clock.advance(days=5000)
    assert control.get("revenue", by="hour") == (422, "INVALID_REQUEST")
    assert mock.revenue().by == "month"
