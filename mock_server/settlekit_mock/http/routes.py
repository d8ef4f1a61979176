"""A route, declared once: what it takes, what it answers, who may call it.

Routing, validation, the OpenAPI document and the docs come from these declarations.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from werkzeug.datastructures import Headers

from settlekit_mock.http.dialects import SDRP, Dialect
from settlekit_mock.http.roles import Caller, Role
from settlekit_mock.kernel.world import World

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed and authorised call. ``body`` and ``query`` are of the route's classes.

    What came as it came stays out of its repr: tokens and secrets may be in it.
    """

    world: World
    caller: Caller
    path: dict[str, str]
    query: Any
    body: Any
    raw: bytes = field(repr=False)
    headers: Headers = field(repr=False)
    request_id: str
    reached_at: str = ""
    """The origin by which the caller reached the server."""

    @property
    def public_url(self) -> str:
        """The origin of links to this server: the operator's choice, or the caller's own way."""
        return self.world.public_url or self.reached_at


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with another status than the route's own."""

    status: int
    data: Any


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that is written as it is read: chunks of bytes of a media type."""

    chunks: Any
    media_type: str
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """An answer for a browser: a whole HTML page, or a way on to ``location``.

    ``policy`` is its Content-Security-Policy; without one it runs no scripts at all.
    """

    html: str = ""
    location: str | None = None
    status: int = 200
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One declared route.

    ``answers`` is the class of ``data``, or a media type ("text/csv", "text/html") where
    the answer isn't JSON. ``errors`` are the codes of its own, beyond those that every
    route of its dialect and role can answer. ``also`` are other paths to the same route,
    ``also_statuses`` other statuses that come with the same class, each with a word of when.
    """

    method: Method
    path: str
    role: Role
    run: Callable[[Request], Any]
    answers: Any
    summary: str
    query: type[Any] | None = None
    body: type[Any] | None = None
    form: bool = False
    raw: bool = False
    status: int = 200
    dialect: Dialect = SDRP
    invalid_code: str | None = None
    errors: tuple[tuple[int, str], ...] = ()
    also: tuple[str, ...] = field(default=())
    also_statuses: tuple[tuple[int, str], ...] = ()
    tag: str = ""
