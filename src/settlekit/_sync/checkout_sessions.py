# Made from settlekit/_async by scripts/unasync.py: edit that, then run it again.
"""Checkout sessions: a person approves a payment on the hosted page."""

from collections.abc import Mapping
from typing import Any

from settlekit._calls import checkout_sessions as calls
from settlekit._sync.core import Core
from settlekit.models import CheckoutSession


class CheckoutSessions:
    """Open checkouts, look at them, wait for their end."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(
        self,
        *,
        merchant: str,
        amount_minor: int,
        currency: str,
        success_url: str,
        cancel_url: str,
        nonce: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> CheckoutSession:
        """Open a checkout over ``amount_minor`` minor units; send the buyer to its address.

        The same nonce with the same input answers the same session, so the call is safe to
        repeat; without one a random nonce is drawn. Raises CheckoutNotReady while the
        merchant lacks something, IdempotencyConflict for a nonce used with other input.
        """
        return self._core.run(
            calls.create(
                merchant=merchant,
                amount_minor=amount_minor,
                currency=currency,
                success_url=success_url,
                cancel_url=cancel_url,
                nonce=nonce,
                metadata=metadata,
            )
        )

    def get(self, session_id: str) -> CheckoutSession:
        """Look at a checkout."""
        return self._core.run(calls.fetch(session_id))

    def wait(
        self, session_id: str, *, timeout_seconds: float = 1800.0, poll_seconds: float = 2.0
    ) -> CheckoutSession:
        """Wait until a checkout is paid, cancelled, expired or failed.

        Time is this machine's: on a server whose clock stands still the wait is bounded
        too. Raises WaitTimeout, with the session as seen last, when the time is up.
        """
        return self._core.follow(
            calls.wait(
                session_id,
                timeout_seconds=timeout_seconds,
                poll_seconds=poll_seconds,
                monotonic=self._core.chance.monotonic,
            )
        )
