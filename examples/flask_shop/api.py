"""The metered feature: agents buy single uses, and pay small amounts that settle later."""

import uuid

from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session, sessionmaker

from examples.flask_shop.orders import place
from examples.shop_parts.account import Account
from examples.shop_parts.catalogue import OrderTaken, Product
from examples.shop_parts.metered import challenge_of_use, payment_required, use_of
from settlekit import InvalidArgument
from settlekit.challenge import challenge_hash


def add_to(
    shop: Flask,
    account: Account,
    sessions: "sessionmaker[Session]",
    products: dict[str, Product],
) -> None:
    """Sell uses of the products at ``/api/products/…``."""

    @shop.get("/api/products/<product_id>")
    def use(product_id: str) -> ResponseReturnValue:
        """Sell one use to an agent: 402 with a challenge to pay, and the goods once it is paid."""
        product = products.get(product_id)
        if product is None or account.challenge_secret is None:
            return {"error": "no such product"}, 404
        order_id = request.args.get("order_id") or str(uuid.uuid4())
        try:
            challenge = challenge_of_use(account, product, order_id)
            order = place(sessions, order_id, product, challenge_hash(challenge))
        except (OrderTaken, InvalidArgument):
            return {"error": "this order_id can't be used"}, 400
        if order.may_be_delivered:
            return use_of(product, order_id)
        return payment_required(account, product, order_id, challenge), 402
