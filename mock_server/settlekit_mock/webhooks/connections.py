"""Connections to receivers, kept for a moment so that the next delivery needs no new one.

A connection goes to an address that was checked, while the receiver is called by its name.
"""

import io
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, Final, NamedTuple

from settlekit_mock.http.deadlines import Incoming

KEEP_SECONDS: Final = 1.0
"""Shorter than any common server's own, which would close the connection under a send."""
_BODY_LIMIT: Final = 64 * 1024
_BODY_SECONDS: Final = 0.5
"""How much of an answer's body is read, so that the connection can be used again."""


class Target(NamedTuple):
    """Where a send goes: the name that the receiver is called by, and the address behind it."""

    scheme: str
    host: str
    port: int
    address: str


class Unreachable(Exception):
    """Nobody takes the connection."""


class _Answering:
    """What an answer is read from: the socket, until the deadline of its send."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self.incoming = Incoming(sock)
        self.incoming.deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a file to read from, as the standard library asks a socket for it."""
        return io.BufferedReader(self.incoming)


class _Connection(HTTPConnection):
    """A connection to a target; over TLS the receiver proves the name, not the address."""

    def __init__(self, target: Target, context: ssl.SSLContext | None) -> None:
        super().__init__(target.address, target.port)
        self._name = target.host
        self._context = context
        self._deadline = 0.0
        self._answering: _Answering | None = None
        self.idle_since = 0.0

    def response_class(self, sock: Any, *more: Any, **options: Any) -> HTTPResponse:  # type: ignore[override]
        """Read an answer until the deadline."""
        self._answering = _Answering(sock, self._deadline)
        answering: Any = self._answering
        return HTTPResponse(answering, *more, **options)

    def connect(self) -> None:
        super().connect()
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)

    def be_done_by(self, deadline: float) -> None:
        """Have all that follows end by a deadline; raises ``TimeoutError`` after it."""
        self._deadline = deadline
        self.timeout = deadline - time.monotonic()
        if self.timeout <= 0:
            raise TimeoutError
        if self.sock is not None:
            self.sock.settimeout(self.timeout)

    def read_whole(self, response: HTTPResponse) -> bool:
        """Read a short body; return whether the connection can be used again."""
        short = response.length is not None and response.length <= _BODY_LIMIT
        if response.will_close or not short or self._answering is None:
            return False
        soon = time.monotonic() + _BODY_SECONDS
        self._answering.incoming.deadline = min(self._deadline, soon)
        try:
            response.read()
        except (OSError, HTTPException):
            return False
        return True

    @property
    def is_usable(self) -> bool:
        """Whether it was kept but a moment, and the receiver hasn't closed it."""
        if time.monotonic() - self.idle_since > KEEP_SECONDS:
            return False
        self.sock.setblocking(False)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            self.sock.settimeout(self.timeout)
            return True
        except OSError:
            pass
        return False


class Connections:
    """Connections of one sender; safe to share between threads."""

    def __init__(self) -> None:
        self._kept: dict[Target, list[_Connection]] = {}
        self._keeping = threading.Lock()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def post(
        self, target: Target, path: str, headers: Mapping[str, str], body: bytes, *, deadline: float
    ) -> int:
        """Send a body once and return the status of the answer; no redirect is followed.

        Of the answer's body little is read, and how that goes counts for nothing. Raises
        ``Unreachable`` where no connection is made, ``TimeoutError`` where there is no answer
        by the deadline (monotonic seconds), ``HTTPException`` or ``OSError`` where the
        connection breaks.
        """
        connection = self._connected(target, deadline)
        try:
            connection.be_done_by(deadline)
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        # A secure connection is bound to its name, and names share addresses: no reuse.
        if target.scheme == "http" and connection.read_whole(response):
            self._keep(target, connection)
        else:
            connection.close()
        return response.status

    def _connected(self, target: Target, deadline: float) -> _Connection:
        kept = self._take(target)
        if kept is not None:
            return kept
        made = _Connection(target, self._context if target.scheme == "https" else None)
        try:
            made.be_done_by(deadline)
            made.connect()
        except TimeoutError:
            made.close()
            raise
        except OSError as error:
            made.close()
            raise Unreachable from error
        return made

    def _take(self, target: Target) -> _Connection | None:
        with self._keeping:
            kept = self._kept.get(target, [])
            while kept:
                connection = kept.pop()
                if connection.is_usable:
                    return connection
                connection.close()
        return None

    def _keep(self, target: Target, connection: _Connection) -> None:
        connection.idle_since = time.monotonic()
        with self._keeping:
            self._kept.setdefault(target, []).append(connection)

    def close(self) -> None:
        """Close what is kept; another send would open new ones."""
        with self._keeping:
            for kept in self._kept.values():
                for connection in kept:
                    connection.close()
            self._kept.clear()
