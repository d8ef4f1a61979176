"""Checks of what is believed: an event means what its fields say, and nothing by its name."""

from datetime import timedelta

from settlekit.testing.exam import events
from settlekit.testing.exam.checks import check
from settlekit.testing.exam.orders import Order
from settlekit.testing.exam.sitting import REVENUE, REVIEW, Finding, Sitting, must_accept

CLASSIFY = "Branch on settlekit.webhooks.classify(event), never on event.type."
KEEP = "Answer 2xx, and keep the event for somebody to look at."


@check(
    "unknown_type",
    why="New types come without notice; one that is refused is delivered nine times over two days.",
    fix=KEEP,
)
def unknown_type(sitting: Sitting) -> None:
    """An event of a type you don't know is accepted and changes nothing."""
    order = sitting.order()
    told = events.event(events.standard_settled(order), kind="direct_payment.reviewed")
    must_accept(sitting.tell(told), "an event of an unknown type")
    sitting.must_be_unpaid(order, "an event of an unknown type came")


@check(
    "unknown_kind",
    why="All confirmations bear one name; what isn't one of the known kinds isn't known to be paid.",
    fix=CLASSIFY,
)
def unknown_kind(sitting: Sitting) -> None:
    """A confirmation in a mode you don't know is accepted and changes nothing."""
    _changes_nothing(sitting, "a confirmation in an unknown mode", mode="external_403")


@check(
    "new_value",
    why="Bands, states and fields are added over time.",
    fix="Leave unknown values alone: settlekit keeps them as text (value.known is False).",
)
def new_value(sitting: Sitting) -> None:
    """A value that didn't exist when you wrote your handler doesn't break it."""
    _changes_nothing(
        sitting,
        "a confirmation in a band of tomorrow",
        pricing_band="pico",
        settlement_cadence="hourly",
        surprise={"nested": [1, None, "x"]},
    )


@check(
    "unknown_kept",
    why="It may be money; dropped, nobody will ever know.",
    fix="Keep unknown events in a review queue (settlekit's Inbox has one).",
)
def unknown_kept(sitting: Sitting) -> None:
    """What you can't classify is kept for a person to look at."""
    before = sitting.books(REVIEW)
    order = sitting.order()
    sitting.deliver(events.event(events.standard_settled(order, mode="external_403")))
    if (after := sitting.books(REVIEW)) == before:
        raise Finding(f"an unknown event came, and {REVIEW!r} is still {after!r}")


@check(
    "readiness_probe",
    why="The platform tests your endpoint with events that look like payments.",
    fix="Skip events whose readiness_probe is true (event.readiness_probe).",
)
def readiness_probe(sitting: Sitting) -> None:
    """A readiness probe is accepted and changes nothing."""
    _changes_nothing(sitting, "a readiness probe", readiness_probe=True)


@check(
    "no_receipt",
    why="Money is real only when it settled on chain, and the receipt says that it did.",
    fix=CLASSIFY,
)
def no_receipt(sitting: Sitting) -> None:
    """A standard payment without a receipt isn't paid."""
    _changes_nothing(sitting, "a payment without a chain_receipt_id", chain_receipt_id=None)


@check(
    "not_settled",
    why="direct_payment.confirmed is the name of payments that settle later, too.",
    fix=CLASSIFY,
)
def not_settled(sitting: Sitting) -> None:
    """A confirmation that says it isn't settled isn't paid."""
    _changes_nothing(sitting, "a provisional payment", settlement_status="provisional")


@check(
    "metered_is_not_paid",
    why="A micro or nano payment is owed until its batch settles, and some never do.",
    fix="On metered_usage_accepted deliver the use, and leave the order unpaid; statements say "
    "what settled.",
)
def metered_is_not_paid(sitting: Sitting) -> None:
    """Accepted usage isn't a settled payment."""
    order = sitting.order()
    must_accept(sitting.tell(events.event(events.usage_accepted(order))), "accepted usage")
    if sitting.sees_effects() and sitting.state(order) == sitting.reference.paid:
        raise Finding("accepted usage made the order look just like a settled one")


