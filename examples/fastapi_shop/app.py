"""The shop in FastAPI, on an asynchronous client, inbox and database.

The rules are those of the Flask shop: the success page only looks, orders move by webhooks
alone, a button pressed twice opens one checkout, and revenue is read in the statements.
"""

import logging
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlencode

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from starlette.exceptions import HTTPException as StarletteHTTPException

from examples.fastapi_shop import api, webhooks
from examples.fastapi_shop.orders import place
from examples.shop_parts.account import Account
from examples.shop_parts.catalogue import (
    CATALOGUE,
    LONGEST_ORDER_ID,
    NO_CHECKOUT,
    NO_ORDER_NUMBER,
    NOT_FOUND,
    ORDER_TAKEN,
    OrderTaken,
    Product,
)
from examples.shop_parts.statement import statement_of
from examples.shop_parts.tables import ATTEMPTS, Order, order_of_session
from settlekit import AsyncClient, InvalidArgument, SettlekitError
from settlekit.checkout_attempts.sqlalchemy import AsyncSqlAlchemyCheckoutAttempts

LOG = logging.getLogger(__name__)
PAGES = Jinja2Templates(Path(__file__).parents[1] / "shop_parts" / "templates")


def create_app(
    client: AsyncClient,
    account: Account,
    engine: AsyncEngine,
    catalogue: Sequence[Product] = CATALOGUE,
) -> FastAPI:
    """Make the shop; ``client`` has the merchant's token."""
    shop = FastAPI(title="Paper and Sound")
    products = {product.product_id: product for product in catalogue}
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    _add_pages(shop, sessions, products)
    _add_checkout(shop, client, account, sessions, products)
    _add_statement(shop, client)
    api.add_to(shop, account, sessions, products)
    webhooks.add_to(shop, account, sessions)
    return shop


def _add_pages(
    shop: FastAPI, sessions: "async_sessionmaker[AsyncSession]", products: dict[str, Product]
) -> None:
    @shop.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def catalogue(request: Request) -> Response:
        return PAGES.TemplateResponse(request, "catalogue.html", {"products": products.values()})

    @shop.get("/products/{product_id}", response_class=HTMLResponse, include_in_schema=False)
    async def product(request: Request, product_id: str) -> Response:
        # The order has its number before it is sent, so sending it twice is one order.
        found = _found(products.get(product_id))
        shown = {"product": found, "order_id": str(uuid.uuid4())}
        return PAGES.TemplateResponse(request, "product.html", shown)

    @shop.get("/success", response_class=HTMLResponse, include_in_schema=False)
    async def success(request: Request, session_id: str = "") -> Response:
        async with sessions() as session:
            order = await session.scalar(order_of_session(session_id))
        return _order_page(request, order)

    @shop.get("/cancel", response_class=HTMLResponse, include_in_schema=False)
    async def cancel(request: Request, order_id: str = "") -> Response:
        async with sessions() as session:
            order = await session.get(Order, order_id)
        return _order_page(request, order, cancelled=True)

    def _order_page(request: Request, order: Order | None, *, cancelled: bool = False) -> Response:
        product = _found(products.get(order.product_id if order else ""))
        shown = {"order": order, "product": product, "cancelled": cancelled}
        return PAGES.TemplateResponse(request, "order.html", shown)

    @shop.exception_handler(StarletteHTTPException)
    async def problem(request: Request, error: StarletteHTTPException) -> Response:
        title, text = NOT_FOUND if error.status_code == 404 else ("Sorry", error.detail)
        return _problem_page(request, error.status_code, title, text)


def _found(product: Product | None) -> Product:
    if product is None:
        raise HTTPException(404)
    return product


def _problem_page(request: Request, status: int, title: str, text: str) -> Response:
    shown = {"title": title, "text": text}
    return PAGES.TemplateResponse(request, "problem.html", shown, status_code=status)


async def posted(request: Request) -> dict[str, str]:
    """Read a form of the shop's own, without another package."""
    body = (await request.body()).decode("utf-8", "replace")
    return {name: values[0] for name, values in parse_qs(body).items()}


Posted = Annotated[dict[str, str], Depends(posted)]


def _add_checkout(
    shop: FastAPI,
    client: AsyncClient,
    account: Account,
    sessions: "async_sessionmaker[AsyncSession]",
    products: dict[str, Product],
) -> None:
    attempts = AsyncSqlAlchemyCheckoutAttempts(client, sessions, table=ATTEMPTS)

    @shop.post("/checkout", include_in_schema=False)
    async def checkout(request: Request, form: Posted) -> Response:
        product = _found(products.get(form.get("product_id", "")))
        order_id = form.get("order_id", "").strip()
        if not 0 < len(order_id) <= LONGEST_ORDER_ID:
            return _problem_page(request, 400, *NO_ORDER_NUMBER)
        try:
            await place(sessions, order_id, product)
            attempt = await attempts.start(
                order_id,
                merchant=account.merchant,
                amount_minor=product.amount_minor,
                currency=product.currency,
                success_url=f"{account.origin}/success",
                cancel_url=f"{account.origin}/cancel?{urlencode({'order_id': order_id})}",
            )
        except OrderTaken:
            return _problem_page(request, 409, *ORDER_TAKEN)
        except InvalidArgument as error:
            return _problem_page(request, 400, "Bad request", str(error))
        except SettlekitError:
            LOG.exception("no checkout for order %s", order_id)
            return _problem_page(request, 503, *NO_CHECKOUT)
        return RedirectResponse(str(attempt.checkout_url), status_code=303)


def _add_statement(shop: FastAPI, client: AsyncClient) -> None:
    @shop.get("/revenue", response_class=HTMLResponse, include_in_schema=False)
    async def revenue(request: Request) -> Response:
        # A real shop keeps this page behind its login.
        statement = statement_of(await client.provider_statements.summary())
        return PAGES.TemplateResponse(request, "statement.html", {"statement": statement})
