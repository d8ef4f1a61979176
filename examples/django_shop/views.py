"""The pages, the checkout, the uses that agents buy, and the revenue.

The rules are those of the Flask shop: the success page only looks, orders move by webhooks
alone, a button pressed twice opens one checkout, and revenue is read in the statements.
"""

import logging
import uuid
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from examples.django_shop import payments
from examples.django_shop.models import Order
from examples.shop_parts.catalogue import (
    LONGEST_ORDER_ID,
    NO_CHECKOUT,
    NO_ORDER_NUMBER,
    NOT_FOUND,
    ORDER_TAKEN,
    PRODUCTS,
    OrderTaken,
    Product,
)
from examples.shop_parts.metered import challenge_of_use, payment_required, use_of
from examples.shop_parts.statement import statement_of
from settlekit import InvalidArgument, SettlekitError
from settlekit.challenge import challenge_hash
from settlekit.checkout_attempts.django.models import CheckoutAttempt
from settlekit.checkout_attempts.django.store import Attempt, DjangoCheckoutAttempts

LOG = logging.getLogger(__name__)


@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    return render(request, "catalogue.html", {"products": PRODUCTS.values()})


@require_GET
def product(request: HttpRequest, product_id: str) -> HttpResponse:
    # The order has its number before it is sent, so sending it twice is one order.
    shown = {"product": _product(product_id), "order_id": str(uuid.uuid4())}
    return render(request, "product.html", shown)


@require_GET
def success(request: HttpRequest) -> HttpResponse:
    session_id = request.GET.get("session_id", "")
    attempt = get_object_or_404(CheckoutAttempt, session_id=session_id)
    return _order_page(request, attempt.order_id)


@require_GET
def cancel(request: HttpRequest) -> HttpResponse:
    return _order_page(request, request.GET.get("order_id", ""), cancelled=True)


def _order_page(request: HttpRequest, order_id: str, *, cancelled: bool = False) -> HttpResponse:
    order = get_object_or_404(Order, pk=order_id)
    shown = {"order": order, "product": _product(order.product_id), "cancelled": cancelled}
    return render(request, "order.html", shown)


@require_POST
def checkout(request: HttpRequest) -> HttpResponse:
    wanted = _product(request.POST.get("product_id", ""))
    order_id = request.POST.get("order_id", "").strip()
    if not 0 < len(order_id) <= LONGEST_ORDER_ID:
        return _problem_page(request, 400, *NO_ORDER_NUMBER)
    try:
        _place(order_id, wanted)
        attempt = _start_checkout(order_id, wanted)
    except OrderTaken:
        return _problem_page(request, 409, *ORDER_TAKEN)
    except InvalidArgument as error:
        return _problem_page(request, 400, "Bad request", str(error))
    except SettlekitError:
        LOG.exception("no checkout for order %s", order_id)
        return _problem_page(request, 503, *NO_CHECKOUT)
    response = redirect(str(attempt.checkout_url))
    response.status_code = 303
    return response


def _start_checkout(order_id: str, wanted: Product) -> Attempt:
    account = payments.account()
    return DjangoCheckoutAttempts(payments.client()).start(
        order_id,
        merchant=account.merchant,
        amount_minor=wanted.amount_minor,
        currency=wanted.currency,
        success_url=f"{account.origin}/success",
        cancel_url=f"{account.origin}/cancel?{urlencode({'order_id': order_id})}",
    )


@require_GET
def use(request: HttpRequest, product_id: str) -> HttpResponse:
    """Sell one use to an agent: 402 with a challenge to pay, and the goods once it is paid."""
    account = payments.account()
    wanted = PRODUCTS.get(product_id)
    if wanted is None or account.challenge_secret is None:
        return JsonResponse({"error": "no such product"}, status=404)
    order_id = request.GET.get("order_id") or str(uuid.uuid4())
    try:
        challenge = challenge_of_use(account, wanted, order_id)
        order = _place(order_id, wanted, challenge_hash(challenge))
    except (OrderTaken, InvalidArgument):
        return JsonResponse({"error": "this order_id can't be used"}, status=400)
    if order.may_be_delivered:
        return JsonResponse(use_of(wanted, order_id))
    return JsonResponse(payment_required(account, wanted, order_id, challenge), status=402)


@require_GET
def revenue(request: HttpRequest) -> HttpResponse:
    # A real shop keeps this page behind its login.
    statement = statement_of(payments.client().provider_statements.summary())
    return render(request, "statement.html", {"statement": statement})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return _problem_page(request, 404, *NOT_FOUND)


def _problem_page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    return render(request, "problem.html", {"title": title, "text": text}, status=status)


def _product(product_id: str) -> Product:
    if product_id not in PRODUCTS:
        raise Http404
    return PRODUCTS[product_id]


def _place(order_id: str, wanted: Product, challenge: str | None = None) -> Order:
    """Place an order, or return it where it was sent twice; raises OrderTaken for another's."""
    terms = {"amount_minor": wanted.amount_minor, "currency": wanted.currency}
    ordered = {"product_id": wanted.product_id, "challenge_hash": challenge, **terms}
    order, _ = Order.objects.get_or_create(order_id=order_id, defaults=ordered)
    if (order.product_id, order.challenge_hash) != (wanted.product_id, challenge):
        raise OrderTaken(order_id)
    return order
