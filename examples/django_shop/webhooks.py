"""What the shop does with each kind of webhook, in the transaction that marks it as done."""

from django.db.models import Q

from examples.django_shop.models import Order, SettledBatch
from settlekit.checkout_attempts.django.models import CheckoutAttempt
from settlekit.webhooks import (
    Handlers,
    MeteredBatchSettled,
    MeteredUsageAccepted,
    NeedsReview,
    StandardSettled,
)

on: Handlers[str] = Handlers()


@on.standard_settled
def paid(told: StandardSettled, using: str) -> None:
    """The money is there: the order is paid."""
    order = order_to_move(told, using)
    order.status = "paid"
    order.chain_receipt_id = told.chain_receipt_id
    order.save()


@on.metered_usage_accepted
def accepted(told: MeteredUsageAccepted, using: str) -> None:
    """The money is owed and comes with a batch: deliver, and book nothing."""
    order = order_to_move(told, using)
    order.status = "accepted"
    order.metered_usage_id = told.event.data.get("metered_usage_id")
    order.save()


@on.metered_batch_settled
def batch_settled(told: MeteredBatchSettled, using: str) -> None:
    """A batch settled; its id is noted once, and its money is read in the statements."""
    SettledBatch.objects.using(using).update_or_create(
        settlement_batch_id=told.settlement_batch_id,
        defaults={
            "chain_receipt_id": told.chain_receipt_id,
            "usage_event_digest": told.usage_event_digest,
        },
    )


def order_to_move(told: StandardSettled | MeteredUsageAccepted, using: str) -> Order:
    """Return the open order that a payment fits; raises NeedsReview for one that fits none."""
    attempts = CheckoutAttempt.objects.using(using).filter(challenge_hash=told.challenge_hash)
    mine = Q(challenge_hash=told.challenge_hash) | Q(order_id__in=attempts.values("order_id"))
    order = Order.objects.using(using).select_for_update().filter(mine).first()
    if order is None:
        raise NeedsReview("no order has this challenge")
    if (order.amount_minor, order.currency) != (told.amount_minor, told.currency):
        raise NeedsReview("the amount isn't the order's")
    if order.status != "open":
        raise NeedsReview(f"the order is {order.status} already")
    return order
