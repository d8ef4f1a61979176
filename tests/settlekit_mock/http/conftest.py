"""A small application: one route of each kind, and callers who say all that a stranger can."""

import json
from typing import Annotated, Any

import pytest
from msgspec import Meta
from werkzeug.test import Client, TestResponse

from settlekit_mock.http.application import Application
from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Page, Request, Route, Stream
from settlekit_mock.http.tables import add_token
from settlekit_mock.http.wire import Answer, Body, Metadata, StrictBody
from settlekit_mock.kernel.problems import Conflict, Invalid, NotFound
from settlekit_mock.kernel.times import DAY, from_text
from settlekit_mock.kernel.world import World

NOW = from_text("2026-03-01T00:00:00Z")
TOKENS = {
    "merchant": ("merchant", "usr_1", None),
    "provider": ("provider", "usr_1", None),
    "buyer": ("buyer", "buyer_1", None),
    "admin": ("admin", "op_1", None),
    "expired": ("merchant", "usr_1", NOW),
    "expires_tomorrow": ("merchant", "usr_1", NOW + DAY),
}


class Order(Body, frozen=True, kw_only=True):
    amount_minor: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    note: str | None = None
    metadata: Metadata | None = None


class StrictOrder(StrictBody, frozen=True, kw_only=True):
    amount_minor: int


class Search(Body, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    status: str | None = None


class Seen(Answer, frozen=True, kw_only=True):
    """What the route saw."""

    role: str
    subject: str
    amount_minor: int | None = None
    note: str | None = None
    metadata: Metadata | None = None
    limit: int | None = None
    status: str | None = None
    path: str | None = None


def look(request: Request) -> Seen:
    caller, body, query = request.caller, request.body, request.query
    return Seen(
        role=caller.role,
        subject=caller.subject,
        path=request.path.get("item"),
        **{name: getattr(body, name, None) for name in ("amount_minor", "note", "metadata")},
        **{name: getattr(query, name, None) for name in ("limit", "status")},
    )


def refuse(request: Request) -> Seen:
    raise {
        "conflict": Conflict("taken", code="TAKEN"),
        "invalid": Invalid("amount: no"),
        "own": Invalid("amount: no", code="OWN_CODE"),
        "missing": NotFound("no such item"),
        "defect": RuntimeError("secret: hunter2"),
    }[request.path["how"]]


def commit_and_refuse(request: Request) -> Seen:
    with request.world.transaction() as tx:
        tx.schedule("step", "work", tx.now)
    raise Conflict("written, and refused")


def _route(method: Any, path: str, role: Role = Role.ANYONE, run: Any = look, **more: Any) -> Route:
    return Route(method, path, role, run, more.pop("answers", Seen), "A test", **more)


ROUTES = (
    _route("POST", "/v1/orders", body=Order),
    _route("POST", "/v1/strict", body=StrictOrder),
    _route("POST", "/v1/form", body=Order, form=True),
    _route("GET", "/v1/search", query=Search),
    _route("GET", "/v1/items/<item>"),
    _route("POST", "/v1/nothing"),
    _route("GET", "/v1/refuse/<how>", run=refuse, invalid_code="INVALID_TEST"),
    _route("GET", "/v1/admin/refuse/<how>", run=refuse, dialect=OPERATIONS),
    _route("POST", "/v1/commit-and-refuse", run=commit_and_refuse),
    _route("GET", "/v1/admin/look", dialect=OPERATIONS),
    _route(
        "GET",
        "/v1/stream",
        run=lambda _: Stream((b"a", b"b"), "text/csv; charset=utf-8", "a.csv"),
        answers="text/csv",
    ),
    _route("GET", "/page", run=lambda _: Page("<p>hello</p>"), answers="text/html"),
    _route(
        "GET",
        "/pages/<item>",
        run=lambda request: Page(f"<p>{request.path['item']}</p>"),
        answers="text/html",
    ),
    _route("GET", "/onward", run=lambda _: Page(location="/page"), answers="text/html"),
    *(_route("GET", f"/role/{role}", role) for role in Role),
)


@pytest.fixture
def application(world: World) -> Application:
    with world.transaction() as tx:
        for token, (role, subject, expires_at) in TOKENS.items():
            add_token(
                tx.connection,
                token=f"tok_{token}",
                role=role,
                subject=subject,
                created_at=NOW,
                expires_at=expires_at,
            )
        add_token(tx.connection, token="cli_key", role="merchant", subject="usr_1", created_at=NOW)
    return Application(world, ROUTES)


class Caller:
    """Calls the application; the answer is read, and its form checked."""

    def __init__(self, application: Application) -> None:
        self._client = Client(application)

    def call(self, method: str, path: str, **given: Any) -> TestResponse:
        return self._client.open(path, method=method, **given)

    def sent(self, data: bytes, path: str = "/v1/orders", **given: Any) -> tuple[int, Any]:
        given.setdefault("content_type", "application/json")
        return outcome(self.call("POST", path, data=data, **given))

    def got(self, path: str, **given: Any) -> tuple[int, Any]:
        return outcome(self.call("GET", path, **given))


def outcome(response: TestResponse) -> tuple[int, Any]:
    """Return the status with the data, or with the code of the error."""
    body = json.loads(response.data)
    error = body.get("error")
    return response.status_code, body.get("data", body) if error is None else error["code"]


@pytest.fixture
def caller(application: Application) -> Caller:
    return Caller(application)
