"""The one exception by which a use case refuses a call.

A use case raises a ``Problem``; the transaction rolls back, and the HTTP layer writes it
as the error of the route's dialect. Nothing else is allowed to reach a caller.
"""


class Problem(Exception):
    """A refusal: HTTP status, the code callers branch on, and what to do about it."""

    status = 400
    code = "INVALID_REQUEST"
    operations_code = "invalid_request"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}
        self.data = data or {}
        if code is not None:
            self.code = self.operations_code = code
        if status is not None:
            self.status = status


class DatabaseUnusable(Exception):
    """The database can't be opened: one line says why and what to do."""


class Malformed(Problem):
    """The request can't be read: 400."""

    code = "MALFORMED_REQUEST"


class Unauthenticated(Problem):
    """The token is missing, unknown or expired: 401."""

    status = 401
    code = "UNAUTHORIZED"
    operations_code = "invalid_session"


class Forbidden(Problem):
    """The token is good, but not for this: 403."""

    status = 403
    code = "FORBIDDEN"
    operations_code = "forbidden"


class NotFound(Problem):
    """No such object, or none that this caller may know of: 404."""

    status = 404
    code = "NOT_FOUND"


class Conflict(Problem):
    """The object's state doesn't allow the call: 409."""

    status = 409
    code = "CONFLICT"
    operations_code = "conflict"


class Invalid(Problem):
    """Well-formed, but not valid: 422 (400 on the operator's routes)."""

    status = 422
    code = "INVALID_REQUEST"


class PaymentRequired(Problem):
    """The money isn't there: 402."""

    status = 402
    code = "PAYMENT_REQUIRED"
    operations_code = "insufficient_balance"
