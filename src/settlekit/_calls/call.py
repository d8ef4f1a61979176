"""A call as a value: what to send, how to read the answer, whether it may be repeated."""

from collections.abc import Callable, Generator, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any, Generic, TypeVar

import attrs

from settlekit.errors import InvalidArgument
from settlekit.models.base import Response, json_object

T = TypeVar("T")


class Auth(Enum):
    """Who a call says it comes from."""

    TOKEN = "the client's token"  # noqa: S105  (a description)
    ADMIN_SECRET = "the client's admin secret"  # noqa: S105
    NOBODY = "nobody"


class Root(Enum):
    """Where a call's path starts."""

    API = "the base URL"
    ORIGIN = "the base URL without its version"


@attrs.frozen(kw_only=True)
class Answer:
    """What came back, before it is read; header names are lower case."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    elapsed: timedelta = timedelta()
    #: Whether the transport itself notices a body that was cut.
    framed: bool = True

    def metadata(self, meta: object = None) -> Response:
        """Return what identifies the answer, from its envelope or else its headers."""
        known = json_object(meta) or {}
        return Response(
            status=self.status,
            headers=self.headers,
            elapsed=self.elapsed,
            request_id=_text(known.get("request_id")) or self.headers.get("x-request-id"),
            trace_id=_text(known.get("trace_id")) or self.headers.get("x-trace-id"),
        )


@attrs.frozen(kw_only=True)
class Call(Generic[T]):
    """One request to an endpoint and the reading of its answer; making one does nothing."""

    method: str
    path: str
    read: Callable[[Answer], T]
    query: Mapping[str, str] = attrs.Factory(dict[str, str])
    body: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    repeatable: bool = False
    auth: Auth = Auth.TOKEN
    root: Root = Root.API
    #: A 404 or 409 may mean that the merchant has no hosted checkout.
    hosted_checkout: bool = False
    #: What the first answer alone has: a repeat that comes without it raises SetUpIncomplete.
    shown_once: str | None = None


@attrs.frozen
class Wait:
    """Wait this long, and send back nothing."""

    seconds: float


#: Several calls as one: a generator that yields calls and waits, is sent each call's
#: result, and returns its own.
Steps = Generator[Call[Any] | Wait, Any, T]


def get(path: str, read: Callable[[Answer], T], **query: str | int | None) -> Call[T]:
    """Make a GET, which is always safe to repeat; a query without a value is left out."""
    return Call(method="GET", path=path, read=read, query=stated(query), repeatable=True)


def post(path: str, read: Callable[[Answer], T], **body: object) -> Call[T]:
    """Make a POST, which isn't safe to repeat; a field without a value is left out."""
    fields = {name: value for name, value in body.items() if value is not None}
    return Call(method="POST", path=path, read=read, body=fields)


def agreeing(call: Call[T], *names: tuple[str, str]) -> Call[T]:
    """Return the call, unless two names of one thing say different things in its body."""
    body = call.body or {}
    for name, other in names:
        if name in body and other in body and body[name] != body[other]:
            raise InvalidArgument(other, f"contradicts {name}: give one of them, or both alike")
    return call


def stated(query: Mapping[str, str | int | None]) -> dict[str, str]:
    """Return the parameters that have a value, as text."""
    return {name: str(value) for name, value in query.items() if value is not None}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
