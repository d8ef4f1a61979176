"""The shop's orders."""

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from examples.shop_parts.catalogue import OrderTaken, Product
from examples.shop_parts.tables import Order


async def place(
    sessions: "async_sessionmaker[AsyncSession]",
    order_id: str,
    product: Product,
    challenge_hash: str | None = None,
) -> Order:
    """Place an order, or return it where it was sent twice; raises OrderTaken for another's."""
    async with sessions.begin() as session:
        order = await session.get(Order, order_id)
        if order is None:
            order = Order(
                order_id=order_id,
                product_id=product.product_id,
                amount_minor=product.amount_minor,
                currency=product.currency,
                challenge_hash=challenge_hash,
                status="open",
            )
            session.add(order)
        if (order.product_id, order.challenge_hash) != (product.product_id, challenge_hash):
            raise OrderTaken(order_id)
        return order
