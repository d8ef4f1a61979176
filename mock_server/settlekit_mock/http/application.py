"""The WSGI application: match a route, admit the caller, read, run, do what is due, answer."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request as WsgiRequest
from werkzeug.wrappers import Response

from settlekit.webhooks.signature import SIGNATURE_HEADER
from settlekit_mock.http.dialects import Trace, dialect_of
from settlekit_mock.http.faults import Cut, Gate, strike_after, strike_before
from settlekit_mock.http.reading import BODY_LIMIT, convert, read_json, read_query
from settlekit_mock.http.roles import DELIVERY_AGENT, Credentials, admit
from settlekit_mock.http.routes import Page, Reply, Request, Route, Stream
from settlekit_mock.kernel.database import UNAVAILABLE
from settlekit_mock.kernel.faults import Fault
from settlekit_mock.kernel.problems import Invalid, Malformed, NotFound, Problem
from settlekit_mock.kernel.world import World

_LOG = logging.getLogger("settlekit_mock")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)


@dataclass(slots=True)
class _Call:
    """One call on its way: its route once it is matched, the fault that strikes it."""

    given: WsgiRequest
    trace: Trace
    route: Route | None = None
    fault: Fault | None = None


class Application:
    """The routes of one world as a WSGI application."""

    def __init__(self, world: World, routes: Iterable[Route]) -> None:
        self.world = world
        self.routes = tuple(routes)
        self._map = _compiled(self.routes)
        self._gate = Gate(world)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer as WSGI has it."""
        if "SERVER_SOFTWARE" in environ:  # a socket, be it ours or another server's
            self._learn_port(environ)
        return self.respond(WsgiRequest(environ))(environ, start_response)

    def _learn_port(self, environ: Any) -> None:
        port = environ.get("SERVER_PORT", "")
        if port.isascii() and port.isdigit():
            self.world.own_ports.add(int(port))

    def respond(self, given: WsgiRequest) -> Response:
        """Answer one request; whatever happens, the answer is one of the documented ones.

        Raises ``Cut`` where a fault asked for a connection that breaks.
        """
        call = _Call(given, _trace(given))
        try:
            response = self._answer(call)
        except Cut:
            raise
        except Exception as error:  # noqa: BLE001 - a stranger is told of no defect's inside
            response = _refusal(call, _problem(call, error))
        return response if call.fault is None else strike_after(call.fault, response)

    def _answer(self, call: "_Call") -> Response:
        route, path = self._match(call.given)
        call.route = route
        call.fault = self._gate.strike(call.given.method, call.given.path)
        if call.fault is not None:
            strike_before(call.fault)
        try:
            answer = self._run(route, path, call)
        finally:
            # A refused call may have written before it was refused.
            self.world.settle()
        return _response(route, answer, call.trace)

    def _match(self, given: WsgiRequest) -> tuple[Route, dict[str, str]]:
        adapter = self._map.bind("", path_info=given.path)
        try:
            route, path = adapter.match(method=given.method)
        except MethodNotAllowed as error:
            allowed = ", ".join(sorted(error.valid_methods or ()))
            raise Problem(
                f"{_shown(given.path)} takes {allowed}",
                status=405,
                code="METHOD_NOT_ALLOWED",
                headers={"Allow": allowed},
            ) from error
        except HTTPException as error:
            raise NotFound(
                f"no route {given.method[:20]} {_shown(given.path)}; /openapi.json lists them",
                code="ROUTE_NOT_FOUND",
            ) from error
        # A page says in its own words that there is nothing.
        read = _path_or_nothing if route.answers == "text/html" else _path_text
        return route, {name: read(value) for name, value in path.items()}

    def _run(self, route: Route, path: dict[str, str], call: "_Call") -> Any:
        given = call.given
        caller = admit(self.world, route.role, _credentials(given))
        raw = _raw_body(given)
        request = Request(
            world=self.world,
            caller=caller,
            path=path,
            query=_query(route, given),
            body=_body(route, given, raw),
            raw=raw,
            headers=given.headers,
            request_id=call.trace.request_id,
            reached_at=_reached_at(given),
        )
        return self.world.attempt(lambda: route.run(request))


@lru_cache(maxsize=8)
def _compiled(routes: tuple[Route, ...]) -> Map:
    # Compiling rules costs more than opening a world, and every server has the same.
    return Map(
        [
            Rule(path, methods=[route.method], endpoint=route)
            for route in routes
            for path in (route.path, *route.also)
        ],
        strict_slashes=False,
        merge_slashes=False,
    )


def _trace(given: WsgiRequest) -> Trace:
    found = _TRACEPARENT.fullmatch(given.headers.get("traceparent", ""))
    return Trace(f"req_{uuid4().hex}", found.group(1) if found else uuid4().hex)


def _path_text(value: Any) -> str:
    text = str(value)
    if "\x00" in text or "�" in text or len(text) > 255:
        raise NotFound("no such object")
    return text


