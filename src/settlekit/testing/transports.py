"""A WSGI application behind an HTTP client in this process: no socket, no port.

The body of an answer is taken from the application as it is read, so a stream stays a
stream. An application that raises ConnectionError or TimeoutError is a connection that
broke; whatever else it raises reaches the test as it is.
"""

import io
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

import anyio.to_thread
import httpx

T = TypeVar("T")

Environ = dict[str, Any]
Write = Callable[[bytes], object]
WsgiApplication = Callable[..., Iterable[bytes]]

HOP_BYTES: Final = 1 << 16


def sync_http(app: WsgiApplication) -> httpx.Client:
    """Return an HTTP client whose every request goes to this application."""
    return httpx.Client(transport=WsgiTransport(app), trust_env=False)


def async_http(app: WsgiApplication) -> httpx.AsyncClient:
    """Return an async HTTP client whose every request goes to this application."""
    return httpx.AsyncClient(transport=AsyncWsgiTransport(app), trust_env=False)


class WsgiTransport(httpx.BaseTransport):
    """Hands requests to a WSGI application."""

    def __init__(self, app: WsgiApplication) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        exchange = _Exchange(self._app, request, request.read())
        return exchange.response(_Stream(exchange))


class AsyncWsgiTransport(httpx.AsyncBaseTransport):
    """Hands requests to a WSGI application in a worker thread."""

    def __init__(self, app: WsgiApplication) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        content = await request.aread()
        exchange = await anyio.to_thread.run_sync(_Exchange, self._app, request, content)
        return exchange.response(_AsyncStream(exchange))


class _Exchange:
    """One call of the application, up to the first piece of its answer."""

    def __init__(self, app: WsgiApplication, request: httpx.Request, content: bytes) -> None:
        self._request = request
        self._status = 500
        self._headers: list[tuple[str, str]] = []
        self._length: int | None = None
        self._given = 0
        self._result = self._guarded(lambda: app(_environ(request, content), self._start))
        self._pieces = iter(self._result)
        # An application may call start_response as late as with its first piece.
        self._first = self._next()

    def response(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
        """Return the answer with its body still to come."""
        return httpx.Response(self._status, headers=self._headers, stream=stream)

    def take(self) -> bytes | None:
        """Return the next piece, or None after the last."""
        piece, self._first = self._first, b""
        if not piece:
            piece = self._next()
        if piece is None:
            if self._length is not None and self._given != self._length:
                raise httpx.RemoteProtocolError("the body isn't as long as it says")
            return None
        self._given += len(piece)
        return piece

    def take_much(self) -> bytes | None:
        """Return the next pieces together: a change of thread costs more than a piece."""
        taken: list[bytes] = []
        size = 0
        while size < HOP_BYTES and (piece := self.take()) is not None:
            taken.append(piece)
            size += len(piece)
        return b"".join(taken) or None

    def close(self) -> None:
        """Tell the application that nobody reads on."""
        close = getattr(self._result, "close", None)
        if close is not None:
            close()

    def _start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: tuple[type[BaseException], BaseException, TracebackType] | None = None,
    ) -> Write:
        if exc_info is not None:
            raise exc_info[1]
        self._status = int(status.split(" ", 1)[0])
        self._headers = headers
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        unsent = self._request.method == "HEAD"
        self._length = int(lengths[0]) if lengths and not unsent else None
        return _no_write

    def _next(self) -> bytes | None:
        while (piece := self._guarded(lambda: next(self._pieces, None))) is not None:
            if piece:
                return piece
        return None

    def _guarded(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error), request=self._request) from error
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=self._request) from error


class _Stream(httpx.SyncByteStream):
    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._exchange.take()) is not None:
            yield piece

    def close(self) -> None:
        self._exchange.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await anyio.to_thread.run_sync(self._exchange.take_much)) is not None:
            yield piece

    async def aclose(self) -> None:
        await anyio.to_thread.run_sync(self._exchange.close)


def _environ(request: httpx.Request, content: bytes) -> Environ:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "QUERY_STRING": query.decode("ascii"),
        "SERVER_NAME": request.url.host,
        "SERVER_PORT": str(request.url.port or {"http": 80, "https": 443}[request.url.scheme]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.url.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.multi_items():
        key = name.upper().replace("-", "_")
        plain = key in {"CONTENT_TYPE", "CONTENT_LENGTH"}
        environ[key if plain else f"HTTP_{key}"] = value
    return environ


def _no_write(_: bytes) -> object:
    raise NotImplementedError("write() is of another age: return the body's pieces")
