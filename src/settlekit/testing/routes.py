"""Canned answers for tests without a server: every route of the platform, by respx.

``with routes.canned() as platform:`` answers each of a client's calls as the golden files
say, in this process; nothing leaves it. What a test is about, it changes:

    platform.answer("checkout_sessions.get", status="paid")
    platform.refuse("checkout_sessions.create", 409, "HOSTED_CHECKOUT_NOT_ENABLED")

Names are those of the client's methods. Needs respx: ``pip install settlekit[respx]``.
"""

import copy
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, cast

import httpx
import msgspec

from settlekit.errors import InvalidArgument
from settlekit.models.base import JsonObject, json_object
from settlekit.testing.golden import Golden, load, names

try:
    import respx
except ImportError as error:
    raise ImportError(
        "settlekit.testing.routes needs respx: pip install settlekit[respx]"
    ) from error

_HOLE: Final = re.compile(r"\\\{[a-z_]+\\\}")


class CannedAnswers:
    """The platform's answers within a block; each can be changed, and what was asked be read."""

    def __init__(self, router: respx.MockRouter) -> None:
        self._router = router
        for name in sorted(names(), key=_specific_first):
            self._answer_with(name, load(name).response.content)

    def answer(self, name: str, /, **changes: Any) -> None:
        """Answer a method with some fields changed; a page's fields are those of its first item.

        Raises InvalidArgument for a field that the canned answer doesn't have.
        """
        body = copy.deepcopy(_golden(name).response.body)
        fields = _fields_of(body)
        for field, value in changes.items():
            if field not in fields:
                raise InvalidArgument(field, f"is no field of the answer of {name}")
            fields[field] = value
        self._answer_with(name, msgspec.json.encode(body))

    def answer_items(self, name: str, /, *items: dict[str, Any]) -> None:
        """Answer a list with these items, each the canned item with its changes; none is fine."""
        body = copy.deepcopy(_golden(name).response.body)
        page = json_object(_payload_of(body)) or {}
        if not page.get("items"):
            raise InvalidArgument("name", f"{name} doesn't answer a list")
        page["items"] = [{**page["items"][0], **changes} for changes in items]
        page["next_cursor"] = None
        self._answer_with(name, msgspec.json.encode(body))

    def refuse(
        self,
        name: str,
        /,
        status: int,
        code: str,
        message: str = "refused",
        *,
        retry_after: int | None = None,
    ) -> None:
        """Answer a method with an error of the platform."""
        error = {"error": {"code": code, "message": message}, "meta": {"request_id": "req_canned"}}
        wait = {} if retry_after is None else {"retry-after": str(retry_after)}
        self.route(name).respond(status, json=error, headers=wait)

    def disconnect(self, name: str, /) -> None:
        """Break the connection of a method's calls, before any answer."""
        self.route(name).mock(side_effect=httpx.ConnectError("a test broke it"))

    def requests(self, name: str, /) -> list[httpx.Request]:
        """Return the requests a method made so far, oldest first."""
        calls = cast("list[respx.models.Call]", list(self.route(name).calls))
        return [call.request for call in calls]

    def route(self, name: str, /) -> respx.Route:
        """Return respx's own route of a method, for what isn't wrapped here."""
        golden = _golden(name)
        pattern = _HOLE.sub("[^/]+", re.escape(golden.route))
        below = "(?:/v1)?" if golden.root == "api" else ""
        return self._router.route(
            method=golden.request.method, path__regex=f"^{below}{pattern}$", name=name
        )

    def _answer_with(self, name: str, content: bytes) -> None:
        response = _golden(name).response
        self.route(name).respond(response.status, headers=response.headers, content=content)


@contextmanager
def canned() -> Generator[CannedAnswers]:
    """Answer every call of every client in this process, until the block ends.

    Whatever its base URL is; a request to anything else raises, so that no test reaches out.
    """
    with respx.mock(assert_all_called=False) as router:
        yield CannedAnswers(router)


def _golden(name: str) -> Golden:
    if name not in names():
        raise InvalidArgument("name", f"is no method with a canned answer: {name}")
    return load(name)


def _specific_first(name: str) -> tuple[int, str]:
    """Sort routes with fewer holes first: /payouts/run is not the payout named run."""
    return load(name).route.count("{"), name


def _payload_of(body: object) -> object:
    envelope = json_object(body) or {}
    return envelope.get("data", body)


def _fields_of(body: object) -> JsonObject:
    """Return the object whose fields can be changed; of a list it is the first item."""
    payload = _payload_of(body)
    page = json_object(payload) or {}
    items = page.get("items", payload)
    if isinstance(items, list) and items:
        payload = cast("list[object]", items)[0]
    return json_object(payload) or {}
