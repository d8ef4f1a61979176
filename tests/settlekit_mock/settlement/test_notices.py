"""Notices: to whom, when, what where one can't be delivered, and that no debit comes before it."""

import pytest

from settlekit_mock import MockServer
from settlekit_mock.control.scenarios.stories import STORIES
from settlekit_mock.kernel.times import HOUR, from_text
from tests.settlekit_mock.settlement.conftest import MICRO_CLOSE, Buyer, Provider, Shop, after

GATE = after(MICRO_CLOSE, 72 * HOUR)


def told(mock: MockServer) -> list[tuple[str, str, str]]:
    """Return audience, kind and time of every notice, oldest first."""
    return [(one.audience, one.kind, one.sent_at) for one in reversed(mock.notices.all())]


def test_a_batch_that_settles_is_told_to_each_side_what_is_its(shop: Shop, buyer: Buyer) -> None:
    """The buyer reads estimate and final notice; the provider a summary and the success."""
    shop.sell(100, 2)
    shop.settle()
    settled = after(GATE, 30_000)
    assert told(shop.mock) == [
        ("buyer", "estimate", "2026-03-03T10:30:00.000Z"),
        ("buyer", "final_debit", MICRO_CLOSE),
        ("provider", "period_summary", MICRO_CLOSE),
        ("provider", "debit_succeeded", settled),
    ]


def test_a_period_without_usage_is_told_to_nobody(shop: Shop, buyer: Buyer) -> None:
    """Where nothing is to be charged there is neither an estimate nor anything else."""
    shop.settle()
    assert told(shop.mock) == []


@pytest.mark.parametrize("failures", [1, 2, 24])
def test_a_notice_is_tried_again_every_hour(
    shop: Shop, buyer: Buyer, provider: Provider, failures: int
) -> None:
    """A notice that fails is tried an hour later, 24 times at most, until it gets through."""
    shop.sell()
    shop.mock.simulate.notice_failure(buyer="b1", times=failures)
    shop.mock.clock.advance(to=MICRO_CLOSE)
    failed = provider.batch()
    assert (failed["status"], failed["notice_status"]) == ("notice_delivery_failed", "failed")
    shop.mock.clock.advance(until="notice.recorded")
    ready = provider.batch()
    assert (ready["status"], ready["notice_status"]) == ("ready", "delivered")
    tries = [at for _, at in shop.kinds("notice.failed", "notice.recorded")]
    assert tries == [after(MICRO_CLOSE, number * HOUR) for number in range(failures + 1)]
    assert ready["scheduled_debit_at"] == ready["not_before_attempt_at"] == GATE


def test_after_twenty_four_more_tries_only_an_operator_gets_a_notice_through(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """Nothing is tried any more and nothing debited; delivered late, the debit follows at once."""
    shop.sell()
    shop.mock.simulate.notice_failure(buyer="b1", times=25)
    shop.settle(days=30)
    assert len(shop.kinds("notice.failed")) == 25
    assert shop.kinds("debit.submitted") == []
    late = shop.mock.clock.read().now
    shop.mock.batches.redeliver_notice(provider.batch()["settlement_batch_id"])
    batch = provider.batch()
    assert (batch["not_before_attempt_at"], batch["scheduled_debit_at"]) == (late, late)
    shop.settle(days=1)
    assert shop.kinds("debit.submitted", "batch.settled") == [
        ("debit.submitted", late),
        ("batch.settled", after(late, 30_000)),
    ]


@pytest.mark.parametrize("name", [name for name in STORIES if name != "year_at_scale"])
def test_no_debit_comes_before_its_notice_and_72_hours(name: str) -> None:
    """In every story each debit follows the batch's final notice, and its close by 72 hours."""
    with MockServer(seed=11) as mock:
        mock.scenarios.play(name)
        mock.clock.advance(days=45)
        debits = list(mock.events(kind="debit.submitted"))
        notices = {one.subject: one.at for one in mock.events(kind="notice.recorded")}
        closes = {
            one.data["settlement_batch_id"]: one.at for one in mock.events(kind="period.closed")
        }
        sent = mock.notices.all()
    assert all(debit.at >= notices[debit.subject] for debit in debits)
    early = [
        debit
        for debit in debits
        if from_text(debit.at) < from_text(closes[debit.subject]) + 72 * HOUR
    ]
    assert early == []
    assert [one for one in sent if (one.audience, one.kind) == ("provider", "final_debit")] == []


def test_an_inbox_is_read_by_audience_kind_buyer_and_batch(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """Each filter leaves the matching notices, newest first; together they leave what fits all."""
    shop.buyer("b2")
    shop.sell()
    shop.sell(buyer="b2")
    shop.settle()
    inbox = shop.mock.notices
    assert {one.audience for one in inbox.all(audience="provider")} == {"provider"}
    assert len(inbox.all(kind="debit_succeeded")) == 2
    assert len(inbox.all(buyer="b2", audience="buyer")) == 2
    first = provider.batches()[0]["settlement_batch_id"]
    of_batch = inbox.all(settlement_batch_id=first)
    assert {one.settlement_batch_id for one in of_batch} == {first}
    assert len(inbox.all(settlement_batch_id=first, kind="debit_succeeded")) == 1
    whole = [one.sent_at for one in inbox.all()]
    assert whole == sorted(whole, reverse=True)


def test_a_notice_is_waited_for(shop: Shop, buyer: Buyer) -> None:
    """Waiting lets time pass up to the notice; in vain it ends, and says what didn't come."""
    shop.sell()
    assert shop.mock.notices.wait_for(kind="final_debit", buyer="b1").sent_at == MICRO_CLOSE
    assert shop.mock.clock.read().now == MICRO_CLOSE
    with pytest.raises(TimeoutError, match="no past_due notice"):
        shop.mock.notices.wait_for(kind="past_due")
