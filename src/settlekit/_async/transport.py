"""The one place that knows httpx: requests out, answers or TransportErrors back."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from settlekit._calls.call import Answer
from settlekit._flow import Request
from settlekit.errors import RequestTimeout, TransportError

if TYPE_CHECKING:
    import ssl

    import httpx


class AsyncTransport:
    """A pool of connections; httpx is loaded when the first one is made."""

    def __init__(self, http: "httpx.AsyncClient | None", *, encrypted: bool) -> None:
        self._owned = http is None
        self._http = _open_pool(encrypted=encrypted) if http is None else http

    async def open(
        self, request: Request, *, stream: bool = False
    ) -> "tuple[Answer | TransportError, AsyncBody | None]":
        """Make a request; with ``stream`` a success comes with its body unread."""
        import httpx

        started = time.monotonic()
        try:
            response = await self._http.send(
                self._http.build_request(
                    request.method,
                    request.url,
                    headers=dict(request.headers),
                    content=request.content,
                    timeout=request.timeout_seconds,
                ),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            if stream and response.is_success:
                return _answer(response, b"", started), AsyncBody(response)
            try:
                return _answer(response, await response.aread(), started), None
            finally:
                await response.aclose()
        except httpx.RequestError as error:
            return _fault(error), None

    async def close(self) -> None:
        """Close the pool, unless it is the caller's own."""
        if self._owned:
            await self._http.aclose()


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

    async def release(self) -> None:
        """Give the connection back.

        Not called close: a generator that delegates to an iterator closes it when it ends.
        """
        await self._response.aclose()


def _open_pool(*, encrypted: bool) -> "httpx.AsyncClient":
    import httpx

    if encrypted:
        return httpx.AsyncClient(verify=_shared_context())
    # Plain http goes to a loopback name: no proxy, and no TLS context to build.
    return httpx.AsyncClient(verify=False, trust_env=False)  # noqa: S501


def _answer(response: "httpx.Response", content: bytes, started: float) -> Answer:
    return Answer(
        status=response.status_code,
        headers=dict(response.headers),
        content=content,
        elapsed=timedelta(seconds=time.monotonic() - started),
    )


def _fault(error: "httpx.RequestError") -> TransportError:
    import httpx

    kind = RequestTimeout if isinstance(error, httpx.TimeoutException) else TransportError
    fault = kind(f"{type(error).__name__}: {error}")
    fault.__cause__ = error
    return fault


@cache
def _shared_context() -> "ssl.SSLContext":
    """Make one TLS context for all clients: it costs more than all the rest of one."""
    import httpx

    return httpx.create_ssl_context()
