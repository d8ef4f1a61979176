"""A shop: people buy on its page through hosted checkout, agents buy single uses of its API.

Four rules it keeps, and yours should:

- Nothing is delivered because a browser came back. The success page only looks.
- Orders move by signed webhooks alone, each of which takes effect once.
- A button pressed twice opens one checkout.
- Revenue is read in the statements, never added up from webhooks.
"""

import uuid
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from flask import Flask, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.exceptions import HTTPException

from examples.flask_shop import api, webhooks
from examples.flask_shop.orders import place
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
from settlekit import Client, InvalidArgument, SettlekitError
from settlekit.checkout_attempts.sqlalchemy import SqlAlchemyCheckoutAttempts

TEMPLATES = Path(__file__).parents[1] / "shop_parts" / "templates"


def create_app(
    client: Client, account: Account, engine: sa.Engine, catalogue: Sequence[Product] = CATALOGUE
) -> Flask:
    """Make the shop; ``client`` has the merchant's token."""
    shop = Flask(__name__, template_folder=TEMPLATES)
    products = {product.product_id: product for product in catalogue}
    sessions = sessionmaker(engine)
    _add_pages(shop, sessions, products)
    _add_checkout(shop, client, account, sessions, products)
    _add_statement(shop, client)
    api.add_to(shop, account, sessions, products)
    webhooks.add_to(shop, account, sessions)
    return shop


def _add_pages(
    shop: Flask, sessions: "sessionmaker[Session]", products: dict[str, Product]
) -> None:
    @shop.get("/")
    def catalogue() -> str:
        return render_template("catalogue.html", products=products.values())

    @shop.get("/products/<product_id>")
    def product(product_id: str) -> str:
        # The order has its number before it is sent, so sending it twice is one order.
        found = products.get(product_id) or abort(404)
        return render_template("product.html", product=found, order_id=str(uuid.uuid4()))

    @shop.get("/success")
    def success() -> str:
        with sessions() as session:
            order = session.scalar(order_of_session(request.args.get("session_id", "")))
        return _order_page(order or abort(404))

    @shop.get("/cancel")
    def cancel() -> str:
        with sessions() as session:
            order = session.get(Order, request.args.get("order_id", ""))
        return _order_page(order or abort(404), cancelled=True)

    def _order_page(order: Order, *, cancelled: bool = False) -> str:
        product = products.get(order.product_id) or abort(404)
        return render_template("order.html", order=order, product=product, cancelled=cancelled)

    @shop.errorhandler(HTTPException)
    def problem(error: HTTPException) -> ResponseReturnValue:
        title, text = NOT_FOUND if error.code == 404 else (error.name, error.description)
        return render_template("problem.html", title=title, text=text), error.code or 500


def _add_checkout(
    shop: Flask,
    client: Client,
    account: Account,
    sessions: "sessionmaker[Session]",
    products: dict[str, Product],
) -> None:
    attempts = SqlAlchemyCheckoutAttempts(client, sessions, table=ATTEMPTS)

    @shop.post("/checkout")
    def checkout() -> ResponseReturnValue:
        product = products.get(request.form.get("product_id", "")) or abort(404)
        order_id = request.form.get("order_id", "").strip()
        if not 0 < len(order_id) <= LONGEST_ORDER_ID:
            abort(400, NO_ORDER_NUMBER[1])
        try:
            place(sessions, order_id, product)
            attempt = attempts.start(
                order_id,
                merchant=account.merchant,
                amount_minor=product.amount_minor,
                currency=product.currency,
                success_url=account.origin + url_for("success"),
                cancel_url=account.origin + url_for("cancel", order_id=order_id),
            )
        except OrderTaken:
            abort(409, ORDER_TAKEN[1])
        except InvalidArgument as error:
            abort(400, str(error))
        except SettlekitError:
            shop.logger.exception("no checkout for order %s", order_id)
            return render_template("problem.html", title=NO_CHECKOUT[0], text=NO_CHECKOUT[1]), 503
        return redirect(attempt.checkout_url or abort(503), code=303)


def _add_statement(shop: Flask, client: Client) -> None:
    @shop.get("/revenue")
    def revenue() -> str:
        # A real shop keeps this page behind its login.
        statement = statement_of(client.provider_statements.summary())
        return render_template("statement.html", statement=statement)
