"""The server: calls over a real socket, chunked bodies included."""

import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from settlekit_mock.http.application import Application
from settlekit_mock.http.reading import BODY_LIMIT
from settlekit_mock.http.server import PortInUse, Server

JSON = {"Content-Type": "application/json"}


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


@pytest.mark.parametrize("length", ["10", str(BODY_LIMIT)])
def test_a_body_that_ends_early_is_no_defect(application: Application, length: str) -> None:
    """A caller who hangs up in the middle of a body doesn't make the server fail."""
    with Server(application) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as caller:
            caller.sendall(
                b"POST /v1/orders HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nContent-Length: %b\r\n\r\n{" % length.encode()
            )
            caller.shutdown(socket.SHUT_WR)
            answer = caller.recv(65_536)
        assert b" 500 " not in answer.partition(b"\r\n")[0]


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
