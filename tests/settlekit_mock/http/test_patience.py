"""Callers who send half of a request, byte by byte or nothing, keep nobody else waiting."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

from settlekit_mock.http.application import Application
from settlekit_mock.http.connection import Patience
from settlekit_mock.http.server import THREADS, UPLOADS, Server
from tests.settlekit_mock.http.test_server import BODY, LOOK, ORDER, answers, read_answers

WHOLE = ORDER + b"Content-Length: 18\r\n\r\n" + BODY
CHUNKED = ORDER + b"Transfer-Encoding: chunked\r\n\r\n"
LAST = LOOK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
LONG = Patience(head_seconds=30, request_seconds=30)
"""Longer than any test waits: who is answered was never in anybody's way."""

Serve = Callable[[Patience], "Callers"]


class Callers:
    """A server with some patience, and connections to it."""

    def __init__(self, server: Server, ends: ExitStack) -> None:
        self.server = server
        self._ends = ends

    def sending(self, data: bytes, count: int = 1) -> list[socket.socket]:
        """Open connections that each send this, and wait."""
        made: list[socket.socket] = []
        for _ in range(count):
            caller = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
            self._ends.enter_context(caller)
            caller.sendall(data)
            made.append(caller)
        return made

    def answered(self) -> bool:
        """Say whether another caller is answered."""
        (caller,) = self.sending(LAST)
        return read_answers(caller) == [(200, None)]


@pytest.fixture
def serve(application: Application) -> Iterator[Serve]:
    with ExitStack() as ends:

        def made(patience: Patience) -> Callers:
            server = ends.enter_context(Server(application, patience=patience))
            return Callers(server, ends)

        yield made


@pytest.mark.parametrize(
    "half",
    [
        b"",
        LOOK[:3],
        LOOK[:-2],
        WHOLE[:-1],
        LOOK + LOOK[:9],
        CHUNKED,
        CHUNKED + b"12\r\n" + BODY[:5],
        ORDER + b"Content-Length: 70000\r\n\r\n" + BODY,
        ORDER + b"Expect: 100-continue\r\nContent-Length: 18\r\n\r\n",
    ],
)
def test_half_a_request_is_in_nobodys_way(serve: Serve, half: bytes) -> None:
    """Twice as many callers as threads wait with a request unfinished; others are answered."""
    callers = serve(LONG)
    callers.sending(half, 2 * THREADS)
    assert all(callers.answered() for _ in range(3))


def test_an_upload_waits_for_others(serve: Serve) -> None:
    """Of the long bodies some are read at once; the next one begins when one of them ends."""
    callers = serve(LONG)
    first, *_ = callers.sending(CHUNKED, UPLOADS)
    assert callers.answered()
    (last,) = callers.sending(CHUNKED + b"12\r\n" + BODY + b"\r\n0\r\n\r\n")
    last.settimeout(0.2)
    with pytest.raises(TimeoutError):
        last.recv(1)
    last.settimeout(10)
    first.sendall(b"12\r\n" + BODY + b"\r\n0\r\n\r\n")
    assert first.recv(12) == last.recv(12) == b"HTTP/1.1 200"


def trickled(caller: socket.socket, data: bytes) -> float:
    """Send byte after byte until the server hangs up; return the seconds that took."""
    began = time.monotonic()
    caller.settimeout(0.02)
    for byte in data:
        try:
            caller.sendall(bytes((byte,)))
            caller.recv(1, socket.MSG_PEEK)
            break
        except TimeoutError:
            continue
    caller.settimeout(10)
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("at_once", "slowly", "patience"),
    [
        (b"GET ", b"/v1/search HTTP/1.1\r\n" + b"X: y\r\n" * 100, Patience(head_seconds=0.3)),
        (WHOLE.replace(b"18", b"60000"), b" " * 500, Patience(request_seconds=0.3)),
    ],
)
def test_what_trickles_in_has_its_time_in_all(
    serve: Serve, at_once: bytes, slowly: bytes, patience: Patience
) -> None:
    """Bytes that keep coming put no deadline off: a head has its time, a whole request its own."""
    callers = serve(patience)
    (caller,) = callers.sending(at_once)
    assert 0.2 < trickled(caller, slowly) < 3
    assert read_answers(caller) == [(408, "REQUEST_TIMEOUT")]
    assert callers.answered()


@pytest.mark.parametrize("half", [CHUNKED, ORDER + b"Content-Length: 70000\r\n\r\n"])
def test_an_upload_has_its_time_in_all(serve: Serve, half: bytes) -> None:
    """A long body that doesn't come is refused, and its thread goes on."""
    callers = serve(Patience(request_seconds=0.2))
    waiting = callers.sending(half, UPLOADS)
    assert {read_answers(caller)[0][0] for caller in waiting} <= {400, 408}
    assert callers.answered()


def test_of_too_many_connections_the_oldest_goes(serve: Serve) -> None:
    """One that says nothing or half gives way to one that comes new, and is told if it asked."""
    callers = serve(Patience(head_seconds=30, connections=4))
    (silent,) = callers.sending(b"")
    (half,) = callers.sending(LOOK[:9])
    others = callers.sending(LOOK[:9], 4)
    assert silent.recv(1) == b""
    assert read_answers(half) == [(408, "REQUEST_TIMEOUT")]
    for other in others[-3:]:
        other.sendall(LAST[9:])
        assert read_answers(other) == [(200, None)]
    assert callers.answered()


def test_a_connection_in_use_is_not_the_oldest(serve: Serve) -> None:
    """What was answered a moment ago has waited for a moment only."""
    callers = serve(Patience(head_seconds=30, connections=3))
    used, *silent = callers.sending(b"", 3)
    calling = HTTPConnection("localhost")
    calling.sock = used
    calling.request("GET", "/v1/search")
    assert json.loads(calling.getresponse().read())["data"]
    callers.sending(b"")
    assert silent[0].recv(1) == b""
    used.sendall(LAST)
    assert read_answers(used) == [(200, None)]


def test_a_line_that_never_ends_a_head_is_refused_at_once(serve: Serve) -> None:
    """A bare line feed isn't waited on: it is no request, whatever follows."""
    callers = serve(LONG)
    (caller,) = callers.sending(b"GET /v1/search HTTP/1.1\n")
    assert read_answers(caller) == [(400, "MALFORMED_REQUEST")]


def test_requests_may_come_in_any_pieces(serve: Serve) -> None:
    """Several requests on one connection are answered, byte by byte or all in one piece."""
    callers = serve(LONG)
    sent = LOOK + WHOLE + CHUNKED + b"12\r\n" + BODY + b"\r\n0\r\n\r\n" + LAST
    assert answers(callers.server, sent) == [(200, None)] * 4
    (caller,) = callers.sending(b"")
    for byte in LOOK + WHOLE + LAST:
        caller.sendall(bytes((byte,)))
    assert read_answers(caller) == [(200, None)] * 3


def test_a_server_stops_while_callers_wait(serve: Serve, application: Application) -> None:
    """Half requests and uploads that wait don't keep a server from stopping."""
    server = Server(application, patience=Patience(request_seconds=0.2)).start()
    with ExitStack() as ends:
        callers = Callers(server, ends)
        callers.sending(LOOK[:9], 2)
        callers.sending(CHUNKED, UPLOADS + 2)
        assert callers.answered()
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 5
