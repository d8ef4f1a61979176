"""How answers and errors are written: one dialect for each family of routes.

SDRP and control routes answer ``{"data", "meta"}`` and ``{"error": {"code", "message"},
"meta"}``. The operator's routes answer bare JSON, and errors with lower-case codes and the
request's id inside; there 422 is said as 400.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from settlekit_mock.kernel.problems import Problem


@dataclass(frozen=True, slots=True)
class Trace:
    """The two ids by which a call is found again."""

    request_id: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of writing answers and errors."""

    name: str
    enveloped: bool

    def answer(self, data: Any, trace: Trace) -> bytes:
        """Write an answer."""
        return msgspec.json.encode({"data": data, "meta": _meta(trace)} if self.enveloped else data)

    def status(self, problem: Problem) -> int:
        """Return the HTTP status of a problem."""
        return 400 if not self.enveloped and problem.status == 422 else problem.status

    def error(self, problem: Problem, trace: Trace, invalid_code: str | None = None) -> bytes:
        """Write an error; ``invalid_code`` is the route's own word for invalid input."""
        code = problem.code
        if invalid_code is not None and problem.status == 422 and code == "INVALID_REQUEST":
            code = invalid_code
        error: dict[str, Any] = {"code": code, "message": problem.message, **problem.data}
        if self.enveloped:
            return msgspec.json.encode({"error": error, "meta": _meta(trace)})
        error["code"] = _operations_code(problem)
        return msgspec.json.encode({"error": {**error, "request_id": trace.request_id}})


def _operations_code(problem: Problem) -> str:
    # Refusals that rooms share, such as of an unknown route, come with the other dialect's code.
    return "invalid_request" if problem.status == 404 else problem.operations_code.lower()


def _meta(trace: Trace) -> dict[str, str]:
    return {"request_id": trace.request_id, "trace_id": trace.trace_id}


SDRP = Dialect("sdrp", enveloped=True)
CONTROL = Dialect("control", enveloped=True)
OPERATIONS = Dialect("operations", enveloped=False)
PLAIN = Dialect("plain", enveloped=False)

_OPERATIONS_PATHS = (
    "/v1/admin/",
    "/v1/user/",
    "/v1/stripe/",
    "/v1/apps/",
    "/v1/developers/",
    "/admin/",
)


def dialect_of(path: str) -> Dialect:
    """Return the dialect of a path that no route has."""
    return OPERATIONS if path.startswith(_OPERATIONS_PATHS) else SDRP
