"""What settling and accepting cost: the same, however much there is."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from settlekit_mock import MockServer
from tests.settlekit_mock.settlement.conftest import (
    MICRO_CLOSE,
    PROVIDER,
    Buyer,
    Provider,
    Shop,
)

SCANS = "SCAN usage"


class Counted:
    """The statements that were executed, and the rows they wrote."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.rows = 0

    def before(self, conn: object, cursor: object, statement: str, *_: object) -> None:
        self.statements.append(statement)

    def after(self, conn: object, cursor: object, statement: str, *_: object) -> None:
        self.rows += max(getattr(cursor, "rowcount", 0), 0)


@contextmanager
def counting(mock: MockServer) -> Iterator[Counted]:
    engine, counted = mock.world.database.engine, Counted()
    event.listen(engine, "before_cursor_execute", counted.before)
    event.listen(engine, "after_cursor_execute", counted.after)
    yield counted
    event.remove(engine, "before_cursor_execute", counted.before)
    event.remove(engine, "after_cursor_execute", counted.after)


def settled(payments: int) -> Counted:
    """Close and settle a batch of so many payments, and count."""
    with MockServer(seed=7) as mock:
        shop = Shop(mock)
        provider = Provider(mock, "sandbox_provider_token")
        shop.buyer()
        shop.sell(2, payments)
        with counting(mock) as counted:
            mock.clock.advance(days=60)
        assert provider.batch()["status"] == "settled"
    return counted


def test_settling_a_batch_costs_the_same_whatever_its_size() -> None:
    """Close, notice, debit and settlement of 2,000 payments execute what ten do."""
    small, large = settled(10), settled(2_000)
    assert large.statements == small.statements
    assert large.rows == small.rows
    assert len(small.statements) < 150


def accepted(mock: MockServer, shop: Shop) -> list[str]:
    with counting(mock) as counted:
        shop.sell(100)
    return counted.statements


def test_accepting_a_payment_costs_the_same_whatever_there_is(
    mock: MockServer, shop: Shop, buyer: Buyer
) -> None:
    """The two-thousandth payment executes what the second did."""
    shop.sell(100)
    second = accepted(mock, shop)
    shop.sell(2, 2_000)
    assert accepted(mock, shop) == second


@pytest.mark.parametrize(
    "query", [{}, {"plan_type": "nano"}, {"token_symbol": "JPYC"}, {"listing_id": "l1"}]
)
def test_a_summary_reads_no_usage(
    mock: MockServer, shop: Shop, buyer: Buyer, provider: Provider, query: dict[str, str]
) -> None:
    """Summaries are made of running sums, filtered ones too."""
    shop.sell(100, 5, listing_id="l1")
    shop.settle()
    shop.sell(2, 50, listing_id="l1")
    with counting(mock) as counted:
        provider.summary(**query)
    assert [text for text in counted.statements if " usage" in text and "FROM usage" in text] == []


@pytest.mark.sqlite
@pytest.mark.parametrize("path", ["usage-events", "settlement-batches"])
def test_a_page_uses_an_index(
    mock: MockServer, shop: Shop, buyer: Buyer, provider: Provider, path: str
) -> None:
    """Lists find their rows by an index, without looking at everybody's."""
    shop.sell(100, 3)
    mock.clock.advance(to=MICRO_CLOSE)
    with counting(mock) as counted:
        provider.read(f"{PROVIDER}/{path}")
    table = "usage" if path == "usage-events" else "batches"
    (listing,) = [
        text for text in counted.statements if f"FROM {table} " in text.replace("\n", " ")
    ]
    with mock.world.snapshot() as connection:
        marks = [1] * listing.count("?")
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {listing}", tuple(marks)).all()
    assert not [row for row in plan if str(row[-1]).startswith(f"SCAN {table}")]


def test_a_bulk_of_payments_shares_its_statements(
    mock: MockServer, shop: Shop, buyer: Buyer
) -> None:
    """A thousand payments in a row take as many statements as a hundred."""
    with counting(mock) as hundred:
        shop.sell(2, 100)
    with counting(mock) as thousand:
        shop.sell(2, 1_000)
    assert len(thousand.statements) <= len(hundred.statements)
