"""Connections of the server, and the requests on them, framed strictly.

What two readers of HTTP could take for two different requests is refused: lengths that are
given twice or aren't plain numbers, a length beside chunks, a second ``Host``, headers
folded over lines. A request is bounded in bytes and in time. Its head is gathered before a
thread is taken, so that a caller who sends half of one and waits keeps none.
"""

# cheroot's types are partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import io
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from cheroot import server as cheroot

from settlekit_mock.http.body import Body
from settlekit_mock.http.deadlines import Incoming
from settlekit_mock.http.dialects import SDRP, Trace
from settlekit_mock.http.gathering import Gathered
from settlekit_mock.kernel.problems import Problem

_LINGER_SECONDS: Final = 0.3
_LINGER_BYTES: Final = 4 * 1024 * 1024

_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)\r\n")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_ONCE: Final = frozenset(
    {b"Host", b"Content-Length", b"Content-Type", b"Transfer-Encoding", b"Authorization"}
)
_CODES: Final = {
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    414: "URI_TOO_LONG",
    500: "INTERNAL",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server waits for its callers, and for how many of them at once."""

    head_seconds: float = 5.0
    """From the first byte of a request to the end of its headers."""
    request_seconds: float = 20.0
    """From its first byte to the end of a short body; for a long one, since a thread reads it."""
    connections: int = 256
    """Connections that no thread reads; of more, the one that waited longest is let go."""


class _Reader(io.BufferedReader):
    """A buffer that can tell, without waiting, whether a thread has something to read."""

    bytes_read = 0

    def __init__(self, incoming: Incoming) -> None:
        super().__init__(incoming)
        self._incoming = incoming

    def has_data(self) -> bool:
        """Say whether another request has come with what was read."""
        self._incoming.deadline = None
        if left := self.peek(1):
            self._incoming.gathered.put_back(self.read(len(left)))
        return self._incoming.gathered.is_ready


class Request(cheroot.HTTPRequest):
    """One request: its head is checked before anything is done, its body read as it is asked for."""

    _body: Body | None = None

    def header_reader(self, lines: Any, into: dict[bytes, bytes]) -> None:
        """Read the headers; raises ``ValueError``, which is answered 400."""
        while (line := lines.readline()) != b"\r\n":
            found = _HEADER.fullmatch(line)
            if found is None:
                raise ValueError("a header is a name, a colon and a value, on one line")
            name, value = found[1].title(), found[2].strip(b" \t")
            if name in into:
                if name in _ONCE:
                    raise ValueError(f"{name.decode()} comes once")
                value = into[name] + b", " + value
            if b"_" not in name:  # WSGI can't tell it from a name with a hyphen
                into[name] = value
        self._check_framing(into)

    def _check_framing(self, headers: dict[bytes, bytes]) -> None:
        length, coding = headers.get(b"Content-Length"), headers.get(b"Transfer-Encoding")
        if length is not None and _LENGTH.fullmatch(length) is None:
            raise ValueError("Content-Length is a number of bytes")
        if coding is not None and (length is not None or coding.lower() != b"chunked"):
            raise ValueError("a body has a Content-Length, or is chunked, and no other coding")
        if self.response_protocol == "HTTP/1.1":
            if b"Host" not in headers:
                raise ValueError("HTTP/1.1 asks for a Host")
        elif coding is not None:
            raise ValueError("HTTP/1.0 knows no chunks")

    def respond(self) -> None:
        """Have the application answer."""
        length = None if self.chunked_read else int(self.inheaders.get(b"Content-Length", 0))
        self.rfile = self._body = Body(self.conn.rfile, length)
        self.server.gateway(self).respond()
        self.ensure_headers_sent()
        if self.chunked_write:
            self.conn.wfile.write(b"0\r\n\r\n")

    def send_headers(self) -> None:
        """Begin the answer; a connection on which a body is left unread ends with it."""
        if self._body is not None and not self._body.read_rest():
            self.close_connection = self.conn.unread = True
        super().send_headers()

    def simple_response(self, status: Any, msg: str = "") -> None:
        """Refuse what can't be read as a request, in the words of any other refusal."""
        self.close_connection = self.conn.unread = True
        with suppress(OSError):
            self.conn.wfile.write(_refusal(str(status), msg))


def _refusal(status: str, message: str = "") -> bytes:
    number, _, reason = status.partition(" ")
    problem = Problem(message or reason, code=_CODES.get(int(number), "MALFORMED_REQUEST"))
    body = SDRP.error(problem, Trace(f"req_{uuid4().hex}", uuid4().hex))
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(cheroot.HTTPConnection):
    """A connection whose requests arrive in time, and whose last answer can be read."""

    RequestHandlerClass = Request

    def __init__(self, server: Any, sock: socket.socket, makefile: Any) -> None:
        super().__init__(server, sock, makefile)
        self.rfile.close()
        self._incoming = Incoming(sock)
        self.rfile = _Reader(self._incoming)
        self.unread = False
        self.waits_since = time.monotonic()
        self.is_upload = False
        self.is_dropped = False

    def gather(self) -> bool:
        """Take what has come, and say whether a thread has something to do."""
        self._incoming.gather()
        self.is_upload = self._gathered.is_upload
        return bool(self.rfile.has_data())

    @property
    def _gathered(self) -> Gathered:
        return self._incoming.gathered

    @property
    def is_late(self) -> bool:
        """Whether a request has begun and isn't there in time."""
        began_at = self._gathered.began_at
        patience: Patience = self.server.patience
        given = patience.request_seconds if self._gathered.has_head else patience.head_seconds
        return began_at is not None and time.monotonic() - began_at >= given

    def communicate(self) -> Any:
        """Read a request and answer it; return whether another may follow."""
        patience: Patience = self.server.patience
        self._incoming.deadline = time.monotonic() + patience.request_seconds
        try:
            return super().communicate()  # type: ignore[no-untyped-call]
        finally:
            self.waits_since = time.monotonic()
            if self.is_upload:
                self.is_upload = False
                self.server.uploads.ended()

    def drop(self) -> None:
        """Hang up on a caller that no thread reads, saying why if a request has begun."""
        self.is_dropped = True
        self._incoming.gather()
        self.socket.settimeout(0)
        with suppress(OSError):
            if self._gathered:
                self.socket.send(_refusal("408 Request Timeout"))
            self.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        if self.unread:
            with suppress(OSError):
                self._linger()
        super().close()

    def _linger(self) -> None:
        # Closed with bytes unread, a connection is reset, and the answer may be lost with it.
        self.socket.shutdown(socket.SHUT_WR)
        end, room = time.monotonic() + _LINGER_SECONDS, _LINGER_BYTES
        while room > 0 and (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            data = self.socket.recv(65_536)
            if not data:
                return
            room -= len(data)
