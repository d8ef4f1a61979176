"""Schedules: the events of one order in every order, doubled and dropped, shortest first."""

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Final

from settlekit.testing.exam import events
from settlekit.testing.exam.checks import check
from settlekit.testing.exam.orders import Order
from settlekit.testing.exam.sitting import Sitting

CONFIRMED: Final = "confirmed"
SPENT: Final = "spent"
UNKNOWN: Final = "unknown"
NAMES: Final = (CONFIRMED, SPENT, UNKNOWN)
AT_MOST_TIMES: Final = 2
LONGEST: Final = 3

Schedule = tuple[str, ...]


def schedules() -> Iterator[Schedule]:
    """Yield every schedule of the events, each dropped, once or twice, shortest first."""
    counted = product(range(AT_MOST_TIMES + 1), repeat=len(NAMES))
    chosen = [
        tuple(name for name, count in zip(NAMES, counts, strict=True) for _ in range(count))
        for counts in counted
    ]
    for names in sorted((names for names in chosen if 0 < len(names) <= LONGEST), key=len):
        yield from sorted(set(permutations(names)))


@check(
    "schedules",
    why="You choose neither the order nor the number of deliveries.",
    fix="Let the order be paid where its settled payment came, and by nothing else, once.",
)
def any_schedule(sitting: Sitting) -> None:
    """The events of an order in any order, doubled or dropped, end in the same state."""
    sitting.needs("start_checkout", "probe")
    for schedule in schedules():
        order = sitting.order()
        _play(sitting, order, schedule)
        wanted = sitting.reference.paid if CONFIRMED in schedule else sitting.reference.unpaid
        sitting.must_become(order, wanted, " → ".join(schedule))


def _play(sitting: Sitting, order: Order, schedule: Sequence[str]) -> None:
    told = {
        CONFIRMED: events.event(events.standard_settled(order)),
        SPENT: events.spent(order),
        UNKNOWN: events.event(events.standard_settled(order, mode="external_403")),
    }
    for name in schedule:
        sitting.deliver(told[name])
