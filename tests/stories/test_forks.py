"""Futures beside each other: what comes of one moment, told more than once."""

from collections.abc import Iterator

import pytest

from settlekit.models import BatchStatus
from settlekit_mock import MockServer
from tests.settlekit_mock.control.conftest import rows_of

pytestmark = pytest.mark.sqlite
BUYER = "b1"


@pytest.fixture
def unpaid() -> Iterator[MockServer]:
    """A world in which a buyer owes forty payments, and a first debit found too little."""
    with MockServer(seed=7) as mock:
        mock.buyers.create(buyer_id=BUYER)
        mock.usage(BUYER, merchant="sandbox_merchant", amount_minor=100, currency="JPY", count=40)
        mock.buyers.update(BUYER, balances={"JPYC": "3999"})
        mock.clock.advance(until="debit.failed")
        yield mock


def fail(mock: MockServer, times: int) -> None:
    for _ in range(times):
        mock.clock.advance(until="debit.failed")


def test_paid_at_the_27th_attempt_beside_never_paid(unpaid: MockServer) -> None:
    """One future tops up after 26 failures, one never: each ends its own way, from one moment."""
    before = unpaid.world.image()
    with unpaid.fork() as paid, unpaid.fork() as never:
        fail(paid, 25)
        paid.buyers.update(BUYER, balances={"JPYC": "4000"})
        paid.clock.advance(days=45)
        never.clock.advance(days=45)
        (settled,) = paid.client("provider").provider_statements.settlement_batches()
        (past_due,) = never.client("provider").provider_statements.settlement_batches()
        assert (settled.status, settled.attempt_count) == (BatchStatus.SETTLED, 27)
        assert (past_due.status, past_due.attempt_count) == (BatchStatus.PAST_DUE, 28)
        assert paid.buyers.get(BUYER).balances.JPYC == "0"
        assert never.buyers.get(BUYER).balances.JPYC == "3999"
        assert paid.check().ok
        assert never.check().ok
    assert unpaid.world.image() == before


def test_two_forks_of_one_moment_tell_the_same(unpaid: MockServer) -> None:
    """What comes of a moment depends on nothing but the moment and the calls after it."""
    with unpaid.fork() as one, unpaid.fork() as other:
        for mock in (one, other):
            mock.buyers.update(BUYER, balances={"JPYC": "4000"})
            mock.clock.advance(days=45)
        assert rows_of(one.world) == rows_of(other.world)
        unpaid.buyers.update(BUYER, balances={"JPYC": "4000"})
        unpaid.clock.advance(days=45)
        assert rows_of(unpaid.world) == rows_of(one.world)


def test_a_fork_of_a_fork_leaves_both_as_they_are(unpaid: MockServer) -> None:
    """Futures of futures are as separate as futures are."""
    with unpaid.fork() as child:
        fail(child, 27)
        journals = [rows_of(mock.world)["events"] for mock in (unpaid, child)]
        with child.fork() as grandchild:
            (batch,) = grandchild.client("provider").provider_statements.settlement_batches()
            grandchild.batches.give_up(
                batch.settlement_batch_id, status="written_off", reason_code="gone"
            )
            assert rows_of(grandchild.world)["events"] != journals[1]
        assert [rows_of(mock.world)["events"] for mock in (unpaid, child)] == journals
