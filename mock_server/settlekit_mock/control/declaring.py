"""Declare a control route: its role and its dialect are those of every other."""

from typing import Any

from settlekit_mock.http.dialects import CONTROL
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Method, Route
from settlekit_mock.http.wire import StrictBody


class Nothing(StrictBody, frozen=True, kw_only=True):
    """A call that needs nothing said: an empty object, or no body."""


def control_route(
    method: Method,
    path: str,
    run: Any,
    answers: Any,
    summary: str,
    *,
    body: Any = None,
    query: Any = None,
    status: int = 200,
    errors: tuple[tuple[int, str], ...] = (),
) -> Route:
    """Declare a route under ``/_mock``; one that makes a change without a body takes an empty one."""
    if method == "POST" and body is None:
        body = Nothing
    return Route(
        method,
        f"/_mock/{path}",
        Role.CONTROL,
        run,
        answers,
        summary,
        body=body,
        query=query,
        status=status,
        dialect=CONTROL,
        errors=errors,
    )
