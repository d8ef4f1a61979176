"""Move a checkout session as its buyer would: sign in, cancel, fail."""

from collections.abc import Callable

from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import ShortText, StrictBody
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments import checkout
from settlekit_mock.payments.checkout_routes import SessionAnswer, session_answer
from settlekit_mock.payments.tables import CheckoutSession, merchant_numbered


class Move(StrictBody, frozen=True, kw_only=True):
    """Who moves the session; the one who signs in is the server's first buyer unless named."""

    buyer: ShortText | None = None


Moves = Callable[[Transaction, str, str | None], CheckoutSession]


def _moved(request: Request, move: Moves) -> SessionAnswer:
    with request.world.transaction() as tx:
        session = move(tx, request.path["session_id"], request.body.buyer)
        merchant = merchant_numbered(tx.connection, session.merchant_number)
        return session_answer(request, session, merchant, tx.now)


def authenticate(request: Request) -> SessionAnswer:
    """Sign a buyer in."""
    return _moved(request, checkout.authenticate)


def cancel(request: Request) -> SessionAnswer:
    """End a session by its buyer's wish."""
    return _moved(request, checkout.cancel)


def fail(request: Request) -> SessionAnswer:
    """End a session as failed."""
    return _moved(request, checkout.fail)
