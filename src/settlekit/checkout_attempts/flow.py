"""How a checkout is started, without I/O: the stores and clients are driven from outside."""

import contextlib
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from settlekit._pumps import Flow
from settlekit.errors import InvalidArgument, WaitTimeout
from settlekit.models import CheckoutSession, CheckoutStatus

LEASE_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.02
OPEN: Final = "open"
OVER: Final = "over"


@attrs.frozen(kw_only=True)
class Attempt:
    """One try to have an order paid; ``status`` is its session's when it was last looked at."""

    order_id: str
    number: int
    nonce: str
    merchant: str
    amount_minor: int
    currency: str
    state: str = OPEN
    session_id: str | None = None
    checkout_url: str | None = None
    challenge_hash: str | None = None
    status: CheckoutStatus | None = None


@attrs.frozen(kw_only=True)
class Terms:
    """What an order is to be paid with."""

    merchant: str
    amount_minor: int
    currency: str
    success_url: str
    cancel_url: str
    metadata: Mapping[str, Any] | None


def starting(
    store: Any, client: Any, order_id: str, terms: Terms, pause: Callable[[float], Any]
) -> Flow[Attempt]:
    """Return the order's open attempt, having begun one where there is none."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        attempt: Attempt | None = yield lambda: store.latest(order_id)
        if attempt is None or attempt.state == OVER:
            # Whoever loses the race to begin finds the winner's attempt in the next turn.
            yield _beginning(store, order_id, attempt, terms)
            continue
        _check_terms(attempt, terms)
        if attempt.session_id is not None:
            found = yield from _reusing(store, client, attempt)
        else:
            found = yield from _opening(store, client, attempt, terms)
        if found is not None:
            return found
        if time.monotonic() > give_up_at:
            raise WaitTimeout(f"another call still opens the checkout of order {order_id}", attempt)
        yield lambda: pause(POLL_SECONDS)


def _beginning(store: Any, order_id: str, last: Attempt | None, terms: Terms) -> Callable[[], Any]:
    attempt = Attempt(
        order_id=order_id,
        number=1 if last is None else last.number + 1,
        nonce=uuid.uuid4().hex,
        merchant=terms.merchant,
        amount_minor=terms.amount_minor,
        currency=terms.currency,
    )
    return lambda: store.begin(attempt)


def _reusing(store: Any, client: Any, attempt: Attempt) -> Flow[Attempt | None]:
    """Return the attempt while its session can be paid or is; end it otherwise."""
    session: CheckoutSession = yield lambda: client.checkout_sessions.get(attempt.session_id)
    if session.status.final and session.status is not CheckoutStatus.PAID:
        yield lambda: store.end(attempt)
        return None
    return attrs.evolve(attempt, status=session.status)


def _opening(store: Any, client: Any, attempt: Attempt, terms: Terms) -> Flow[Attempt | None]:
    """Open the attempt's session, unless another call is at it; its nonce makes that repeatable."""
    claim = uuid.uuid4().hex
    now = time.time()
    mine: bool = yield lambda: store.claim(attempt, claim, now, now + LEASE_SECONDS)
    if not mine:
        return None
    try:
        session: CheckoutSession = yield lambda: client.checkout_sessions.create(
            merchant=terms.merchant,
            amount_minor=terms.amount_minor,
            currency=terms.currency,
            nonce=attempt.nonce,
            success_url=terms.success_url,
            cancel_url=terms.cancel_url,
            metadata={"order_id": attempt.order_id, **(terms.metadata or {})},
        )
    except Exception:
        with contextlib.suppress(Exception):
            yield lambda: store.release(attempt, claim)
        raise
    opened = attrs.evolve(
        attempt,
        session_id=session.session_id,
        checkout_url=session.checkout_url,
        challenge_hash=session.challenge_hash,
        status=session.status,
    )
    kept: bool = yield lambda: store.opened(opened)
    # A repeated nonce may answer a session that is over by now: then it is looked at again.
    return opened if kept and not session.status.final else None


def _check_terms(attempt: Attempt, terms: Terms) -> None:
    for name in ("merchant", "amount_minor", "currency"):
        if getattr(attempt, name) != getattr(terms, name):
            raise InvalidArgument(name, f"differs from that of order {attempt.order_id}'s checkout")
