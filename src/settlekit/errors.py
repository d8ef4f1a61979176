"""Every error that settlekit raises, in one tree.

SettlekitError
├── ConfigurationError            a client can't be built from these settings
├── ClientUnusable                also RuntimeError: closed, or of another event loop
├── InvalidArgument               also ValueError: names the field, nothing was sent
├── WaitTimeout                   also TimeoutError: still waiting when the time was up
├── SetUpIncomplete               made in part: ``done`` is what there is
├── TransportError                no answer came; the HTTP library's error is the cause
│   └── RequestTimeout
├── ApiError                      the server answered with an error
│   ├── InvalidRequest            400, 422
│   ├── AuthenticationError       401
│   ├── PaymentRequired           402
│   │   ├── BudgetExceeded
│   │   └── InsufficientBalance
│   ├── PermissionDenied          403
│   ├── NotFound                  404
│   ├── CheckoutUnavailable       404 or 409: hosted checkout is off
│   ├── Conflict                  409
│   │   ├── SettlementPastDue
│   │   ├── IdempotencyConflict
│   │   └── CheckoutNotReady
│   ├── RateLimited               429
│   └── ServerError               5xx
├── DecodeError                   an answer that isn't what it should be
├── SignatureError                a webhook whose sender isn't proven
└── PayloadError                  a webhook with a good signature and a bad body

Every error keeps its data in positional arguments, so it survives pickling.
"""

from typing import Any, Literal

SignatureReason = Literal["missing", "malformed", "stale", "mismatch"]


class SettlekitError(Exception):
    """The root of every error that settlekit raises."""


class ConfigurationError(SettlekitError):
    """The settings can't make a client: no token, a bad base URL."""


class ClientUnusable(SettlekitError, RuntimeError):
    """The client is closed, or its connections belong to another event loop."""


class InvalidArgument(SettlekitError, ValueError):
    """An argument was refused before anything was sent; ``field`` names it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.field} {self.problem}"


class WaitTimeout(SettlekitError, TimeoutError):
    """The awaited state didn't come in time; ``last`` is what was seen last."""

    def __init__(self, message: str, last: Any = None) -> None:
        super().__init__(message, last)
        self.message = message
        self.last = last

    def __str__(self) -> str:
        return self.message


class SetUpIncomplete(SettlekitError):
    """Something was made in part: ``done`` is what there is, the cause says what failed.

    A later call of several failed, or an answer was lost that had what is shown once.
    """

    def __init__(self, message: str, done: Any = None) -> None:
        super().__init__(message, done)
        self.message = message
        self.done = done

    def __str__(self) -> str:
        return self.message


class TransportError(SettlekitError):
    """No answer came: the connection failed or broke."""


class RequestTimeout(TransportError):
    """No answer came in time."""


class ApiError(SettlekitError):
    """The server answered with an error.

    ``data`` is the decoded body (or its text), ``response`` the metadata of the answer,
    ``retry_after`` the seconds the server asked to wait, where it did.
    """

    def __init__(  # noqa: PLR0917  (positional, so that it pickles)
        self,
        status: int,
        code: str,
        message: str,
        request_id: str | None = None,
        trace_id: str | None = None,
        data: Any = None,
        response: Any = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(status, code, message, request_id, trace_id, data, response, retry_after)
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.trace_id = trace_id
        self.data = data
        self.response = response
        self.retry_after = retry_after

    def __repr__(self) -> str:
        # The arguments hold the answer's body, and a log of errors is no place for that.
        told = f"{self.status}, {self.code!r}, {self.message!r}"
        return f"{type(self).__name__}({told}, request_id={self.request_id!r})"

    def __str__(self) -> str:
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.status} {self.code}: {self.message}{request}"


class InvalidRequest(ApiError):
    """400 or 422: the request is malformed, or well-formed and invalid."""


class AuthenticationError(ApiError):
    """401: the token is missing, unknown, expired or revoked."""


class PaymentRequired(ApiError):
    """402: the money isn't there."""


class BudgetExceeded(PaymentRequired):
    """402: the payment doesn't fit the buyer's budget; nothing was recorded."""


class InsufficientBalance(PaymentRequired):
    """402: a debit beyond the wallet's balance; nothing was written."""


class PermissionDenied(ApiError):
    """403: the wrong role, or someone else's object."""


class NotFound(ApiError):
    """404: there is no such object, or its existence isn't yours to know."""


class CheckoutUnavailable(ApiError):
    """404 or 409: hosted checkout isn't offered to this merchant."""


class Conflict(ApiError):
    """409: the state of the object doesn't allow it."""


class SettlementPastDue(Conflict):
    """409: the buyer's scope is paused until what is past due is settled."""


class IdempotencyConflict(Conflict):
    """409: the key was used before with another payload."""


class CheckoutNotReady(Conflict):
    """409: the merchant lacks something that hosted checkout needs."""


class RateLimited(ApiError):
    """429: too many requests; ``retry_after`` says how many seconds to wait."""


class ServerError(ApiError):
    """5xx: the server failed."""


class DecodeError(SettlekitError):
    """An answer isn't what it should be: ``problems`` says "problem @ $.path"."""

    def __init__(self, problems: tuple[str, ...], response: Any = None) -> None:
        super().__init__(problems, response)
        self.problems = problems
        self.response = response

    def __str__(self) -> str:
        return "; ".join(self.problems)


class SignatureError(SettlekitError):
    """A webhook's sender isn't proven; ``reason`` says how it failed."""

    def __init__(self, reason: SignatureReason, message: str) -> None:
        super().__init__(reason, message)
        self.reason: SignatureReason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


class PayloadError(SettlekitError):
    """A webhook's body isn't an event."""
