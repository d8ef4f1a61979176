"""Short lives in which a wrong rule shows: each is a near way there, checked at every step."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tests.machine import planted
from tests.machine.calendar import DAY
from tests.machine.machine import Machine
from tests.machine.planted import Plant

SHOP: Final = "sandbox_merchant"
PLENTY: Final = {"JPY": 1_000_000, "USD": 1_000_000}
AT_THREE: Final = {"hour": 3, "minute": 0}
MOST_STEPS: Final = 100


class Directed(Machine):
    """A machine that is told its steps."""

    def check(self) -> None:
        """Hold everything that is held after a step of a run."""
        for held in self.invariants:
            held.function(self)

    def begin(self, *, zone: str = "UTC", cap: int | None = None) -> str:
        """Make a buyer who can pay, with slots at three on Mondays and on the first."""
        buyer = self._buyer(
            zone,
            {"weekday": 0, **AT_THREE},
            {"day": 1, **AT_THREE},
            PLENTY,
            PLENTY,
            vault=True,
            caps={"day": cap},
        )
        self.check()
        return buyer

    def buy(self, buyer: str, count: int = 3) -> None:
        self._pay(buyer, SHOP, "JPY", 100, count, 0)
        self.check()

    def let_fail(self, buyer: str, times: int) -> None:
        self.wish("debit_failure", "", buyer, times, "ONCHAIN_FAILURE")
        self.check()

    def wait_until(self, status: str) -> None:
        """Let one thing after another happen, until a batch has come so far."""
        for _ in range(MOST_STEPS):
            if any(batch.status == status for batch in self.model.batches.values()):
                return
            self.wait_for_the_next()
            self.check()
        raise AssertionError(f"no batch has become {status}")

    def let_a_week_pass(self) -> None:
        for _ in range(7):
            self.pass_time(DAY)
            self.check()


Life = Callable[[Directed], None]


def past(name: str) -> Life:
    """Let a buyer's first payments become what the past is called."""

    def live(machine: Directed) -> None:
        buyer = machine.begin()
        machine.buy(buyer)
        machine.live_through(name, buyer)
        machine.check()

    return live


def settle(machine: Directed) -> None:
    machine.buy(machine.begin())
    machine.wait_until("settled")


def settle_far_from_greenwich(machine: Directed) -> None:
    machine.buy(machine.begin(zone="Asia/Tokyo"))
    machine.let_a_week_pass()


def fail_first(machine: Directed) -> None:
    """Fail at the first attempt, buy on meanwhile, settle at the second."""
    buyer = machine.begin()
    machine.buy(buyer)
    machine.let_fail(buyer, 1)
    machine.wait_until("failed")
    machine.buy(buyer)
    machine.wait_until("settled")


def reach_the_threshold(machine: Directed) -> None:
    """Owe the threshold exactly, and buy on."""
    buyer = machine.begin()
    machine.buy(buyer, 100)
    machine.buy(buyer, 1)


def spend_what_is_reserved(machine: Directed) -> None:
    buyer = machine.begin()
    machine.buy(buyer)
    machine._check_out(buyer, SHOP, "JPY", int(machine.model.free(buyer, "JPY")) + 1)
    machine.check()


def spend_a_days_cap_twice(machine: Directed) -> None:
    """Spend a day's cap just before a midnight that isn't Greenwich's, and again behind it."""
    machine._pay_around_midnight(machine.begin(zone="America/New_York", cap=900), SHOP, "own")
    machine.check()


def mark_paid_at_once(machine: Directed) -> None:
    past("earned")(machine)
    for step in ("mark-paid", "approve", "mark-paid"):
        machine._step(next(iter(machine.model.payouts)), step)
        machine.check()


LIVES: Final[Mapping[Plant, Life]] = MappingProxyType(
    {
        planted.balance_without_an_entry: settle,
        planted.fee_added_to_the_buyer: settle,
        planted.threshold_event_left_out: reach_the_threshold,
        planted.a_29th_attempt: past("past due"),
        planted.six_hours_from_now: fail_first,
        planted.reservation_never_released: past("uncollectible"),
        planted.exposure_not_lowered_on_settle: settle,
        planted.bucket_not_moved: settle,
        planted.failed_counts_as_unsettled: fail_first,
        planted.blind_resubmission: past("lost"),
        planted.notice_after_the_debit: settle,
        planted.debit_after_71_hours: settle,
        planted.settled_twice: fail_first,
        planted.pause_forgotten: fail_first,
        planted.pause_above_the_threshold_alone: reach_the_threshold,
        planted.reservations_overlooked_at_checkout: spend_what_is_reserved,
        planted.days_counted_in_utc: spend_a_days_cap_twice,
        planted.slots_read_in_utc: settle_far_from_greenwich,
        planted.allowance_kept_after_a_failure: past("refused"),
        planted.requeued_without_a_new_run: past("requeue"),
        planted.paid_without_approval: mark_paid_at_once,
    }
)
"""Where each wrong rule shows."""
