"""A shop: people buy on its page through hosted checkout, agents buy single uses of its API.

Three rules it keeps, and yours should:

- Nothing is delivered because a browser came back. The success page only looks.
- Orders move by signed webhooks alone, verified over the raw body before anything is read.
- Each event takes effect once, however often it is delivered.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import Flask, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from examples.flask_shop.store import Order, OrderTaken, Product, Store
from settlekit import Client, IdempotencyConflict, InvalidArgument, SettlekitError, webhooks
from settlekit.challenge import challenge_hash, sign

CATALOGUE = (
    Product("piano-album", "Piano album, 12 pieces", 2400, "JPY"),
    Product("field-recordings", "Field recordings, one-off pack", 980, "JPY"),
    Product("drum-loops", "Drum loop pack", 900, "USD"),
    Product("page-scan", "Score, page scan", 80, "JPY"),
    Product("melody-look-up", "Melody look-up", 5, "JPY"),
)
NOT_FOUND = (
    "We don't have that",
    "There is no such page, product or order. The shop may have been started anew since.",
)


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """What the shop has from its merchant account; ``origin`` is where browsers reach it."""

    merchant: str
    origin: str
    webhook_secret: str = field(repr=False)
    challenge_secret: str | None = field(default=None, repr=False)


def create_app(
    client: Client,
    settings: ShopSettings,
    store: Store,
    catalogue: Sequence[Product] = CATALOGUE,
) -> Flask:
    """Make the shop; ``client`` has the merchant's token."""
    shop = Flask(__name__)
    products = {product.product_id: product for product in catalogue}
    _add_pages(shop, store, products)
    _add_checkout(shop, client, settings, store, products)
    _add_api(shop, settings, store, products)
    _add_webhooks(shop, settings, store)
    return shop


def _add_pages(shop: Flask, store: Store, products: dict[str, Product]) -> None:
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
        order = store.order_of_session(request.args.get("session_id", "")) or abort(404)
        return render_template("order.html", order=order, product=products[order.product_id])

    @shop.get("/cancel")
    def cancel() -> str:
        order = store.order(request.args.get("order_id", "")) or abort(404)
        return render_template(
            "order.html", order=order, product=products[order.product_id], cancelled=True
        )

    @shop.errorhandler(HTTPException)
    def problem(error: HTTPException) -> ResponseReturnValue:
        title, text = NOT_FOUND if error.code == 404 else (error.name, error.description)
        return render_template("problem.html", title=title, text=text), error.code or 500


def _add_checkout(
    shop: Flask,
    client: Client,
    settings: ShopSettings,
    store: Store,
    products: dict[str, Product],
) -> None:
    @shop.post("/checkout")
    def checkout() -> ResponseReturnValue:
        product = products.get(request.form.get("product_id", "")) or abort(404)
        order_id = request.form.get("order_id", "").strip()
        if not order_id or len(order_id) > 100:
            abort(400, "The form has no order number.")
        try:
            order = store.place(order_id, product)
            return redirect(_open_checkout(order), code=303)
        except (OrderTaken, IdempotencyConflict):
            abort(409, "This order number was used for something else. Start again.")
        except InvalidArgument as error:
            abort(400, str(error))
        except SettlekitError:
            shop.logger.exception("no checkout for order %s", order_id)
            abort(503, "Payments can't be taken right now. Nothing was charged.")

    def _open_checkout(order: Order) -> str:
        # The order's number is the nonce: asked again, the platform answers the same session.
        session = client.checkout_sessions.create(
            merchant=settings.merchant,
            amount_minor=order.amount_minor,
            currency=order.currency,
            nonce=order.order_id,
            success_url=settings.origin + url_for("success"),
            cancel_url=settings.origin + url_for("cancel", order_id=order.order_id),
            metadata={"order_id": order.order_id},
        )
        store.checkout_opened(order.order_id, session.session_id, session.challenge_hash)
        return session.checkout_url or abort(503)


def _add_api(
    shop: Flask, settings: ShopSettings, store: Store, products: dict[str, Product]
) -> None:
    @shop.get("/api/products/<product_id>")
    def use(product_id: str) -> ResponseReturnValue:
        """Sell one use to an agent: 402 with a challenge to pay, and the goods once it is paid."""
        product = products.get(product_id)
        if product is None or settings.challenge_secret is None:
            return {"error": "no such product"}, 404
        order_id = request.args.get("order_id") or str(uuid.uuid4())
        terms = {"amount_minor": product.amount_minor, "currency": product.currency}
        try:
            challenge = sign(
                secret=settings.challenge_secret,
                merchant=settings.merchant,
                nonce=order_id,
                amount_minor=product.amount_minor,
                currency=product.currency,
            )
            order = store.place(order_id, product, challenge_hash(challenge))
        except (OrderTaken, InvalidArgument):
            return {"error": "this order_id can't be used"}, 400
        if order.may_be_delivered:
            return {"order_id": order_id, "product": product.name, "content": "♪"}
        asked = {"mode": "external_402", "merchant": settings.merchant, **terms}
        return {"order_id": order_id, **asked, "challenge": challenge}, 402


def _add_webhooks(shop: Flask, settings: ShopSettings, store: Store) -> None:
    @shop.post("/webhooks/siglume")
    def receive() -> ResponseReturnValue:
        # The signature is over the bytes as they came: get_data, never get_json.
        header = request.headers.get(webhooks.SIGNATURE_HEADER)
        try:
            event = webhooks.verify(request.get_data(), header, settings.webhook_secret)
        except (webhooks.SignatureError, webhooks.PayloadError) as error:
            return {"error": str(error)}, 400
        if not event.readiness_probe:
            effect = store.take(webhooks.classify(event))
            shop.logger.info("event %s: %s", event.id, effect)
        return "", 204
