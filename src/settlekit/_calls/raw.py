"""Calls to what isn't wrapped."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from settlekit import _codec
from settlekit._calls import arguments
from settlekit._calls.call import Call, stated
from settlekit._codec import Result
from settlekit.errors import InvalidArgument


def request(
    method: str,
    path: str,
    *,
    query: Mapping[str, str | int | None] | None,
    json: Mapping[str, Any] | None,
    headers: Mapping[str, str] | None,
    repeatable: bool | None,
) -> Call[Result]:
    """Make a call to a path below the base URL; a GET is safe to repeat, unless said."""
    verb = arguments.required(method, "method").upper()
    if not verb.isalpha() or not verb.isascii():
        raise InvalidArgument("method", "must be an HTTP method")
    _check_path(path)
    return Call(
        method=verb,
        path=path,
        read=_codec.anything,
        query=_query(query or {}),
        body=arguments.metadata(json, "json"),
        headers=arguments.headers(headers or {}),
        repeatable=verb in {"GET", "HEAD"} if repeatable is None else repeatable,
    )


def _check_path(path: object) -> None:
    """Raise InvalidArgument unless this is a path that stays below the base URL."""
    text = path if isinstance(path, str) else ""
    if not text.startswith("/") or text.startswith("//") or "?" in text or "#" in text:
        raise InvalidArgument("path", "must start with one slash and have no query")
    arguments.split_url(arguments.encodable(text, "path"), "path")
    # A proxy or server may read an escaped dot as a dot.
    if {".", ".."} & {unquote(segment) for segment in text.split("/")}:
        raise InvalidArgument("path", "must stay below the base URL: no . or .. in it")


def _query(given: Mapping[str, str | int | None]) -> dict[str, str]:
    query = stated(given)
    for name, value in query.items():
        arguments.encodable(f"{name}={value}", "query")
    return query
