"""Checkout attempts in the database of a Django site."""
# pyright: basic, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false, reportAssignmentType=false

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction

from settlekit._pumps import run
from settlekit.checkout_attempts.flow import OPEN, OVER, Attempt, Terms, starting

if TYPE_CHECKING:
    from settlekit import Client

NOBODY: Final = datetime(1970, 1, 1, tzinfo=UTC)
KEPT: Final = (
    "order_id",
    "number",
    "nonce",
    "merchant",
    "amount_minor",
    "currency",
    "state",
    "session_id",
    "checkout_url",
    "challenge_hash",
)


class DjangoCheckoutAttempts:
    """Starts checkouts; ``using`` is the database that holds the attempts.

    Call it outside a transaction: other calls must see an attempt before its session is opened.
    """

    def __init__(self, client: "Client", *, using: str = "default") -> None:
        self._client = client
        self._store = _Store(using)

    def start(
        self,
        order_id: str,
        *,
        merchant: str,
        amount_minor: int,
        currency: str,
        success_url: str,
        cancel_url: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> Attempt:
        """Return the order's open attempt, whose ``checkout_url`` is where to send its buyer.

        Safe to call as often and from as many processes as you like. Where the order is paid
        already, ``status`` says so. Raises InvalidArgument for other terms than those of the
        attempt that is open, and what opening a session raises.
        """
        terms = Terms(
            merchant=merchant,
            amount_minor=amount_minor,
            currency=currency,
            success_url=success_url,
            cancel_url=cancel_url,
            metadata=metadata,
        )
        return run(starting(self._store, self._client, order_id, terms, time.sleep))

    def find(self, challenge_hash: str) -> Attempt | None:
        """Return the attempt that a webhook's ``challenge_hash`` is of."""
        return self._store.find(challenge_hash)


class _Store:
    def __init__(self, using: str) -> None:
        self._using = using

    def latest(self, order_id: str) -> Attempt | None:
        return self._read(self._attempts.filter(order_id=order_id).order_by("-number"))

    def find(self, challenge_hash: str) -> Attempt | None:
        return self._read(self._attempts.filter(challenge_hash=challenge_hash))

    def begin(self, attempt: Attempt) -> bool:
        values = {name: getattr(attempt, name) for name in KEPT}
        try:
            # Durable: within a caller's transaction nobody else would see the attempt.
            with transaction.atomic(using=self._using, durable=True):
                self._attempts.create(claimed_until=NOBODY, **values)
        except IntegrityError:
            return False
        return True

    def claim(self, attempt: Attempt, claim: str, now: float, until: float) -> bool:
        free = self._unopened(attempt).filter(claimed_until__lte=_instant(now))
        return bool(free.update(claim=claim, claimed_until=_instant(until)))

    def release(self, attempt: Attempt, claim: str) -> bool:
        return bool(self._unopened(attempt).filter(claim=claim).update(claimed_until=NOBODY))

    def opened(self, attempt: Attempt) -> bool:
        return bool(
            self._unopened(attempt).update(
                session_id=attempt.session_id,
                checkout_url=attempt.checkout_url,
                challenge_hash=attempt.challenge_hash,
            )
        )

    def end(self, attempt: Attempt) -> bool:
        return bool(self._of(attempt).update(state=OVER))

    @property
    def _attempts(self) -> Any:
        from settlekit.checkout_attempts.django.models import CheckoutAttempt

        return CheckoutAttempt.objects.using(self._using)

    def _unopened(self, attempt: Attempt) -> Any:
        return self._of(attempt).filter(session_id=None)

    def _of(self, attempt: Attempt) -> Any:
        named = {"order_id": attempt.order_id, "number": attempt.number}
        return self._attempts.filter(state=OPEN, **named)

    def _read(self, found: Any) -> Attempt | None:
        row = found.values(*KEPT).first()
        return None if row is None else Attempt(**row)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
