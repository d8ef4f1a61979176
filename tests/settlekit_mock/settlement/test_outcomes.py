"""Unknown outcomes and operators' moves: what follows, to the second, and what never does."""

import pytest

from settlekit_mock.kernel.times import DAY, HOUR, SECOND
from tests.settlekit_mock.settlement.conftest import MICRO_CLOSE, Buyer, Provider, Shop, after

FIRST = after(MICRO_CLOSE, 72 * HOUR)
UNKNOWN = after(FIRST, 30 * SECOND)


def lost(shop: Shop) -> str:
    """Sell, and lose the outcome of the debit; return the batch's id."""
    shop.sell()
    shop.mock.simulate.unknown_outcome(buyer="b1", times=1)
    shop.mock.clock.advance(until="debit.unknown")
    (entry,) = shop.mock.events(kind="debit.unknown")
    return entry.subject


def past_due(shop: Shop) -> str:
    """Sell, and fail 28 attempts; return the batch's id."""
    shop.sell()
    shop.mock.simulate.debit_failure(buyer="b1", times=28)
    shop.mock.clock.advance(until="batch.past_due")
    (entry,) = shop.mock.events(kind="batch.past_due")
    return entry.subject


def test_without_evidence_nothing_is_submitted_again(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """A debit of unknown outcome stays submitted, however long: no blind second debit."""
    lost(shop)
    shop.settle(days=60)
    batch = provider.batch()
    assert (batch["status"], batch["execution_status"]) == (
        "submitted",
        "submitted_reconcile_required",
    )
    assert (batch["latest_execution_attempt_status"], batch["attempt_count"]) == ("unknown", 1)
    assert (batch["next_attempt_at"], batch["settled_at"], batch["chain_receipt_id"]) == (
        None,
        None,
        None,
    )
    assert batch["unsettled_provider_receivable_minor"] == "98"


def test_a_receipt_that_is_found_settles_the_batch(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """Resolved as settled, the debit counts once, at the time of its resolution."""
    batch_id = lost(shop)
    shop.mock.clock.advance(days=2)
    shop.mock.batches.resolve(batch_id, outcome="settled")
    batch = provider.batch()
    assert (batch["status"], batch["settled_at"]) == ("settled", after(UNKNOWN, 2 * DAY))
    assert (batch["attempt_count"], batch["latest_execution_attempt_status"]) == (1, "succeeded")
    assert shop.mock.buyers.get("b1").balances.JPYC == "999900"


def test_a_debit_known_to_have_failed_is_tried_six_hours_after_that(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """Resolved as failed, the next attempt is 6 hours later, and the buyer has the tokens again."""
    batch_id = lost(shop)
    shop.mock.clock.advance(days=2)
    shop.mock.batches.resolve(batch_id, outcome="failed", reason="INSUFFICIENT_ALLOWANCE")
    batch = provider.batch()
    again = after(UNKNOWN, 2 * DAY + 6 * HOUR)
    assert (batch["status"], batch["next_attempt_at"]) == ("failed", again)
    assert batch["failure_reason_code"] == "INSUFFICIENT_ALLOWANCE"
    assert shop.mock.buyers.get("b1").balances.JPYC == "1000000"
    shop.settle(days=1)
    assert shop.kinds("debit.submitted") == [("debit.submitted", FIRST), ("debit.submitted", again)]


def test_the_28th_attempt_known_to_have_failed_is_past_due(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """An unknown outcome counts as the attempt it was: resolved as failed, the 28th is the last."""
    shop.sell()
    shop.mock.simulate.debit_failure(buyer="b1", times=27)
    shop.mock.clock.advance(to=after(FIRST, 26 * 6 * HOUR + HOUR))
    shop.mock.simulate.unknown_outcome(buyer="b1", times=1)
    shop.mock.clock.advance(until="debit.unknown")
    shop.mock.batches.resolve(provider.batch()["settlement_batch_id"], outcome="failed")
    batch = provider.batch()
    assert (batch["status"], batch["attempt_count"]) == ("past_due", 28)
    assert batch["next_attempt_at"] is None


def test_a_requeued_batch_has_a_new_run_of_28(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """The first attempt of the new run is at once, the others 6 hours apart; the count goes on."""
    batch_id = past_due(shop)
    shop.mock.clock.advance(days=10)
    shop.mock.simulate.debit_failure(buyer="b1", times=28)
    requeued = shop.mock.clock.read().now
    shop.mock.batches.requeue(batch_id)
    shop.settle(days=30)
    times = [at for _, at in shop.kinds("debit.submitted")]
    assert times[28:] == [after(requeued, number * 6 * HOUR) for number in range(28)]
    batch = provider.batch()
    assert (batch["status"], batch["attempt_count"]) == ("past_due", 56)


def test_a_requeued_batch_settles_when_it_can(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """After a requeue the 29th attempt settles, and nothing is left of the failures."""
    shop.mock.batches.requeue(past_due(shop))
    shop.settle(days=1)
    batch = provider.batch()
    assert (batch["status"], batch["attempt_count"]) == ("settled", 29)
    assert (batch["failure_reason_code"], batch["support_reference"]) == (None, None)


@pytest.mark.parametrize("status", ["uncollectible", "written_off"])
def test_a_given_up_batch_frees_its_scope(
    shop: Shop, buyer: Buyer, provider: Provider, status: str
) -> None:
    """A terminal says when and why, ends the reservation and the pause, and is never debited."""
    batch_id = past_due(shop)
    assert shop.sell().refused == {"METERED_SETTLEMENT_PAST_DUE": 1}
    marked = shop.mock.clock.read().now
    shop.mock.batches.give_up(batch_id, status=status, reason_code="buyer gone")
    batch = provider.batch()
    assert (batch["status"], batch["execution_status"], batch["terminal_status"]) == (status,) * 3
    assert (batch["terminal_marked_at"], batch["terminal_reason_code"]) == (marked, "buyer gone")
    assert batch["terminal_provider_receivable_minor"] == "98"
    assert batch[f"{status}_provider_receivable_minor"] == "98"
    assert (shop.mock.buyers.get("b1").reserved.JPYC, buyer.summary()["past_due_blocks"]) == (
        "0",
        [],
    )
    assert shop.sell().accepted == 1
    shop.mock.clock.advance(days=2)
    assert len(shop.kinds("debit.submitted")) == 28
