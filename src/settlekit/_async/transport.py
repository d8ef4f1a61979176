"""The one place that knows httpx: requests out, answers or errors back."""

import os
import time
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from settlekit._calls.call import Answer
from settlekit._flow import Request
from settlekit._pause import async_deadline, current_loop
from settlekit._redaction import redact
from settlekit._tls import shared_context
from settlekit.errors import (
    ClientUnusable,
    ConfigurationError,
    DecodeError,
    InvalidArgument,
    RequestTimeout,
    TransportError,
)

if TYPE_CHECKING:
    import httpx

DEFAULT_TIMEOUT_SECONDS: Final = 30.0
KEPT_URLS: Final = 128


class AsyncTransport:
    """A pool of connections, of its own or the caller's.

    One of its own is made anew in a forked process: two that read from one socket would
    take each other's answers. httpx is loaded when the first one is made.
    """

    def __init__(self, http: "httpx.AsyncClient | None", *, encrypted: bool) -> None:
        self._owned = http is None
        self._encrypted = encrypted
        self._closed = False
        self._http = _open_pool(encrypted=encrypted) if http is None else _checked(http)
        self._pools = {os.getpid(): self._http}
        # async only: begin
        self._loop: object | None = None
        # async only: end

    async def open(
        self, request: Request, *, stream: bool = False
    ) -> "tuple[Answer | TransportError | DecodeError, AsyncBody | None]":
        """Make a request; with ``stream`` a success comes with its body unread."""
        import httpx

        http = self._pool()
        started = time.monotonic()
        try:
            with async_deadline(request.left_seconds):
                response = await http.send(
                    http.build_request(
                        request.method,
                        _parsed(request.url),
                        headers=dict(request.headers),
                        content=request.content,
                        timeout=_timeout(http, request),
                    ),
                    stream=True,
                    auth=None,
                    follow_redirects=False,
                )
                if stream and response.is_success:
                    return _answer(response, b"", started), AsyncBody(response)
                return await _read(response, request, started), None
        except TimeoutError:
            return _late(request), None
        except httpx.RequestError as error:
            return _fault(error, request), None
        except httpx.InvalidURL as error:
            raise InvalidArgument("url", f"can't be asked for: {error}") from None
        except RuntimeError as error:
            if not http.is_closed:
                raise
            raise ClientUnusable("the client is closed") from error

    async def close(self) -> None:
        """Close the pool, unless it is the caller's own."""
        self._closed = True
        if self._owned and os.getpid() in self._pools:
            await self._pools[os.getpid()].aclose()

    def _pool(self) -> "httpx.AsyncClient":
        """Return the pool of this process, or raise ClientUnusable."""
        if self._closed or self._http.is_closed:
            raise ClientUnusable("the client is closed")
        # async only: begin
        self._stay_in_one_loop()
        # async only: end
        if not self._owned:
            return self._http
        pool = self._pools.get(os.getpid())
        if pool is None:
            # The parent's pool is left alone: to close it here could wait for a lock for ever.
            pool = self._pools.setdefault(os.getpid(), _open_pool(encrypted=self._encrypted))
        return pool

    # async only: begin
    def _stay_in_one_loop(self) -> None:
        loop = current_loop()
        if self._loop is None or os.getpid() not in self._pools:
            self._loop = loop
        elif self._loop is not loop:
            raise ClientUnusable(
                "the client's connections belong to another event loop: "
                "make a client in each loop, and close it there"
            )

    # async only: end


class AsyncBody:
    """The bytes of a streamed answer as they come; one that breaks off raises TransportError."""

    def __init__(self, response: "httpx.Response") -> None:
        self._response = response
        self._pieces = response.aiter_bytes()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        import httpx

        try:
            return await self._pieces.__anext__()
        except httpx.RequestError as error:
            raise _fault(error) from error
        except httpx.StreamError as error:
            raise TransportError(f"{type(error).__name__}: {error}") from error
        except StopAsyncIteration:
            self._check_length()
            raise

    def _check_length(self) -> None:
        """Notice a cut that the pool, maybe the caller's own, didn't."""
        said = self._response.headers.get("content-length", "")
        received = self._response.num_bytes_downloaded
        if said.isdecimal() and received < int(said):
            raise TransportError(f"the body has {received} bytes where {said} were promised")

    async def release(self) -> None:
        """Give the connection back.

        Not called close: a generator that delegates to an iterator closes it when it ends.
        """
        await self._response.aclose()


