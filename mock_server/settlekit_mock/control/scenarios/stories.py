"""The short stories: one buyer, one thing that happens."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, NamedTuple

from settlekit_mock.control.scenarios.scale import year_at_scale
from settlekit_mock.control.scenarios.stage import Stage
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.settlement.simulations import Kind

MICRO: Final = 100
NANO: Final = 3


def weekly_micro_settles(stage: Stage) -> None:
    """Accrue forty micro payments, which close at the weekly slot and settle 72 h later."""
    stage.pay(stage.buyer(), stage.merchant(), MICRO, 40)
    stage.wait("batch.settled")


def threshold_close(stage: Stage) -> None:
    """Reach the threshold with the hundredth payment of 100 yen: its period closes at once."""
    stage.pay(stage.buyer(), stage.merchant(), MICRO, 100)
    stage.wait("batch.settled")


def recovers_at_third_attempt(stage: Stage) -> None:
    """Fail two debits on the chain; the third, twelve hours after the first, settles."""
    buyer = stage.buyer()
    stage.pay(buyer, stage.merchant(), MICRO, 40)
    stage.simulate(Kind.DEBIT_FAILURE, buyer, times=2, detail="ONCHAIN_FAILURE")
    stage.wait("batch.settled")


def past_due_then_written_off(stage: Stage) -> None:
    """Fail 28 attempts on an empty wallet; then the operator writes the batch off."""
    buyer = stage.buyer()
    stage.pay(buyer, stage.merchant(), MICRO, 40)
    stage.simulate(Kind.DEBIT_FAILURE, buyer, times=28, detail="INSUFFICIENT_BALANCE")
    stage.wait("batch.past_due")
    stage.write_off(buyer, "buyer_unreachable")


def past_due_then_requeued(stage: Stage) -> None:
    """Fail 28 attempts; then the operator requeues the batch, and the 29th settles."""
    buyer = stage.buyer()
    stage.pay(buyer, stage.merchant(), MICRO, 40)
    stage.simulate(Kind.DEBIT_FAILURE, buyer, times=28, detail="INSUFFICIENT_ALLOWANCE")
    stage.wait("batch.past_due")
    stage.requeue(buyer)
    stage.wait("batch.settled")


def notice_fails_then_delivered(stage: Stage) -> None:
    """Fail the final debit notice twice; an hour later each it is tried again."""
    buyer = stage.buyer()
    stage.pay(buyer, stage.merchant(), MICRO, 40)
    stage.simulate(Kind.NOTICE_FAILURE, buyer, times=2)
    stage.wait("batch.settled")


def outcome_unknown_then_settled(stage: Stage) -> None:
    """Lose the outcome of a debit until its receipt is found."""
    buyer = stage.buyer()
    stage.pay(buyer, stage.merchant(), MICRO, 40)
    stage.simulate(Kind.UNKNOWN_OUTCOME, buyer, times=1)
    stage.wait("debit.unknown")
    stage.find_receipt(buyer)


def monthly_nano(stage: Stage) -> None:
    """Accrue five hundred nano payments, which close at the monthly slot and settle as one."""
    stage.pay(stage.buyer(), stage.merchant(), NANO, 500)
    stage.wait("batch.settled")


def refused_over_budget(stage: Stage) -> None:
    """Pay from 250 yen: two payments of 100 fit, the others are refused."""
    funds = {"JPY": 250 * MAJOR}
    stage.pay(stage.buyer(balances=funds, allowances=funds), stage.merchant(), MICRO, 5)


class Story(NamedTuple):
    """A story by its name: what it tells, and how it is played."""

    name: str
    tells: str
    play: Callable[[Stage], None]


def _story(play: Callable[[Stage], None]) -> Story:
    assert play.__doc__ is not None
    return Story(play.__name__, play.__doc__.split("\n", maxsplit=1)[0], play)


STORIES: Final = MappingProxyType(
    {
        play.__name__: _story(play)
        for play in (
            weekly_micro_settles,
            threshold_close,
            recovers_at_third_attempt,
            past_due_then_written_off,
            past_due_then_requeued,
            notice_fails_then_delivered,
            outcome_unknown_then_settled,
            monthly_nano,
            refused_over_budget,
            year_at_scale,
        )
    }
)
