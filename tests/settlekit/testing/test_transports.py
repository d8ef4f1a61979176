import io
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest

from settlekit.testing.transports import WsgiApplication, async_http, sync_http

URL = "http://localhost/v1/caf%C3%A9?a=1&b=%20"


def echo(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("201 Created", [("X-Method", environ["REQUEST_METHOD"])])
    names = ["SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH"]
    names += ["HTTP_X_ORDER", "HTTP_HOST", "REMOTE_ADDR", "SERVER_PORT", "wsgi.url_scheme"]
    said = "\n".join(f"{name}={environ.get(name)}" for name in names)
    return [said.encode("latin-1"), b"\n", environ["wsgi.input"].read()]


class Counting:
    """An application that says how far it was read, and whether it was closed."""

    def __init__(self, length: str | None = None, fault: Exception | None = None) -> None:
        self.given = 0
        self.closed = 0
        self.length = length
        self.fault = fault
        self.threads: set[int] = set()

    def __call__(self, environ: Any, start_response: Callable[..., object]) -> "Counting":
        headers = [] if self.length is None else [("Content-Length", self.length)]
        start_response("200 OK", headers)
        self.threads.add(threading.get_ident())
        return self

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(10):
            self.given += 1
            yield b"x" * 100_000
        if self.fault is not None:
            raise self.fault

    def close(self) -> None:
        self.closed += 1


def test_a_request_arrives_as_wsgi_has_it() -> None:
    """Path decoded, query raw, headers, body and a loopback caller."""
    with sync_http(echo) as http:
        response = http.post(URL, content=b"body", headers={"X-Order": "7"})
    assert (response.status_code, response.headers["x-method"]) == (201, "POST")
    assert response.content.decode("utf-8").splitlines() == [
        "SCRIPT_NAME=",
        "PATH_INFO=/v1/café",
        "QUERY_STRING=a=1&b=%20",
        "CONTENT_TYPE=None",
        "CONTENT_LENGTH=4",
        "HTTP_X_ORDER=7",
        "HTTP_HOST=localhost",
        "REMOTE_ADDR=127.0.0.1",
        "SERVER_PORT=80",
        "wsgi.url_scheme=http",
        "body",
    ]


@pytest.mark.anyio
async def test_async_requests_arrive_the_same() -> None:
    """The async twin hands over the same request."""
    async with async_http(echo) as http:
        theirs = await http.post(URL, content=b"body", headers={"X-Order": "7"})
    with sync_http(echo) as http_sync:
        ours = http_sync.post(URL, content=b"body", headers={"X-Order": "7"})
    assert theirs.content == ours.content


def test_a_body_is_taken_as_it_is_read() -> None:
    """A stream stays a stream, and the application hears when nobody reads on."""
    app = Counting()
    with sync_http(app) as http, http.stream("GET", URL) as response:
        assert app.given == 1
        next(response.iter_raw())
        assert app.given == 1
    assert (app.given, app.closed) == (1, 1)


@pytest.mark.anyio
async def test_an_async_body_is_taken_in_another_thread() -> None:
    """The event loop is never held up by the application."""
    app = Counting()
    async with async_http(app) as http, http.stream("GET", URL) as response:
        pieces = [piece async for piece in response.aiter_raw()]
    assert len(b"".join(pieces)) == 1_000_000
    assert threading.get_ident() not in app.threads
    assert app.closed == 1


@pytest.mark.parametrize("length", ["999999", "1000001"])
def test_a_body_of_another_length_is_a_protocol_error(length: str) -> None:
    """As a socket would notice, so does this."""
    with sync_http(Counting(length)) as http, pytest.raises(httpx.RemoteProtocolError):
        http.get(URL)


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (ConnectionResetError("cut"), httpx.ReadError),
        (TimeoutError("slow"), httpx.ReadTimeout),
        (ZeroDivisionError("bug"), ZeroDivisionError),
    ],
)
@pytest.mark.parametrize("early", [True, False])
def test_an_application_can_break_the_connection(
    fault: Exception, seen: type[Exception], early: bool
) -> None:
    """Before or after the first byte; a bug of the application stays a bug."""

    def broken(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise fault

    app: WsgiApplication = broken if early else Counting(fault=fault)
    with sync_http(app) as http, pytest.raises(seen):
        http.get(URL)


def test_a_late_start_is_a_start() -> None:
    """A generator that answers with its first piece is understood."""

    def late(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("204 No Content", [])
        yield b""

    with sync_http(late) as http:
        assert http.get(URL).status_code == 204


def test_an_error_page_of_a_failed_start_is_raised() -> None:
    """``exc_info`` brings the application's exception to the test."""

    def failing(environ: Any, start_response: Any) -> Iterable[bytes]:
        error = ZeroDivisionError("bug")
        start_response("500 x", [], (type(error), error, None))
        return []

    with sync_http(failing) as http, pytest.raises(ZeroDivisionError, match="bug"):
        http.get(URL)


def test_a_file_can_be_sent() -> None:
    """A request's body may be a stream too."""
    with sync_http(echo) as http:
        assert http.post(URL, content=io.BytesIO(b"file")).content.endswith(b"\nfile")