def _path_or_nothing(value: Any) -> str:
    try:
        return _path_text(value)
    except NotFound:
        return "-"


def _shown(path: str) -> str:
    return path if len(path) <= 80 else f"{path[:80]}…"


def _credentials(given: WsgiRequest) -> Credentials:
    return Credentials(
        authorization=given.headers.get("Authorization"),
        admin_secret=given.headers.get("X-Admin-Secret"),
        remote_address=given.remote_addr or "",
        host=given.headers.get("Host", ""),
        fetch_site=given.headers.get("Sec-Fetch-Site"),
        origin=given.headers.get("Origin"),
        is_delivery=_is_delivery(given),
    )


def _reached_at(given: WsgiRequest) -> str:
    host = given.headers.get("Host", "")
    if _HOST.fullmatch(host) is None:
        host = f"{given.environ['SERVER_NAME']}:{given.environ['SERVER_PORT']}"
    return f"{given.scheme}://{host}"


def _is_delivery(given: WsgiRequest) -> bool:
    return SIGNATURE_HEADER in given.headers or given.user_agent.string == DELIVERY_AGENT


def _raw_body(given: WsgiRequest) -> bytes:
    # One byte more than is taken: a chunked body is cut off there, not refused.
    given.max_content_length = BODY_LIMIT + 1
    try:
        raw = given.get_data(cache=True, parse_form_data=False)
    except RequestEntityTooLarge as error:
        raise _too_large() from error
    except (HTTPException, OSError, ValueError, OverflowError) as error:
        raise Malformed("the body is broken, or ended before it was whole") from error
    if len(raw) > BODY_LIMIT:
        raise _too_large()
    if len(raw) < (given.content_length or 0):
        raise Malformed("the body ended before it was whole")
    return raw


def _too_large() -> Problem:
    return Problem("a body holds at most 1 MiB", status=413, code="PAYLOAD_TOO_LARGE")


def _query(route: Route, given: WsgiRequest) -> Any:
    if route.query is None:
        return None
    try:
        given.query_string.decode()  # half a character, the other half being escaped, is none
        unquote_to_bytes(given.query_string).decode()
    except ValueError as error:
        raise Invalid("the query must be text in UTF-8") from error
    return read_query(given.args, route.query)


def _body(route: Route, given: WsgiRequest, raw: bytes) -> Any:
    if route.body is None:
        return None
    if route.form:
        return read_query(_form(given), route.body)
    media_type = given.mimetype
    if raw and media_type not in ("", "application/json") and not media_type.endswith("+json"):
        raise Malformed(f"send JSON (Content-Type: application/json), not {media_type[:80]}")
    return convert(read_json(raw), route.body)


def _form(given: WsgiRequest) -> MultiDict[str, str]:
    try:
        return given.form
    except RequestEntityTooLarge as error:
        raise _too_large() from error


def _response(route: Route, answer: Any, trace: Trace) -> Response:
    status, data = (
        (answer.status, answer.data) if isinstance(answer, Reply) else (route.status, answer)
    )
    if isinstance(data, Stream):
        response = Response(data.chunks, status, content_type=data.media_type)
        if data.filename is not None:
            response.headers["Content-Disposition"] = f'attachment; filename="{data.filename}"'
    elif isinstance(data, Page):
        response = _page(data)
    else:
        body = data if isinstance(data, bytes) else route.dialect.answer(data, trace)
        response = Response(body, status, content_type="application/json")
    return _traced(response, trace)


def _page(page: Page) -> Response:
    response = Response(page.html, page.status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = page.policy or _PAGE_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    if page.location is not None:
        response.status_code = 303
        response.headers["Location"] = page.location
    return response


def _problem(call: _Call, error: Exception) -> Problem:
    """Say what a caller is told of an exception; a defect's inside goes to the log alone."""
    if isinstance(error, Problem):
        return error
    what = f"{call.given.method} {call.given.path}"
    if isinstance(error, UNAVAILABLE):
        _LOG.error("the database failed in %s", what, exc_info=error)
        return Problem(
            # A connection that is lost while it commits may have committed.
            "the database doesn't answer; try again, with the same key or nonce if there is one",
            status=503,
            code="DATABASE_UNAVAILABLE",
            headers={"Retry-After": "1"},
        )
    _LOG.error("a defect in %s", what, exc_info=error)
    return Problem("a defect in this server; its log says more", status=500, code="INTERNAL")


def _refusal(call: _Call, problem: Problem) -> Response:
    route = call.route
    dialect = dialect_of(call.given.path) if route is None else route.dialect
    body = dialect.error(problem, call.trace, None if route is None else route.invalid_code)
    response = Response(body, dialect.status(problem), content_type="application/json")
    response.headers.update(problem.headers)
    return _traced(response, call.trace)


def _traced(response: Response, trace: Trace) -> Response:
    response.headers.update(_NO_STORE)
    response.headers["X-Request-Id"] = trace.request_id
    return response
