"""The endpoint without a framework: a body and a header in, a status out.

2xx only after the effect held; 400 for what isn't proven; 413 for what is too long; 503 for what
should come again. The frameworks' modules only carry bytes to it.
"""

import inspect
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

from settlekit._pumps import Flow, run, run_async
from settlekit.errors import InvalidArgument, PayloadError, SignatureError
from settlekit.webhooks import inbox as inboxes
from settlekit.webhooks.classification import Spent, Told, Unknown, interpret
from settlekit.webhooks.events import read_event
from settlekit.webhooks.explanation import offer
from settlekit.webhooks.handlers import Handlers, NotYet
from settlekit.webhooks.inbox import AsyncInbox, Inbox, Outcome, Record, State
from settlekit.webhooks.signature import TOLERANCE_SECONDS, sign_all, verify_signature

MAX_BODY_BYTES: Final = 1 << 20
LOG = logging.getLogger("settlekit.webhooks")
TxT = TypeVar("TxT")
Secrets = str | Sequence[str] | Callable[[], str | Sequence[str]]
"""One secret, or all that count now, the newest first; or a function asked at each delivery."""


class Answer(NamedTuple):
    """What to answer; there is never a body."""

    status: int
    headers: Mapping[str, str]


DONE: Final = Answer(204, {})
REFUSED: Final = Answer(400, {})
TOO_LARGE: Final = Answer(413, {})


class _Endpoint(Generic[TxT]):
    """What both endpoints share: all but the awaiting."""

    _awaits: bool

    def __init__(
        self,
        handlers: Handlers[TxT],
        *,
        secrets: Secrets,
        inbox: Any,
        merchant: str | None = None,
        tolerance_seconds: float = TOLERANCE_SECONDS,
        max_body_bytes: int = MAX_BODY_BYTES,
        now: Callable[[], float] = time.time,
    ) -> None:
        handlers.check(awaitable=self._awaits)
        self.handlers = handlers
        self.inbox = inbox
        self.max_body_bytes = max_body_bytes
        self._secrets = secrets
        self._merchant = merchant
        self._tolerance_seconds = tolerance_seconds
        self._now = now
        if not callable(secrets):
            # A missing secret is found when the application starts, not with the first event.
            verify_secrets(self._keys())

    def _receive(self, body: bytes, header: str | None) -> Flow[Answer]:
        if len(body) > self.max_body_bytes:
            return TOO_LARGE
        try:
            verify_signature(
                body,
                header,
                self._keys(),
                tolerance_seconds=self._tolerance_seconds,
                now=self._now,
            )
            event = read_event(body)
        except (SignatureError, PayloadError) as error:
            LOG.warning("a webhook was refused: %s", error)
            offer(body, header, self._keys(), self._tolerance_seconds, self._now)
            return REFUSED
        if event.readiness_probe:
            return DONE
        try:
            outcome = yield from self._take(interpret(event), body)
        except NotYet as reason:
            LOG.info("event %s comes too early: %s", event.id, reason)
            return self._again()
        except Exception:
            LOG.exception("event %s took no effect", event.id)
            return self._again()
        LOG.info("event %s (%s): %s", event.id, event.type, outcome)
        return self._again() if outcome is Outcome.BUSY else DONE

    def _recover(self, limit: int) -> Flow[int]:
        """Take the events that nobody holds any more; return how many took effect."""
        taken = 0
        waiting: list[Record] = yield lambda: self.inbox.waiting(self._now(), limit)
        for record in waiting:
            try:
                outcome = yield from self._take(interpret(read_event(record.body)), record.body)
            except Exception:
                LOG.exception("event %s took no effect", record.event_id)
            else:
                taken += outcome is Outcome.TAKEN
        return taken

    def _take(self, told: Told, body: bytes | str) -> Flow[Outcome]:
        reason = self._reason_for_review(told)
        state = State.DONE if reason is None else State.REVIEW
        now = self._now()
        record = inboxes.record_of(told, body, now, reason)
        handler = None if reason == "merchant_differs" else self.handlers.of(told)
        effect: inboxes.Effect = _nothing if handler is None else partial(handler, told)
        return (yield from inboxes.taking(self.inbox, record, state, effect, now))

    def _reason_for_review(self, told: Told) -> str | None:
        if self._merchant is not None and told.merchant not in {None, self._merchant}:
            return "merchant_differs"
        if isinstance(told, Unknown):
            return told.reason.value
        if self.handlers.of(told) is None and not isinstance(told, Spent):
            return "no_handler"
        return None

    def _keys(self) -> list[str]:
        found = self._secrets() if callable(self._secrets) else self._secrets
        return [found] if isinstance(found, str) else list(found)

    def _again(self) -> Answer:
        return Answer(503, {"Retry-After": str(int(self.inbox.lease_seconds))})


def _nothing(_: object) -> "_Nothing":
    return _Nothing()


class _Nothing:
    """Awaited or not, it is nothing."""

    def __await__(self) -> Any:
        return iter(())


class Endpoint(_Endpoint[TxT]):
    """Receives webhooks and lets each event take effect once.

    ``merchant`` keeps events of another merchant out of the handlers, for review. ``now`` gives
    Unix seconds.
    """

    _awaits = False
    inbox: Inbox[TxT]

    def receive(self, body: bytes, header: str | None) -> Answer:
        """Take one delivery; never raises but for a parsed body."""
        return run(self._receive(body, header))

    def recover(self, limit: int = 100) -> int:
        """Take the events whose process died or whose review was reopened; say how many."""
        return run(self._recover(limit))


class AsyncEndpoint(_Endpoint[TxT]):
    """The same for tasks: its inbox and handlers are asynchronous."""

    _awaits = True
    inbox: AsyncInbox[TxT]

    async def receive(self, body: bytes, header: str | None) -> Answer:
        """Take one delivery; never raises but for a parsed body."""
        return await run_async(self._receive(body, header))

    async def recover(self, limit: int = 100) -> int:
        """Take the events whose process died or whose review was reopened; say how many."""
        return await run_async(self._recover(limit))


def make_endpoint(
    handlers: Handlers[TxT], inbox: Inbox[TxT] | AsyncInbox[TxT], **options: Any
) -> Endpoint[TxT] | AsyncEndpoint[TxT]:
    """Make the endpoint that goes with an inbox."""
    if inspect.iscoroutinefunction(inbox.claim):
        return AsyncEndpoint(handlers, inbox=inbox, **options)
    return Endpoint(handlers, inbox=inbox, **options)


def verify_secrets(secrets: Sequence[str]) -> None:
    """Raise InvalidArgument unless these can be secrets."""
    if not secrets:
        raise InvalidArgument("secrets", "must be one secret or more")
    sign_all(b"", secrets, timestamp=0)
