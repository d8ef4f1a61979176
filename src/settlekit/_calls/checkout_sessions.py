"""Checkout sessions: open one, look at it, wait for its end."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from settlekit import _codec
from settlekit._calls import arguments, terms
from settlekit._calls.call import Call, Steps, Wait, get, post
from settlekit.challenge import normalize_currency, normalize_nonce
from settlekit.errors import WaitTimeout
from settlekit.models import CheckoutSession
from settlekit.money import check_amount_minor

PATH = "/sdrp/direct-payments/checkout-sessions"


def create(
    *,
    merchant: str,
    amount_minor: int,
    currency: str,
    success_url: str,
    cancel_url: str,
    nonce: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[CheckoutSession]:
    """Open a checkout; its nonce makes the call safe to repeat."""
    call = post(
        PATH,
        _codec.one(CheckoutSession),
        merchant=terms.merchant_key(merchant),
        amount_minor=check_amount_minor(amount_minor),
        currency=normalize_currency(currency),
        nonce=normalize_nonce(str(uuid.uuid4()) if nonce is None else nonce),
        success_url=arguments.web_url(success_url, "success_url"),
        cancel_url=arguments.web_url(cancel_url, "cancel_url"),
        metadata=arguments.metadata(metadata),
    )
    return attrs.evolve(call, repeatable=True, hosted_checkout=True)


def fetch(session_id: str) -> Call[CheckoutSession]:
    """Look at a checkout."""
    path = f"{PATH}/{arguments.path_segment(session_id, 'session_id')}"
    return attrs.evolve(get(path, _codec.one(CheckoutSession)), hosted_checkout=True)


def wait(
    session_id: str,
    *,
    timeout_seconds: float,
    poll_seconds: float,
    monotonic: Callable[[], float],
) -> Steps[CheckoutSession]:
    """Look at a checkout until it is final, or raise WaitTimeout with what was seen last."""
    call = fetch(session_id)
    patience = arguments.seconds(timeout_seconds, "timeout_seconds")
    pause = arguments.seconds(poll_seconds, "poll_seconds")
    deadline = monotonic() + patience
    while True:
        session: CheckoutSession = yield call
        if session.status.final:
            return session
        left = deadline - monotonic()
        if left <= 0:
            problem = f"checkout session {session_id} is {session.status} after {patience:g} s"
            raise WaitTimeout(problem, session)
        yield Wait(min(pause, left))
