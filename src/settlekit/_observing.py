"""What a client tells of its calls: to the hooks it was given, and to a logger.

A hook that raises harms nobody: the call goes on, and the logger ``settlekit`` gets a
warning with the traceback. No event and no line of the log holds a token, a header, a
query or a body.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any, Final

import attrs

from settlekit._redaction import redact
from settlekit.errors import ConfigurationError

logger: Final = logging.getLogger("settlekit")
logger.addHandler(logging.NullHandler())


@attrs.frozen(kw_only=True)
class AttemptStarted:
    """A request goes out: the ``attempt``-th, from 1, of the call ``call_id`` names."""

    call_id: int
    attempt: int
    method: str
    path: str


@attrs.frozen(kw_only=True)
class AttemptEnded(AttemptStarted):
    """What came of a request: a status, or the error where no answer came.

    ``elapsed_seconds`` ends with the body, or with the headers where it is streamed.
    """

    elapsed_seconds: float
    status: int | None = None
    request_id: str | None = None
    error: BaseException | None = None


@attrs.frozen(kw_only=True)
class RetryPlanned(AttemptStarted):
    """The attempt failed with ``error``, and another follows after ``wait_seconds``."""

    error: Exception
    wait_seconds: float


OnRequest = Callable[[AttemptStarted], object]
OnResponse = Callable[[AttemptEnded], object]
OnRetry = Callable[[RetryPlanned], object]


@attrs.frozen(kw_only=True)
class Observer:
    """Who hears of a client's calls."""

    on_request: OnRequest | None = None
    on_response: OnResponse | None = None
    on_retry: OnRetry | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("on_request", "on_response", "on_retry"):
            hook = getattr(self, name)
            if hook is not None and (not callable(hook) or inspect.iscoroutinefunction(hook)):
                raise ConfigurationError(f"{name} must be a plain function: nothing awaits it")

    def started(self, event: AttemptStarted) -> None:
        """Tell that a request goes out."""
        _tell("on_request", self.on_request, event)

    def ended(self, event: AttemptEnded) -> None:
        """Tell what came of it."""
        if logger.isEnabledFor(logging.DEBUG):
            came = event.status or redact(f"{type(event.error).__name__}: {event.error}")
            logger.debug(
                "%s %s: %s in %.3f s (request %s)",
                *(event.method, redact(event.path), came, event.elapsed_seconds, event.request_id),
            )
        _tell("on_response", self.on_response, event)

    def retrying(self, event: RetryPlanned) -> None:
        """Tell that it is tried again."""
        if logger.isEnabledFor(logging.INFO):
            logger.info(
                "%s %s failed in attempt %d (%s), again in %.2f s",
                *(event.method, redact(event.path), event.attempt),
                *(redact(str(event.error)), event.wait_seconds),
            )
        _tell("on_retry", self.on_retry, event)


def _tell(name: str, hook: Callable[[Any], object] | None, event: AttemptStarted) -> None:
    if hook is None:
        return
    try:
        hook(event)
    except Exception:
        logger.warning("the hook %s failed; the call goes on", name, exc_info=True)
