"""Declare a control route: its role and its dialect are those of every other."""

from typing import Any

from settlekit_mock.http.dialects import CONTROL
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Method, Route


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
    """Declare a route under ``/_mock``."""
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
