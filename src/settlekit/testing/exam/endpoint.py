"""The endpoint under exam: a URL, or an application in this process."""

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import attrs
import httpx

from settlekit.errors import ConfigurationError
from settlekit.testing.receivers import application_receiver

TIMEOUT_SECONDS: Final = 10.0
IN_PROCESS_URL: Final = "http://localhost/"


@attrs.frozen
class Answer:
    """What the endpoint answered; ``status`` is None where it gave no answer.

    ``retry_after`` is how many seconds it asks to wait before the delivery comes again.
    """

    status: int | None
    body: bytes = b""
    seconds: float = 0.0
    error: str = ""
    retry_after: float = 0.0

    @property
    def accepted(self) -> bool:
        """Whether the platform takes the delivery for done."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the endpoint said that the delivery is no good."""
        return self.status is not None and 400 <= self.status < 500

    def __str__(self) -> str:
        return f"answered {self.status}" if self.status is not None else f"no answer: {self.error}"


Headers = Mapping[str, str]


class Endpoint(Protocol):
    """Where deliveries go."""

    def send(self, body: bytes, headers: Headers) -> Answer:
        """Deliver, and wait for the answer."""
        ...


class AtUrl:
    """An endpoint behind a socket; each delivery is a connection of its own, as the platform's."""

    def __init__(self, url: str) -> None:
        if not is_web_url(url):
            raise ConfigurationError(f"not a URL of an endpoint: {url}")
        parts = urlsplit(url)
        self.url = url
        self._parts = parts
        self._http = httpx.Client(
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            verify=parts.scheme == "https",
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def send(self, body: bytes, headers: Headers) -> Answer:
        """Deliver, and wait for the answer."""
        started = time.perf_counter()
        try:
            answer = self._http.post(self.url, content=body, headers=dict(headers))
        except httpx.HTTPError as error:
            return Answer(None, seconds=time.perf_counter() - started, error=_said(error))
        return Answer(
            answer.status_code,
            answer.content,
            time.perf_counter() - started,
            retry_after=_seconds(answer.headers.get("retry-after", "")),
        )

    def visit(self, url: str) -> None:
        """Look at a page of the shop, as a browser that comes back does."""
        self._http.get(url)

    def send_and_leave(self, body: bytes, headers: Headers) -> None:
        """Deliver, and hang up without waiting for the answer."""
        with self._connection() as connection:
            connection.sendall(self._head(len(body), headers) + body)

    def send_slowly(self, body: bytes, headers: Headers, seconds: float, pieces: int) -> Answer:
        """Deliver piece by piece over so many seconds, and wait for the answer."""
        started = time.perf_counter()
        size = -(-len(body) // pieces)
        try:
            with self._connection() as connection:
                connection.sendall(self._head(len(body), headers))
                for start in range(0, len(body), size):
                    time.sleep(seconds / pieces)
                    connection.sendall(body[start : start + size])
                line = connection.makefile("rb").readline()
            return Answer(int(line.split()[1]), seconds=time.perf_counter() - started)
        except (OSError, IndexError, ValueError) as error:
            return Answer(None, seconds=time.perf_counter() - started, error=_said(error))

    @contextlib.contextmanager
    def _connection(self) -> Any:
        host, port = self._parts.hostname or "", self._parts.port
        secure = self._parts.scheme == "https"
        address = (host, port or (443 if secure else 80))
        with socket.create_connection(address, TIMEOUT_SECONDS) as plain:
            if not secure:
                yield plain
                return
            with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as wrapped:
                yield wrapped

    def _head(self, length: int, headers: Headers) -> bytes:
        path = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
        own = {"Host": self._parts.netloc.rpartition("@")[2], "Content-Length": str(length)}
        lines = [f"{name}: {value}" for name, value in {**own, **headers}.items()]
        lines.append("Connection: close")
        return "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def is_web_url(url: str) -> bool:
    """Say whether this is an address that HTTP can reach: the three that read it must agree."""
    try:
        parts = urlsplit(url)
        known = httpx.URL(url)
        _ = parts.port, "".join(parts).encode("latin-1")
    except (ValueError, httpx.InvalidURL):
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname and known.host)


class InProcess:
    """A WSGI or ASGI application (Django's too), with no socket."""

    def __init__(self, application: Any, url: str = IN_PROCESS_URL) -> None:
        self._receive = application_receiver(application)
        self._url = url

    def send(self, body: bytes, headers: Headers) -> Answer:
        """Deliver, and wait for the answer."""
        started = time.perf_counter()
        try:
            status = self._receive(self._url, headers, body)
        except Exception as error:  # noqa: BLE001 - a server would answer 500 for it
            return Answer(500, seconds=time.perf_counter() - started, error=_said(error))
        return Answer(status, seconds=time.perf_counter() - started)


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
