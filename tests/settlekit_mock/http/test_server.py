"""The server: calls over a real socket, however they are framed."""

import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from settlekit_mock.http.application import Application
from settlekit_mock.http.reading import BODY_LIMIT
from settlekit_mock.http.server import THREADS, PortInUse, Server

JSON = {"Content-Type": "application/json"}
ORDER = b"POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"amount_minor":1}'
LOOK = b"GET /v1/search HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def server(application: Application) -> Iterator[Server]:
    with Server(application) as made:
        yield made


def answers(server: Server, sent: bytes) -> list[tuple[int, str | None]]:
    """Send bytes on one connection and hang up; return status and error code of each answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as caller:
        caller.sendall(sent)
        caller.shutdown(socket.SHUT_WR)
        return read_answers(caller)


def read_answers(caller: socket.socket) -> list[tuple[int, str | None]]:
    got = b"".join(iter(lambda: caller.recv(65_536), b""))
    found: list[tuple[int, str | None]] = []
    while got:
        head, _, rest = got.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        told = json.loads(rest[:length])
        found.append((int(head[9:12]), told.get("error", {}).get("code")))
        got = rest[length:]
    return found


MALFORMED = [(400, "MALFORMED_REQUEST")]


@pytest.fixture
def connection(application: Application) -> Iterator[http.client.HTTPConnection]:
    with Server(application) as server:
        made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        yield made
        made.close()


def chunks(size: int) -> Iterator[bytes]:
    """Yield a JSON object of so many bytes, in pieces."""
    yield b'{"amount_minor":1}'
    size -= 18
    while size > 0:
        yield b" " * min(size, 65_536)
        size -= 65_536


def posted(connection: http.client.HTTPConnection, size: int) -> int:
    connection.request("POST", "/v1/orders", chunks(size), JSON, encode_chunked=True)
    response = connection.getresponse()
    response.read()
    return response.status


@pytest.mark.parametrize(("size", "status"), [(18, 200), (BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)])
def test_a_chunked_body_is_read_to_the_same_limit(
    connection: http.client.HTTPConnection, size: int, status: int
) -> None:
    """A body of unknown length is read whole up to 1 MiB, and is 413 beyond."""
    assert posted(connection, size) == status


def test_a_connection_serves_many_calls(connection: http.client.HTTPConnection) -> None:
    """Calls follow each other on one connection."""
    assert [posted(connection, 18) for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("length", [b"19", b"%d" % BODY_LIMIT])
def test_a_body_that_ends_early_is_malformed(server: Server, length: bytes) -> None:
    """A caller who hangs up in the middle of a body is not taken at half his word."""
    assert answers(server, ORDER + b"Content-Length: " + length + b"\r\n\r\n" + BODY) == MALFORMED


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: -18\r\n",
        b"Content-Length: +18\r\n",
        b"Content-Length: 1_8\r\n",
        b"Content-Length: 18, 18\r\n",
        b"Content-Length: 18\r\nContent-Length: 18\r\n",
        b"Content-Length: 18\r\ncontent-length: 17\r\n",
        b"Content-Length: 18\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length : 18\r\n",
        b"Content-Length:\r\n 18\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Content-Length: 18\r\nHost: other\r\n",
        b"Content-Length: 18\r\nX-Null: a\x00b\r\n",
        b"Content-Length: 18\nX-Line: feed\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_malformed(server: Server, framing: bytes) -> None:
    """Odd or doubled lengths, two hosts and folded headers are 400, and nothing is done."""
    assert answers(server, ORDER + framing + b"\r\n" + BODY) == MALFORMED


@pytest.mark.parametrize(
    "chunks",
    [b"f" * 20 + b"\r\n" + BODY, b"f" * 12 + b"\r\n" + BODY, b"-5\r\n" + BODY, b"12\r\n" + BODY],
)
def test_broken_chunks_are_malformed(server: Server, chunks: bytes) -> None:
    """Sizes that are none, or none that anybody holds, are 400 and no defect."""
    sent = ORDER + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    assert answers(server, sent)[:1] == MALFORMED


def test_a_header_with_an_underscore_is_no_other(server: Server) -> None:
    """A name that WSGI couldn't tell from another is dropped."""
    assert answers(server, ORDER + b"Content_Length: 18\r\n\r\n") == [(422, "INVALID_REQUEST")]


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", (414, "URI_TOO_LONG")),
        (LOOK[:-2] + b"X-Long: a\r\n" * 7000 + b"\r\n", (413, "PAYLOAD_TOO_LARGE")),
        (b"GET /v1/search HTTP/1.1\r\n\r\n", (400, "MALFORMED_REQUEST")),
        (b"nonsense\r\n\r\n", (400, "MALFORMED_REQUEST")),
    ],
)
def test_a_head_that_is_none_is_refused_in_our_words(
    server: Server, sent: bytes, answered: tuple[int, str]
) -> None:
    """What is no request, or too long for one, is answered as every other refusal is."""
    assert answers(server, sent) == [answered]


@pytest.mark.parametrize(
    ("rest", "following"),
    [(b"5\r\nabcde\r\n0\r\n\r\n", [(200, None)]), (b"fffff\r\n" + b"a" * 0xFFFFF + b"\r\n", [])],
)
def test_an_unread_body_is_no_request(
    server: Server, rest: bytes, following: list[tuple[int, str | None]]
) -> None:
    """A body that nobody asked for is passed over when it is short; else the connection ends."""
    sent = b"POST /role/merchant HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = sent.replace(b"POST", b"GET") + rest + LOOK
    assert answers(server, sent) == [(401, "UNAUTHORIZED"), *following]


def test_a_connection_that_says_nothing_takes_no_thread(server: Server) -> None:
    """Callers who connect ahead of time don't keep others from being answered."""
    address = ("127.0.0.1", server.port)
    silent = [socket.create_connection(address, timeout=10) for _ in range(THREADS)]
    caller = socket.create_connection(address, timeout=2)
    caller.sendall(LOOK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert read_answers(caller) == [(200, None)]
    for one in [*silent, caller]:
        one.close()


def test_a_head_has_no_body(connection: http.client.HTTPConnection) -> None:
    """HEAD answers the headers of GET alone, and the connection goes on."""
    connection.request("HEAD", "/v1/search")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"")
    connection.request("GET", "/v1/search")
    assert "data" in json.loads(connection.getresponse().read())


def test_a_port_in_use_is_one_clear_line(application: Application) -> None:
    """A taken port is ``PortInUse``: one line that names it and what to do."""
    with Server(application) as server, pytest.raises(PortInUse) as refused:
        Server(application, port=server.port).start()
    message = str(refused.value)
    assert f"127.0.0.1:{server.port}" in message
    assert "--port" in message
    assert "\n" not in message


def test_the_url_is_where_the_server_listens(application: Application) -> None:
    """A server on port 0 takes a free one and says which."""
    with Server(application) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server.port > 0
