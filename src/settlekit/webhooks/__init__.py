"""Webhooks: prove who sent one, read it, and say which kind it is.

``verify`` takes the raw body and the signature's header and gives a typed event, or
raises SignatureError or PayloadError and nothing else, whatever a stranger sends.
``classify`` says what the event means, and ``explain`` why a signature doesn't hold.

An endpoint that lets each event take effect once is ``Handlers`` and an inbox (``memory``,
``sqlalchemy``, ``django.inbox``) on a framework (``flask``, ``fastapi``, ``django``).
"""

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from settlekit.errors import InvalidArgument, PayloadError, SignatureError
from settlekit.webhooks.classification import (
    Classification,
    MeteredBatchSettled,
    MeteredUsageAccepted,
    Spent,
    StandardSettled,
    Told,
    Unknown,
    UnknownReason,
    classify,
    interpret,
)
from settlekit.webhooks.events import Event, read_event
from settlekit.webhooks.explanation import Explanation, Finding, explain
from settlekit.webhooks.handlers import Handlers, NeedsReview, NotYet
from settlekit.webhooks.inbox import AsyncInbox, Inbox
from settlekit.webhooks.memory import MemoryInbox
from settlekit.webhooks.refetching import refetch
from settlekit.webhooks.signature import (
    SIGNATURE_HEADER,
    TOLERANCE_SECONDS,
    sign,
    verify_signature,
)

if TYPE_CHECKING:
    from settlekit.webhooks import django as django
    from settlekit.webhooks import fastapi as fastapi
    from settlekit.webhooks import flask as flask
    from settlekit.webhooks import sqlalchemy as sqlalchemy

__all__ = [
    "SIGNATURE_HEADER",
    "TOLERANCE_SECONDS",
    "AsyncInbox",
    "Classification",
    "Event",
    "Explanation",
    "Finding",
    "Handlers",
    "Inbox",
    "MemoryInbox",
    "MeteredBatchSettled",
    "MeteredUsageAccepted",
    "NeedsReview",
    "NotYet",
    "PayloadError",
    "SignatureError",
    "Spent",
    "StandardSettled",
    "Told",
    "Unknown",
    "UnknownReason",
    "classify",
    "explain",
    "interpret",
    "refetch",
    "sign",
    "verify",
]

_OPTIONAL = {"django", "fastapi", "flask", "sqlalchemy"}


def verify(
    body: bytes | str,
    header: str | None,
    secret: str | None = None,
    *,
    secrets: Sequence[str] | None = None,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: Callable[[], float] = time.time,
) -> Event:
    """Prove that a secret's holder sent this body just now, and read its event.

    ``body`` is the raw body, never a parsed one (TypeError). With ``secrets`` any of them
    will do, as while one is rotated. Raises SignatureError (its ``reason`` is missing,
    malformed, stale or mismatch), and PayloadError where a proven body isn't an event.
    """
    if (secret is None) == (secrets is None):
        raise InvalidArgument("secret", "or secrets must be given, and not both")
    keys: Sequence[str] = [secret] if secret is not None else secrets or ()
    verify_signature(body, header, keys, tolerance_seconds=tolerance_seconds, now=now)
    return read_event(body)


if not TYPE_CHECKING:  # which would take any name for one that is here

    def __getattr__(name: str) -> object:
        # Loaded when asked for: nobody has them all.
        if name in _OPTIONAL:
            return import_module(f"settlekit.webhooks.{name}")
        raise AttributeError(f"module 'settlekit.webhooks' has no attribute {name!r}")
