"""What checking costs: few statements, and as many of them whatever there is to check."""

from collections.abc import Iterator

import pytest

from settlekit_mock import MockServer
from settlekit_mock.control.check import INVARIANTS, check_all
from tests.settlekit_mock.control.conftest import SHOP, START, rows_of
from tests.settlekit_mock.settlement.test_cost import counting

MOST_STATEMENTS = 98
"""A statement over a few hundred rows takes about 40 µs, so these stay within 5 ms."""


def lived_in(payments: int) -> Iterator[MockServer]:
    """Yield a mock in which buyers have paid, some debits failed and batches were settled."""
    with MockServer(seed=7, freeze_at=START) as mock:
        for buyer in ("b1", "b2", "b3"):
            mock.buyers.create(buyer_id=buyer)
            for amount in (2, 60):
                mock.usage(
                    buyer, merchant=SHOP, amount_minor=amount, currency="JPY", count=payments
                )
        mock.simulate.debit_failure(buyer="b1", times=2)
        mock.clock.advance(days=40)
        yield mock


@pytest.fixture(scope="module")
def small() -> Iterator[MockServer]:
    yield from lived_in(30)


@pytest.fixture(scope="module")
def larger() -> Iterator[MockServer]:
    yield from lived_in(150)


def checked(mock: MockServer) -> list[str]:
    """Check a world that is sound, and return the statements that it took."""
    with mock.world.snapshot() as connection, counting(mock) as counted:
        assert check_all(connection) == []
    return counted.statements


def test_a_small_world_is_checked_in_few_statements(small: MockServer) -> None:
    """Some hundred rows of most kinds: all invariants together take 98 statements at most."""
    rows = sum(len(rows) for rows in rows_of(small.world).values())
    assert 300 <= rows <= 1_000
    assert len(INVARIANTS) <= len(checked(small)) <= MOST_STATEMENTS


def test_a_larger_world_takes_the_same_statements(small: MockServer, larger: MockServer) -> None:
    """No invariant asks once for each row: five times the payments execute the same."""
    assert checked(larger) == checked(small)
