"""Handlers: what a merchant does for each kind of event."""

import inspect
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from settlekit.errors import InvalidArgument
from settlekit.webhooks.classification import (
    MeteredBatchSettled,
    MeteredUsageAccepted,
    Spent,
    StandardSettled,
    Told,
    Unknown,
)

TxT = TypeVar("TxT")
K = TypeVar("K")
F = TypeVar("F", bound=Callable[..., Any])

Handler = Callable[[Any, Any], object]
KINDS: Final = (
    StandardSettled.kind,
    MeteredUsageAccepted.kind,
    MeteredBatchSettled.kind,
    Spent.kind,
    Unknown.kind,
)


class NotYet(Exception):
    """Raised by a handler whose event came too early: undo it, and let it come again."""


class NeedsReview(Exception):
    """Raised by a handler whose event a person must look at: undo it, and keep it for review.

    The sender hears that it was delivered, and the handler isn't run again until somebody
    reopens the event. ``reason`` stands beside it in ``inbox.review()``.
    """

    def __init__(self, reason: str = "needs_review") -> None:
        super().__init__(reason)
        self.reason = reason


class Handlers(Generic[TxT]):
    """A handler for each kind of event; each method here is a decorator.

    A handler gets what the event tells and the transaction in which its effect must be
    written: it neither commits nor rolls back. Whatever it raises undoes the effect, and the
    event comes again; ``NotYet`` says so quietly. ``NeedsReview`` undoes the effect too, and
    keeps the event for a person, as a kind without a handler is kept.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def standard_settled(
        self, handler: Callable[[StandardSettled, TxT], K]
    ) -> Callable[[StandardSettled, TxT], K]:
        """Handle a payment that settled: an order is paid."""
        return self._add(StandardSettled.kind, handler)

    def metered_usage_accepted(
        self, handler: Callable[[MeteredUsageAccepted, TxT], K]
    ) -> Callable[[MeteredUsageAccepted, TxT], K]:
        """Handle a metered payment that was accepted: it is owed, and no revenue yet."""
        return self._add(MeteredUsageAccepted.kind, handler)

    def metered_batch_settled(
        self, handler: Callable[[MeteredBatchSettled, TxT], K]
    ) -> Callable[[MeteredBatchSettled, TxT], K]:
        """Handle a batch that settled: its rows and sums are in the statements."""
        return self._add(MeteredBatchSettled.kind, handler)

    def spent(self, handler: Callable[[Spent, TxT], K]) -> Callable[[Spent, TxT], K]:
        """Handle a requirement that was consumed; without a handler it has no effect."""
        return self._add(Spent.kind, handler)

    def unknown(self, handler: Callable[[Unknown, TxT], K]) -> Callable[[Unknown, TxT], K]:
        """Handle an event of no known kind, such as by telling somebody; it is kept as well."""
        return self._add(Unknown.kind, handler)

    def of(self, told: Told) -> Handler | None:
        """Return the handler for what an event tells, if there is one."""
        return self._handlers.get(told.kind)

    def check(self, *, awaitable: bool) -> None:
        """Raise InvalidArgument for a handler that the inbox could not call: its effect is lost."""
        for kind, handler in self._handlers.items():
            if inspect.iscoroutinefunction(handler) != awaitable:
                wanted = "async def, for its inbox is" if awaitable else "def, for its inbox is not"
                raise InvalidArgument("handlers", f"that of {kind} must be {wanted} asynchronous")

    def _add(self, kind: str, handler: F) -> F:
        if kind in self._handlers:
            raise InvalidArgument("handlers", f"has one for {kind} already")
        self._handlers[kind] = handler
        return handler
