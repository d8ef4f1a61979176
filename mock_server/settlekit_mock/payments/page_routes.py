"""The hosted page: sign in, approve or cancel, and go back to the shop.

The page is for a person in a browser, so whatever goes wrong is a page too.
"""

from typing import Annotated, Final

from msgspec import Meta
from sqlalchemy import Connection, select

from settlekit.money import Band
from settlekit_mock.http.roles import Role, same
from settlekit_mock.http.routes import Page, Request, Route
from settlekit_mock.http.wire import Body
from settlekit_mock.kernel.clock import load_state
from settlekit_mock.kernel.problems import NotFound, Problem
from settlekit_mock.kernel.times import to_moment
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import World
from settlekit_mock.payments import checkout, page
from settlekit_mock.payments.rules.checkout import SessionStatus, status_at, with_session
from settlekit_mock.payments.tables import CheckoutSession, merchant_numbered
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.settlement.funds import open_purse
from settlekit_mock.settlement.rules.amounts import UNITS_PER_MINOR
from settlekit_mock.settlement.tables import BUYERS
from settlekit_mock.webhooks.rules import read_url

MOST_BUYERS: Final = 500
"""The page offers no more buyers than these to choose from."""

FormText = Annotated[str, Meta(max_length=255)]


class CheckoutPageQuery(Body, frozen=True, kw_only=True):
    """``switch`` asks who pays again."""

    switch: FormText | None = None


class PageForm(Body, frozen=True, kw_only=True):
    """What a form of the page sends."""

    form_token: FormText = ""
    action: FormText = ""
    buyer: FormText | None = None


def _show(request: Request) -> Page:
    query: CheckoutPageQuery = request.query
    return _page(request.world, request.path["session_id"], switch=query.switch is not None)


def _page(
    world: World, session_id: str, *, switch: bool = False, problem: Problem | None = None
) -> Page:
    with world.snapshot() as connection:
        now = load_state(connection).now
        try:
            session = checkout.known_session(connection, session_id)
        except NotFound:
            return Page(page.unknown_page(), status=404)
        view = _view(connection, session)
        status = status_at(session.status, session.expires_at, now)
        told = None if problem is None else _told(problem)
        code = 200 if problem is None else problem.status
        if status is SessionStatus.OPEN or (status is SessionStatus.AUTHENTICATED and switch):
            return Page(page.sign_in_page(view, _buyers(connection), told), status=code)
        if status is SessionStatus.AUTHENTICATED and session.buyer_id is not None:
            wallet = _wallet(connection, session, session.buyer_id)
            return Page(page.review_page(view, wallet, told), status=code)
    return _over(view, session, status)


_OVER: Final = {
    SessionStatus.PAID: ("Payment approved", "The shop has been told. You can go back to it now."),
    SessionStatus.EXPIRED: (
        "This checkout has expired",
        "Nothing was paid. Go back to the shop to start again.",
    ),
    SessionStatus.CANCELLED: ("Payment cancelled", "Nothing was paid."),
    SessionStatus.FAILED: (
        "The payment failed",
        "Nothing was paid. Go back to the shop to try again.",
    ),
}


def _over(view: page.View, session: CheckoutSession, status: SessionStatus) -> Page:
    title, told = _OVER[status]
    paid = status is SessionStatus.PAID
    back = with_session(session.success_url, session.session_id) if paid else session.cancel_url
    ended = view._replace(expires_at="")
    html = page.over_page(ended, title, told, good=paid, back=back)
    return Page(html, status=410 if status is SessionStatus.EXPIRED else 200)


def _act(request: Request) -> Page:
    form: PageForm = request.body
    session_id = request.path["session_id"]
    world = request.world
    try:
        _check_token(world, session_id, form.form_token)
    except NotFound:
        return Page(page.unknown_page(), status=404)
    except Problem as problem:
        return Page(page.refused_page(problem.message), status=problem.status)
    try:
        return _do(world, session_id, form)
    except Problem as problem:
        return _page(world, session_id, problem=problem)


def _check_token(world: World, session_id: str, token: str) -> None:
    with world.snapshot() as connection:
        session = checkout.known_session(connection, session_id)
    if not same(token, session.form_token):
        raise Problem(
            "It doesn’t belong to this checkout. Open the checkout again from the shop.",
            status=403,
            code="FORBIDDEN",
        )


def _do(world: World, session_id: str, form: PageForm) -> Page:
    with world.transaction() as tx:
        if form.action == "approve":
            session = checkout.known_session(tx.connection, session_id)
            if session.status is SessionStatus.OPEN:
                return Page(location=f"/pay/{session_id}")  # nobody is signed in yet
            session = checkout.approve(tx, session_id)
            return Page(location=with_session(session.success_url, session_id))
        if form.action == "cancel":
            return Page(location=_cancelled(tx, session_id).cancel_url)
        if form.action == "sign_in" and form.buyer:
            checkout.authenticate(tx, session_id, form.buyer)
    return Page(location=f"/pay/{session_id}")


def _cancelled(tx: Transaction, session_id: str) -> CheckoutSession:
    """Cancel a session; a form that is sent twice is answered as the first time."""
    session = checkout.known_session(tx.connection, session_id)
    if session.status is SessionStatus.CANCELLED:
        return session
    return checkout.cancel(tx, session_id)


_PROBLEMS: Final = {
    "BUDGET_EXCEEDED": "This doesn’t fit the budget: {message}. Nothing was paid.",
    "METERED_SETTLEMENT_PAST_DUE": "This shop can’t take more from this buyer now: {message}. "
    "Nothing was paid.",
    "BUYER_NOT_FOUND": "There is no such buyer. Choose one of the list.",
}


def _told(problem: Problem) -> str:
    template = _PROBLEMS.get(problem.code, "{message}.")
    return template.replace("{message}", problem.message.replace("'", "’"))


def _view(connection: Connection, session: CheckoutSession) -> page.View:
    merchant = merchant_numbered(connection, session.merchant_number)
    return page.View(
        session_id=session.session_id,
        shop=merchant.display_name,
        shop_host=read_url(session.success_url, "success_url").host,
        amount_minor=session.amount_minor,
        currency=session.currency,
        band=Band(session.pricing_band),
        form_token=session.form_token,
        expires_at=f"{to_moment(session.expires_at):%H:%M} UTC",
    )


def _buyers(connection: Connection) -> list[str]:
    return list(connection.execute(_BUYERS).scalars())


def _wallet(connection: Connection, session: CheckoutSession, buyer_id: str) -> page.Wallet:
    purse = open_purse(connection, buyer_with_id(connection, buyer_id), session.currency)
    available = min(purse.balance, purse.allowance) - purse.reserved
    whole = max(available, 0) // UNITS_PER_MINOR[session.currency]
    return page.Wallet(buyer_id, whole)


_BUYERS = select(BUYERS.c.buyer_id).order_by(BUYERS.c.buyer_number).limit(MOST_BUYERS)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/pay/<session_id>",
        Role.ANYONE,
        _show,
        "text/html",
        "Show the page on which a buyer pays",
        query=CheckoutPageQuery,
        errors=((410, "EXPIRED"),),
        tag="page",
    ),
    Route(
        "POST",
        "/pay/<session_id>",
        Role.ANYONE,
        _act,
        "text/html",
        "Sign in, approve or cancel on the page",
        body=PageForm,
        form=True,
        status=303,
        errors=((402, "BUDGET_EXCEEDED"), (403, "FORBIDDEN"), (409, "CHECKOUT_SESSION_NOT_OPEN")),
        tag="page",
    ),
)