async def _read(
    response: "httpx.Response", request: Request, started: float
) -> Answer | TransportError | DecodeError:
    """Read the body piece by piece, no further than its time and its length allow."""
    # Kept as they come: a body of one piece, as pages mostly are, is never copied.
    pieces: list[bytes] = []
    length = 0
    try:
        async for piece in response.aiter_bytes():
            pieces.append(piece)
            length += len(piece)
            if length > request.max_bytes:
                problem = f"the answer is longer than {request.max_bytes} bytes @ $"
                return DecodeError((problem,), _answer(response, b"", started).metadata())
            if request.left_seconds and time.monotonic() - started > request.left_seconds:
                return _late(request)
        return _answer(response, b"".join(pieces), started)
    finally:
        await response.aclose()


@lru_cache(maxsize=KEPT_URLS)
def _parsed(url: str) -> "httpx.URL":
    """Parse a URL, or raise httpx.InvalidURL; who polls asks for the same one again."""
    import httpx

    return httpx.URL(url)


def _timeout(http: "httpx.AsyncClient", request: Request) -> "httpx.Timeout":
    """Return the time for each step: as asked, or the caller's pool's own; no more than is left."""
    import httpx

    own = (
        http.timeout if request.timeout_seconds is None else httpx.Timeout(request.timeout_seconds)
    )
    if request.left_seconds is None:
        return own
    left = request.left_seconds
    steps = own.as_dict()
    if all(seconds is not None and seconds <= left for seconds in steps.values()):
        return own
    return httpx.Timeout(
        **{name: left if seconds is None else min(seconds, left) for name, seconds in steps.items()}
    )


def _checked(http: object) -> "httpx.AsyncClient":
    import httpx

    if not isinstance(http, httpx.AsyncClient):
        raise ConfigurationError("http must be an httpx.AsyncClient")
    return http


def _open_pool(*, encrypted: bool) -> "httpx.AsyncClient":
    import httpx

    if encrypted:
        return httpx.AsyncClient(
            verify=shared_context(httpx.create_ssl_context), timeout=DEFAULT_TIMEOUT_SECONDS
        )
    # Plain http goes to a loopback name: no proxy, and no TLS context to build.
    return httpx.AsyncClient(
        verify=False,  # noqa: S501
        trust_env=False,
        timeout=DEFAULT_TIMEOUT_SECONDS,
    )


def _answer(response: "httpx.Response", content: bytes, started: float) -> Answer:
    headers = _headers(response)
    return Answer(
        status=response.status_code,
        headers=headers,
        content=content,
        elapsed=timedelta(seconds=time.monotonic() - started),
        framed=_is_framed(response.extensions.get("http_version", b""), headers),
    )


def _headers(response: "httpx.Response") -> dict[str, str]:
    """Return the headers by their names in small letters, those of one name joined."""
    # From the bytes: httpx would ask for their encoding at each one.
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _is_framed(version: bytes, headers: Mapping[str, str]) -> bool:
    """Say whether the transport itself notices a body that was cut.

    HTTP/2 always does, HTTP/1 where the length or the last chunk says so; a transport in
    this process raises what went wrong.
    """
    chunked = "chunked" in headers.get("transfer-encoding", "").lower()
    return not version.startswith(b"HTTP/1") or chunked or "content-length" in headers


def _late(request: Request) -> RequestTimeout:
    seconds = request.left_seconds or 0.0
    return RequestTimeout(f"no whole answer in the {seconds:.3g} s that the call had left")


def _fault(error: "httpx.RequestError", request: Request | None = None) -> TransportError:
    import httpx

    kind = RequestTimeout if isinstance(error, httpx.TimeoutException) else TransportError
    secrets = () if request is None else request.secrets
    fault = kind(redact(f"{type(error).__name__}: {error}", *secrets))
    fault.__cause__ = error
    return fault
