"""Connections to receivers, kept for a moment so that the next delivery needs no new one.

A connection goes to an address that was checked, while the receiver is called by its name.
"""

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from functools import cached_property
from http.client import HTTPConnection
from typing import Final, NamedTuple

KEEP_SECONDS: Final = 1.0
"""Shorter than any common server's own, which would close the connection under a send."""
_BODY_LIMIT: Final = 64 * 1024
"""Bytes of an answer that are read, so that the connection can be used again."""


class Target(NamedTuple):
    """Where a send goes: the name that the receiver is called by, and the address behind it."""

    scheme: str
    host: str
    port: int
    address: str


class Unreachable(Exception):
    """Nobody takes the connection."""


class _Connection(HTTPConnection):
    """A connection to a target; over TLS the receiver proves the name, not the address."""

    def __init__(self, target: Target, timeout: float, context: ssl.SSLContext | None) -> None:
        super().__init__(target.address, target.port, timeout=timeout)
        self._name = target.host
        self._context = context
        self.idle_since = 0.0

    def connect(self) -> None:
        super().connect()
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)

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

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._kept: dict[Target, list[_Connection]] = {}
        self._keeping = threading.Lock()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def post(self, target: Target, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Send a body once and return the status of the answer; no redirect is followed.

        Raises ``Unreachable`` where no connection is made, ``TimeoutError`` where a step takes
        too long, ``HTTPException`` or ``OSError`` where the connection breaks.
        """
        connection = self._connected(target)
        try:
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            whole = response.length is not None and response.length <= _BODY_LIMIT
            if whole:
                response.read()
        except BaseException:
            connection.close()
            raise
        # A secure connection is bound to its name, and names share addresses: no reuse.
        if whole and not response.will_close and target.scheme == "http":
            self._keep(target, connection)
        else:
            connection.close()
        return response.status

    def _connected(self, target: Target) -> _Connection:
        kept = self._take(target)
        if kept is not None:
            return kept
        context = self._context if target.scheme == "https" else None
        made = _Connection(target, self._timeout_seconds, context)
        try:
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