@check(
    "metered_is_no_revenue",
    why="data.amount_minor of accepted usage is a price, before the fee and before any money.",
    fix="Book revenue from settled batches in the provider's statements.",
)
def metered_is_no_revenue(sitting: Sitting) -> None:
    """Accepted usage isn't booked as revenue."""
    before = sitting.books(REVENUE)
    sitting.deliver(events.event(events.usage_accepted(sitting.order())))
    if (after := sitting.books(REVENUE)) != before:
        raise Finding(f"usage was accepted, and revenue went from {before!r} to {after!r}")


@check(
    "batch_without_order",
    why="A batch settles many payments: it has no challenge_hash and no order.",
    fix="Note the batch's id and read its money in the provider's statements.",
)
def batch_without_order(sitting: Sitting) -> None:
    """A settled batch that belongs to no order is accepted."""
    order = sitting.order()
    must_accept(sitting.tell(events.event(events.batch_settled(order.merchant))), "a settled batch")
    sitting.must_be_unpaid(order, "a batch settled")


@check(
    "batch_amount",
    why="It is the price of one payment; what you receive is provider_receivable_minor.",
    fix="Book revenue from settled batches in the provider's statements.",
)
def batch_amount(sitting: Sitting) -> None:
    """A batch's revenue isn't read off data.amount_minor."""
    before = sitting.books(REVENUE)
    sitting.deliver(events.event(events.batch_settled(sitting.order().merchant)))
    rise = float(sitting.books(REVENUE)) - float(before)
    if rise not in (0.0, float(events.BATCH_RECEIVABLE)):
        raise Finding(
            f"a batch of {events.BATCH_RECEIVABLE} receivable settled, and revenue rose by {rise:g}"
        )


@check(
    "batch_once",
    why="Two events can tell of one batch; its id says that it is the same money.",
    fix="Let the batch's id be unique where you book it.",
)
def batch_once(sitting: Sitting) -> None:
    """A batch is booked once, whatever number of events tell of it."""
    sitting.books(REVENUE)
    data = events.batch_settled(sitting.order().merchant)
    sitting.deliver(events.event(data))
    once = sitting.books(REVENUE)
    sitting.deliver(events.event(data))
    if (twice := sitting.books(REVENUE)) != once:
        raise Finding(f"a second event of one batch moved revenue from {once!r} to {twice!r}")


@check(
    "other_merchant",
    why="One endpoint and secret may serve several merchants; their orders are not each other's.",
    fix="Compare data.merchant with your own.",
)
def other_merchant(sitting: Sitting) -> None:
    """An event of another merchant changes nothing."""
    _changes_nothing(sitting, "another merchant's payment", merchant="somebody_else")


@check(
    "other_amount",
    why="What was paid is what the event says, not what you meant to ask.",
    fix="Compare amount_minor and currency with the order's; keep the event for review.",
)
def other_amount(sitting: Sitting) -> None:
    """A payment of another amount than the order's doesn't pay it."""
    order = sitting.order()
    data = events.standard_settled(order, amount_minor=order.amount_minor - 1)
    _tell_without_effect(sitting, order, data, "a payment of one less than the order")


@check(
    "other_order",
    why="Orders are deleted, databases restored; the platform still tells you of the money.",
    fix=KEEP,
)
def other_order(sitting: Sitting) -> None:
    """A payment that no order waits for doesn't break the endpoint."""
    order = sitting.order()
    sitting.made_up = False  # whatever order was opened, this payment is of none
    data = events.standard_settled(order, challenge_hash=f"sha256:{'0' * 64}")
    _tell_without_effect(sitting, order, data, "a payment of an order that isn't there")


@check(
    "delayed",
    why="Only the signature's time is bounded: an event can be delivered again long after.",
    fix="Never compare occurred_at with the time of now.",
)
def delayed(sitting: Sitting) -> None:
    """A payment told of twenty days later still counts."""
    order = sitting.order()
    told = events.event(events.standard_settled(order), occurred=timedelta(days=-20))
    must_accept(sitting.tell(told), "an event of twenty days ago, just signed")
    sitting.must_be_paid_once(order, "an event of twenty days ago")


def _changes_nothing(sitting: Sitting, what: str, **changed: object) -> None:
    order = sitting.order()
    _tell_without_effect(sitting, order, events.standard_settled(order, **changed), what)


def _tell_without_effect(sitting: Sitting, order: Order, data: events.Data, what: str) -> None:
    must_accept(sitting.tell(events.event(data)), what)
    sitting.must_be_unpaid(order, f"{what} came")
