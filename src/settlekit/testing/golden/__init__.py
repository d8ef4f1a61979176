"""Golden files: every route's request and answer, as they are on the wire.

A file a route, named after the client's method (``checkout_sessions.create.json``); the
folder is its own index. Each holds ``route``, the path with its ids in braces; ``root``,
``api`` for what lies below the base URL and ``origin`` for what lies beside its version;
``call``, the arguments of the method; and ``request`` and ``response``. A response has a
``body`` of JSON, or a ``text``. Requests are made with the token ``tok``.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import attrs
import msgspec

#: What stands for an answer in a call's arguments: the result of another golden file.
ANSWER_OF = "answer_of"


@attrs.frozen(kw_only=True)
class GoldenCall:
    """The arguments of a method."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = attrs.Factory(dict[str, Any])


@attrs.frozen(kw_only=True)
class GoldenRequest:
    """What leaves; ``headers`` are those that matter, in lower case."""

    method: str
    path: str
    query: dict[str, str] = attrs.Factory(dict[str, str])
    headers: dict[str, str] = attrs.Factory(dict[str, str])
    body: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class GoldenResponse:
    """What comes back: JSON, or a text where ``text`` says one."""

    status: int
    headers: dict[str, str] = attrs.Factory(dict[str, str])
    body: Any = None
    text: str | None = None

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        return msgspec.json.encode(self.body) if self.text is None else self.text.encode()


@attrs.frozen(kw_only=True)
class Golden:
    """One route, as it is called and answered."""

    route: str
    request: GoldenRequest
    response: GoldenResponse
    root: Literal["api", "origin"] = "api"
    call: GoldenCall = GoldenCall()


@cache
def names() -> tuple[str, ...]:
    """Return the methods that have a golden file: ``resource.method``, sorted."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in found if name.endswith(".json")))


@cache
def load(name: str) -> Golden:
    """Return the golden file of a method; don't change what is in it."""
    return msgspec.json.decode(files(__name__).joinpath(f"{name}.json").read_bytes(), type=Golden)
