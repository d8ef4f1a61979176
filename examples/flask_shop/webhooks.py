"""What the shop does with each kind of webhook, in the transaction that marks it as done."""

from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from examples.shop_parts.account import WEBHOOK_PATH, Account
from examples.shop_parts.tables import (
    WEBHOOK_EVENTS,
    Order,
    SettledBatch,
    order_of_challenge,
)
from settlekit.webhooks import (
    Handlers,
    MeteredBatchSettled,
    MeteredUsageAccepted,
    NeedsReview,
    StandardSettled,
)
from settlekit.webhooks.flask import mount
from settlekit.webhooks.sqlalchemy import SqlAlchemyInbox

on: Handlers[Session] = Handlers()


def add_to(shop: Flask, account: Account, sessions: "sessionmaker[Session]") -> None:
    """Receive webhooks; those of another merchant are kept for review."""
    inbox = SqlAlchemyInbox(sessions, table=WEBHOOK_EVENTS, lease_seconds=account.lease_seconds)
    mount(
        shop,
        WEBHOOK_PATH,
        on,
        secrets=account.webhook_secret,
        inbox=inbox,
        merchant=account.merchant,
    )


@on.standard_settled
def paid(told: StandardSettled, session: Session) -> None:
    """The money is there: the order is paid."""
    order = order_to_move(told, session)
    order.status = "paid"
    order.chain_receipt_id = told.chain_receipt_id


@on.metered_usage_accepted
def accepted(told: MeteredUsageAccepted, session: Session) -> None:
    """The money is owed and comes with a batch: deliver, and book nothing."""
    order = order_to_move(told, session)
    order.status = "accepted"
    order.metered_usage_id = told.event.data.get("metered_usage_id")


@on.metered_batch_settled
def batch_settled(told: MeteredBatchSettled, session: Session) -> None:
    """A batch settled; its id is noted once, and its money is read in the statements."""
    session.merge(
        SettledBatch(
            settlement_batch_id=told.settlement_batch_id,
            chain_receipt_id=told.chain_receipt_id,
            usage_event_digest=told.usage_event_digest,
        )
    )


def order_to_move(told: StandardSettled | MeteredUsageAccepted, session: Session) -> Order:
    """Return the open order that a payment fits; raises NeedsReview for one that fits none."""
    order = session.scalar(order_of_challenge(told.challenge_hash))
    if order is None:
        raise NeedsReview("no order has this challenge")
    if (order.amount_minor, order.currency) != (told.amount_minor, told.currency):
        raise NeedsReview("the amount isn't the order's")
    if order.status != "open":
        raise NeedsReview(f"the order is {order.status} already")
    return order
