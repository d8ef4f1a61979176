"""The shop's orders."""

from sqlalchemy.orm import Session, sessionmaker

from examples.shop_parts.catalogue import OrderTaken, Product
from examples.shop_parts.tables import Order


def place(
    sessions: "sessionmaker[Session]",
    order_id: str,
    product: Product,
    challenge_hash: str | None = None,
) -> Order:
    """Place an order, or return it where it was sent twice; raises OrderTaken for another's."""
    with sessions.begin() as session:
        session.expire_on_commit = False
        order = session.get(Order, order_id)
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
