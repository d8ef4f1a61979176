"""Crash points: cut a call where connections break, and prove that it takes effect once.

    must_take_effect_once(application, send, effects)

A call can be lost before it is received, after it was committed and before its answer, and in
the middle of the answer. A client can't tell these apart: it repeats what is safe to repeat,
and raises for the rest. ``Cut`` breaks one call at one point; ``trials`` breaks every call of a
sequence at every point, one at a time.
"""

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from enum import StrEnum
from typing import Any, Final

import attrs
import httpx

from settlekit.errors import TransportError
from settlekit.testing.transports import WsgiTransport

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_CALLS: Final = 50


class CrashPoint(StrEnum):
    """Where a call's connection breaks."""

    BEFORE_RECEIPT = "before receipt"
    BEFORE_ANSWER = "after the commit, before the answer"
    IN_ANSWER = "in the middle of the answer"


class Cut:
    """Breaks the nth writing call that goes through it, and passes on all others.

    Put it around the way to an application: ``transport(app)`` for ``httpx.Client``,
    ``async_transport(app)`` for ``httpx.AsyncClient``. ``sent`` counts the writing calls,
    ``happened`` says whether one was broken.
    """

    def __init__(self, point: CrashPoint, *, nth: int = 1) -> None:
        self.point = point
        self.sent = 0
        self.happened = False
        self._nth = nth

    def transport(self, application: Any) -> httpx.BaseTransport:
        """Return the way to a WSGI or ASGI application, a Django site's too."""
        inner = _AsgiTransport(application) if _is_asgi(application) else WsgiTransport(application)
        return _CutTransport(self, inner)

    def async_transport(self, application: Any) -> httpx.AsyncBaseTransport:
        """Return the way to an ASGI application, or any for an asynchronous client."""
        from settlekit.testing.transports import AsyncWsgiTransport

        way = httpx.ASGITransport if _is_asgi(application) else AsyncWsgiTransport
        return _AsyncCutTransport(self, way(application))

    def meets(self, request: httpx.Request) -> bool:
        """Count a call, and say whether it is the one to break."""
        if request.method in READING:
            return False
        self.sent += 1
        broken = self.sent == self._nth
        self.happened |= broken
        return broken

    def lost(self, request: httpx.Request) -> httpx.TransportError:
        """Return what a client sees of a call that was lost."""
        if self.point is CrashPoint.BEFORE_RECEIPT:
            return httpx.WriteError("cut before receipt", request=request)
        return httpx.ReadError("cut before the answer", request=request)


@attrs.frozen
class Trial:
    """One call, or sequence of calls, of which one was broken, and what came of it."""

    point: CrashPoint
    nth: int
    sent: int
    error: Exception | None
    effects: int

    def __str__(self) -> str:
        ended = "no error" if self.error is None else repr(self.error)
        return (
            f"call {self.nth} cut {self.point}: {self.effects} effects, "
            f"{self.sent} calls sent, {ended}"
        )


Send = Callable[[httpx.Client], object]
"""Does the thing once, over this HTTP client, with whatever repeats your own code has."""


def trials(application: Any, send: Send, effects: Callable[[], int]) -> Iterator[Trial]:
    """Break each writing call of ``send`` at each point, in turn, and yield what came of it.

    ``effects`` counts how often the thing was done so far.
    """
    for point in CrashPoint:
        for nth in range(1, MOST_CALLS):
            cut, before = Cut(point, nth=nth), effects()
            error = _send(cut, application, send)
            if not cut.happened:
                break
            yield Trial(point, nth, cut.sent, error, effects() - before)


def must_take_effect_once(application: Any, send: Send, effects: Callable[[], int]) -> list[Trial]:
    """Prove that a call takes effect once, wherever its connection breaks.

    ``send`` must come through without an error: it repeats. AssertionError names the points at
    which it didn't, or took effect twice or never.
    """
    seen = list(trials(application, send, effects))
    if not seen:
        raise AssertionError("nothing was proven: no writing call was sent")
    wrong = [trial for trial in seen if trial.error is not None or trial.effects != 1]
    if wrong:
        raise AssertionError("\n".join(map(str, wrong)))
    return seen


def must_not_repeat(application: Any, send: Send, effects: Callable[[], int]) -> list[Trial]:
    """Prove that a single call is left alone where its connection breaks: one call, an error.

    Whether it took effect nobody can tell, but never twice. AssertionError names the points at
    which it was repeated, or ended as if nothing had been.
    """
    seen = list(trials(application, send, effects))
    if not seen:
        raise AssertionError("nothing was proven: no writing call was sent")
    wrong = [t for t in seen if t.error is None or t.sent != 1 or t.effects not in (0, 1)]
    if wrong:
        raise AssertionError("\n".join(map(str, wrong)))
    return seen


def _send(cut: Cut, application: Any, send: Send) -> Exception | None:
    with httpx.Client(
        transport=cut.transport(application), base_url="http://localhost", trust_env=False
    ) as http:
        try:
            send(http)
        except (httpx.TransportError, TransportError) as error:
            return error
    return None


class _CutTransport(httpx.BaseTransport):
    def __init__(self, cut: Cut, inner: httpx.BaseTransport) -> None:
        self._cut = cut
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self._cut.meets(request):
            return self._inner.handle_request(request)
        if self._cut.point is CrashPoint.BEFORE_RECEIPT:
            raise self._cut.lost(request)
        answer = self._inner.handle_request(request)
        body = answer.read()
        answer.close()
        if self._cut.point is CrashPoint.BEFORE_ANSWER:
            raise self._cut.lost(request)
        return _begun(answer, _Half(body, self._cut.lost(request)))


class _AsyncCutTransport(httpx.AsyncBaseTransport):
    def __init__(self, cut: Cut, inner: httpx.AsyncBaseTransport) -> None:
        self._cut = cut
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._cut.meets(request):
            return await self._inner.handle_async_request(request)
        if self._cut.point is CrashPoint.BEFORE_RECEIPT:
            raise self._cut.lost(request)
        answer = await self._inner.handle_async_request(request)
        body = await answer.aread()
        await answer.aclose()
        if self._cut.point is CrashPoint.BEFORE_ANSWER:
            raise self._cut.lost(request)
        return _begun(answer, _Half(body, self._cut.lost(request)))


class _Half(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The first half of a body, and then the break."""

    def __init__(self, body: bytes, error: httpx.TransportError) -> None:
        self._body = body[: len(body) // 2]
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
        raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body
        raise self._error


def _begun(answer: httpx.Response, half: _Half) -> httpx.Response:
    return httpx.Response(answer.status_code, headers=answer.headers, stream=half)


class _AsgiTransport(httpx.BaseTransport):
    """Hands requests to an ASGI application, each in a loop of its own."""

    def __init__(self, application: Any) -> None:
        self._inner = httpx.ASGITransport(application)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        found: list[httpx.Response | BaseException] = []

        def run() -> None:
            try:
                found.append(asyncio.run(self._answer(request)))
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                found.append(error)

        # The caller's thread may have a loop that runs already.
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if isinstance(found[0], BaseException):
            raise found[0]
        return found[0]

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)


def _is_asgi(application: Any) -> bool:
    call = application if inspect.isfunction(application) else type(application).__call__
    return inspect.iscoroutinefunction(call)
