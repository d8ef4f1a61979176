"""Status and code → error: the one place where an answer that says no is read."""

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from settlekit._calls.call import Answer, Call
from settlekit._codec import decode
from settlekit._redaction import redact
from settlekit.errors import (
    ApiError,
    AuthenticationError,
    BudgetExceeded,
    CheckoutNotReady,
    CheckoutUnavailable,
    Conflict,
    DecodeError,
    IdempotencyConflict,
    InsufficientBalance,
    InvalidRequest,
    NotFound,
    PaymentRequired,
    PermissionDenied,
    RateLimited,
    ServerError,
    SettlementPastDue,
)
from settlekit.models.base import json_object

_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    400: InvalidRequest,
    401: AuthenticationError,
    402: PaymentRequired,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    422: InvalidRequest,
    429: RateLimited,
}

_BY_CODE: Final[Mapping[tuple[int, str], type[ApiError]]] = {
    (402, "BUDGET_EXCEEDED"): BudgetExceeded,
    (402, "INSUFFICIENT_BALANCE"): InsufficientBalance,
    (409, "METERED_SETTLEMENT_PAST_DUE"): SettlementPastDue,
    (409, "IDEMPOTENCY_KEY_REUSED_WITH_DIFFERENT_PAYLOAD"): IdempotencyConflict,
    (409, "IDEMPOTENCY_KEY_REUSED"): IdempotencyConflict,
    (409, "CHECKOUT_NONCE_REUSED"): IdempotencyConflict,
    (409, "HOSTED_CHECKOUT_READINESS_REQUIRED"): CheckoutNotReady,
}

_NO_HOSTED_CHECKOUT: Final = frozenset(
    {
        (409, "HOSTED_CHECKOUT_NOT_ENABLED"),
        (409, "FEATURE_DISABLED"),
        (404, "HTTP_404"),
        (404, "NOT_FOUND"),
        (404, "ROUTE_NOT_FOUND"),
        (404, "FEATURE_DISABLED"),
    }
)

_SECONDS = re.compile(r"[0-9]+", re.ASCII)


def is_refusal(answer: Answer) -> bool:
    """Say whether an answer is anything but a success."""
    return not 200 <= answer.status < 300


def refusal(
    call: Call[Any], answer: Answer, wall: Callable[[], float], secrets: Sequence[str] = ()
) -> ApiError:
    """Return the error that an answer stands for; no ``secrets`` are in its message."""
    data = _data(answer)
    body = json_object(data) or {}
    error = json_object(body.get("error")) or {}
    status = answer.status
    code = _text(error.get("code")) or _text(body.get("code")) or f"HTTP_{status}"
    message = _text(error.get("message")) or _text(body.get("message")) or _phrase(status)
    response = answer.metadata(body.get("meta"))
    return _kind(call, status, code.upper())(
        status,
        code,
        redact(message, *secrets),
        _text(error.get("request_id")) or response.request_id,
        response.trace_id,
        data,
        response,
        retry_after_seconds(answer.headers.get("retry-after"), _now(answer, wall)),
    )


def retry_after_seconds(header: str | None, wall: Callable[[], float]) -> float | None:
    """Read Retry-After, in seconds or as a date; None where it says nothing."""
    if header is None:
        return None
    if _SECONDS.fullmatch(header.strip()):
        return float(header.strip())
    at = _timestamp(header)
    return None if at is None else max(at - wall(), 0.0)


def _now(answer: Answer, wall: Callable[[], float]) -> Callable[[], float]:
    """Return the server's own time where it tells it: this machine's may be wrong."""
    at = _timestamp(answer.headers.get("date", ""))
    return wall if at is None else lambda: at


def _timestamp(header: str) -> float | None:
    if not header:
        return None
    from email.utils import parsedate_to_datetime  # rarely needed, and slow to load

    try:
        at = parsedate_to_datetime(header)
        return at.timestamp() if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _kind(call: Call[Any], status: int, code: str) -> type[ApiError]:
    if call.hosted_checkout and (status, code) in _NO_HOSTED_CHECKOUT:
        return CheckoutUnavailable
    fallback = ServerError if status >= 500 else ApiError
    return _BY_CODE.get((status, code)) or _BY_STATUS.get(status, fallback)


def _data(answer: Answer) -> Any:
    try:
        return decode(answer.content) if answer.content else None
    except DecodeError:
        return answer.content.decode("utf-8", "replace")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
