"""The metered feature: agents buy single uses, and pay small amounts that settle later."""

import uuid

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from examples.fastapi_shop.orders import place
from examples.shop_parts.account import Account
from examples.shop_parts.catalogue import OrderTaken, Product
from examples.shop_parts.metered import challenge_of_use, payment_required, use_of
from settlekit import InvalidArgument
from settlekit.challenge import challenge_hash


def add_to(
    shop: FastAPI,
    account: Account,
    sessions: "async_sessionmaker[AsyncSession]",
    products: dict[str, Product],
) -> None:
    """Sell uses of the products at ``/api/products/…``."""

    @shop.get("/api/products/{product_id}", responses={402: {}, 400: {}, 404: {}})
    async def use(product_id: str, order_id: str | None = None) -> Response:
        """Sell one use to an agent: 402 with a challenge to pay, and the goods once it is paid."""
        product = products.get(product_id)
        if product is None or account.challenge_secret is None:
            return JSONResponse({"error": "no such product"}, 404)
        number = order_id or str(uuid.uuid4())
        try:
            challenge = challenge_of_use(account, product, number)
            order = await place(sessions, number, product, challenge_hash(challenge))
        except (OrderTaken, InvalidArgument):
            return JSONResponse({"error": "this order_id can't be used"}, 400)
        if order.may_be_delivered:
            return JSONResponse(use_of(product, number))
        return JSONResponse(payment_required(account, product, number, challenge), 402)
