"""Small servers on real sockets, and one way to call them with either client."""

import asyncio
import socketserver
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import attrs

from settlekit import AsyncClient, Client

Ask = Callable[..., Any]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def ask_sync(base_url: str, path: str = "/x", **options: Any) -> Any:
    """Make one GET with a client of its own."""
    with Client(token="tok", base_url=base_url, **options) as client:
        return client.request("GET", path).data


def ask_async(base_url: str, path: str = "/x", **options: Any) -> Any:
    """Make one GET with an async client of its own, in a loop of its own."""

    async def ask() -> Any:
        async with AsyncClient(token="tok", base_url=base_url, **options) as client:
            return (await client.request("GET", path)).data

    return asyncio.run(ask())


@attrs.define
class Talk:
    """One connection of a server: what was asked, and a way to answer."""

    connection: Any
    peer: tuple[str, int]
    head: bytes = b""

    def next_request(self) -> bool:
        """Read a request's head; False when the client is gone."""
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            piece = self.connection.recv(1)
            if not piece:
                return False
            self.head += piece
        return True

    def send(self, piece: bytes) -> None:
        self.connection.sendall(piece)

    def answer(self, body: bytes) -> None:
        self.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)


@contextmanager
def serving(
    handle: Callable[[Talk], None], context: ssl.SSLContext | None = None
) -> Generator[int]:
    """Serve on a free port, a thread a connection; yields the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection = self.request
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            try:
                handle(Talk(connection, self.client_address))
            except OSError:
                pass  # the client went away, as many of these tests ask it to
            finally:
                connection.close()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: a client that refuses a certificate is what was wanted."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def tell_port(talk: Talk) -> None:
    """Answer every request with the port it came from and the path it asked for."""
    while talk.next_request():
        path = talk.head.split(b" ")[1].decode()
        talk.answer(b'{"data": ["%d", "%s"]}' % (talk.peer[1], path.encode()))
