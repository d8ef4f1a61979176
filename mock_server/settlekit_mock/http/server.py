"""Serve a WSGI application on a socket, in threads of this process."""

import socket
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from cheroot import wsgi
from cheroot.connections import ConnectionManager

from settlekit_mock.http.connection import Connection, Patience
from settlekit_mock.http.gathering import HEAD_LIMIT

THREADS = 10
"""Calls answered at once; each stream of the journal keeps one for as long as it lasts."""

UPLOADS = THREADS // 2
"""Threads that read long bodies, or such of unknown length, as they come."""

STOP_LOOK_SECONDS = 0.05
"""How often an idle server looks whether it is to stop."""

WAITING_CONNECTIONS = 128
"""Connections that wait to be taken, and such as wait for another request."""


_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Every address of the machine, and the one that it reaches itself by."""


class _Waiting(ConnectionManager):
    """The connections that no thread reads: they say nothing, or half of a request."""

    _selector: Any

    def drop_too_many(self) -> None:
        """Drop those that waited longest where there are more than the bound."""
        waiting = [each for _, each in self._waiting() if not each.is_dropped]
        excess = len(waiting) - self.server.patience.connections
        if excess > 0:
            # They stay in the selector, which may be about to look at them, and end by themselves.
            for each in sorted(waiting, key=lambda each: each.waits_since)[:excess]:
                each.drop()

    def _expire(self, threshold: float) -> None:
        for number, waiting in self._waiting():
            if waiting.is_late or waiting.last_used < threshold:
                self._selector.unregister(number)
                waiting.drop()
                waiting.close()
        self.drop_too_many()

    def _waiting(self) -> list[tuple[int, Any]]:
        return [each for each in self._selector.connections if each[1] is not self.server]


class _Uploads:
    """Bodies that threads read as they come, some at once: the other threads wait for no caller."""

    def __init__(self, most: int, begin: Callable[[Any], None]) -> None:
        self._most = most
        self._begin = begin
        self._under_way = 0
        self._waiting: deque[Any] = deque()
        self._lock = threading.Lock()

    def admit(self, upload: Any) -> None:
        """Begin an upload, now or when another has ended."""
        with self._lock:
            if self._under_way == self._most:
                self._waiting.append(upload)
                return
            self._under_way += 1
        self._begin(upload)

    def ended(self) -> None:
        """Begin the next one."""
        with self._lock:
            if not self._waiting:
                self._under_way -= 1
                return
            upload = self._waiting.popleft()
        self._begin(upload)

    def close(self) -> None:
        """Close those that wait."""
        while self._waiting:
            self._waiting.pop().close()


class _Listener(wsgi.Server):
    """cheroot, within bounds; a connection takes a thread when it has asked something."""

    ConnectionClass = Connection
    max_request_header_size = HEAD_LIMIT
    keep_alive_conn_limit = WAITING_CONNECTIONS
    expiration_interval = STOP_LOOK_SECONDS
    patience = Patience()
    _connections: Any

    def prepare(self) -> None:
        """Bind the socket and start the threads."""
        super().prepare()
        self._connections.close()
        self._connections = _Waiting(self)
        self.uploads = _Uploads(UPLOADS, self._take_thread)

    def stop(self) -> None:
        """Finish the calls under way and close the rest."""
        super().stop()
        self.uploads.close()

    def _take_thread(self, conn: Any) -> None:
        super().process_conn(conn)  # pyright: ignore[reportUnknownMemberType]

    def process_conn(self, conn: Any) -> None:
        """Have a thread read a connection as soon as it has something to do."""
        if conn.last_used is None:
            self._connections.put(conn)
            self._connections.drop_too_many()
        elif conn.is_dropped:
            conn.close()
        elif not conn.gather():
            self._connections.put(conn)
        elif conn.is_upload:
            self.uploads.admit(conn)
        else:
            self._take_thread(conn)


class PortInUse(Exception):
    """The address is taken: one line says which, and what to do."""


def _try_address(host: str, port: int) -> None:
    # A server that can't bind leaves its socket open, so an address is tried with one of ours.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.create_server((host, port), family=family).close()


class Server:
    """An HTTP server for one application; ``port=0`` takes a free port."""

    def __init__(
        self,
        application: Any,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        patience: Patience | None = None,
    ) -> None:
        self._server: Any = _Listener(
            (host, port),
            application,
            numthreads=THREADS,
            request_queue_size=WAITING_CONNECTIONS,
        )
        self._server.server_name = "settlekit-mock"
        self._server.patience = patience or Patience()
        self._host = host
        self._thread: threading.Thread | None = None

    def listen(self) -> None:
        """Bind the socket; raises ``PortInUse`` when it is taken or not ours to take."""
        host, port = self._server.bind_addr
        try:
            _try_address(host, port)
            self._server.prepare()
        except OSError as error:
            raise PortInUse(
                f"can't listen on {host}:{port}: {error}; choose another with --port"
            ) from error

    def answer_with(self, application: Any) -> None:
        """Answer with this application from now on."""
        self._server.wsgi_app = application

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.bind_addr[1])

    @property
    def url(self) -> str:
        """The origin that clients on this machine reach it by."""
        named = _LOOPBACK.get(self._host, self._host)
        host = f"[{named}]" if ":" in named else named
        return f"http://{host}:{self.port}"

    @property
    def public_url(self) -> str | None:
        """The origin that everybody reaches it by; none where it listens on every address."""
        return None if self._host in _LOOPBACK else self.url

    def start(self) -> Self:
        """Listen, unless it does, and answer in a thread of its own."""
        if not self._server.ready:
            self.listen()
        self._thread = threading.Thread(
            target=self._server.serve, name="settlekit-mock-http", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish the calls under way and close the socket; asked twice, it does so once."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
