"""What the shop does with each kind of webhook, in the transaction that marks it as done."""

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

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
from settlekit.webhooks.fastapi import mount
from settlekit.webhooks.sqlalchemy import AsyncSqlAlchemyInbox

on: Handlers[AsyncSession] = Handlers()


def add_to(shop: FastAPI, account: Account, sessions: "async_sessionmaker[AsyncSession]") -> None:
    """Receive webhooks; those of another merchant are kept for review."""
    inbox = AsyncSqlAlchemyInbox(
        sessions, table=WEBHOOK_EVENTS, lease_seconds=account.lease_seconds
    )
    mount(
        shop,
        WEBHOOK_PATH,
        on,
        secrets=account.webhook_secret,
        inbox=inbox,
        merchant=account.merchant,
    )


@on.standard_settled
async def paid(told: StandardSettled, session: AsyncSession) -> None:
    """The money is there: the order is paid."""
    order = await order_to_move(told, session)
    order.status = "paid"
    order.chain_receipt_id = told.chain_receipt_id


@on.metered_usage_accepted
async def accepted(told: MeteredUsageAccepted, session: AsyncSession) -> None:
    """The money is owed and comes with a batch: deliver, and book nothing."""
    order = await order_to_move(told, session)
    order.status = "accepted"
    order.metered_usage_id = told.event.data.get("metered_usage_id")


@on.metered_batch_settled
async def batch_settled(told: MeteredBatchSettled, session: AsyncSession) -> None:
    """A batch settled; its id is noted once, and its money is read in the statements."""
    await session.merge(
        SettledBatch(
            settlement_batch_id=told.settlement_batch_id,
            chain_receipt_id=told.chain_receipt_id,
            usage_event_digest=told.usage_event_digest,
        )
    )


async def order_to_move(
    told: StandardSettled | MeteredUsageAccepted, session: AsyncSession
) -> Order:
    """Return the open order that a payment fits; raises NeedsReview for one that fits none."""
    order = await session.scalar(order_of_challenge(told.challenge_hash))
    if order is None:
        raise NeedsReview("no order has this challenge")
    if (order.amount_minor, order.currency) != (told.amount_minor, told.currency):
        raise NeedsReview("the amount isn't the order's")
    if order.status != "open":
        raise NeedsReview(f"the order is {order.status} already")
    return order
