"""A webhook endpoint for tests: it proves what arrives, keeps it, and answers as told.

A mock in this process delivers to it without a socket (``mock.webhooks.collect()``); in a
``with`` block it is an endpoint on a free port, for whoever sends from elsewhere.
"""

import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self, get_args

import attrs

from settlekit import webhooks
from settlekit.errors import PayloadError, SignatureError
from settlekit.webhooks.explanation import offer

SECRET: Final = "whsec_settlekit_test"  # noqa: S105  (for tests alone)
MAX_BODY_BYTES: Final = 1 << 20
#: Of the connection that brought them, or of the body as it is sent on.
_LEFT_BEHIND: Final = {"host", "connection", "content-length", "transfer-encoding"}
_KINDS: Final = tuple(kind.kind for kind in get_args(webhooks.Classification))
PassTime = Callable[[Callable[[], bool]], object]
"""Lets time pass until the callable it is given says that it is enough."""


@attrs.frozen(kw_only=True)
class Delivery:
    """One delivery that arrived: its raw body and header, and the event they prove."""

    body: bytes
    header: str | None
    event: webhooks.Event


class WebhookInbox:
    """Keeps what arrives.

    Deliveries whose signature holds are kept and answered with ``status`` (204); others
    are refused with 400 and kept out. ``pass_time`` lets the sender's time pass while
    somebody waits; ``now`` is the clock that the sender signs by. ``deliver_to`` has an
    application take what arrives, too.
    """

    def __init__(
        self,
        secret: str = SECRET,
        *,
        status: int = 204,
        pass_time: PassTime | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.secret = secret
        self.status = status
        self._pass_time = pass_time
        self._now = now
        self._deliveries: list[Delivery] = []
        self._refusals: list[str] = []
        self._arrived = threading.Condition()
        self._server: ThreadingHTTPServer | None = None
        self._hand_on: Callable[[Mapping[str, str], bytes], int] | None = None

    def __repr__(self) -> str:
        count = len(self.deliveries)
        arrived = f"{count} deliver{'y' if count == 1 else 'ies'}"
        served = "" if self._server is None else f" on {self.url}"
        return f"<{type(self).__name__}{served}: {arrived}>"

    @property
    def url(self) -> str:
        """Where to deliver, within a ``with`` block."""
        if self._server is None:
            raise RuntimeError("this inbox has no port: use it in a with block")
        return f"http://127.0.0.1:{self._server.server_port}/webhooks"

    @property
    def deliveries(self) -> list[Delivery]:
        """What arrived, in its order; the same event may be there more than once."""
        with self._arrived:
            return list(self._deliveries)

    @property
    def events(self) -> list[webhooks.Event]:
        """The events that arrived, in the order of their deliveries."""
        return [delivery.event for delivery in self.deliveries]

    @property
    def refusals(self) -> list[str]:
        """Why each delivery that wasn't kept was refused, without a secret."""
        with self._arrived:
            return list(self._refusals)

    def wait_for(
        self,
        *,
        event_type: str | None = None,
        kind: str | None = None,
        timeout_seconds: float = 5.0,
    ) -> webhooks.Event:
        """Return the first event of a type or of a classified kind, waiting until it is there.

        A mock's inbox lets the mock's time pass meanwhile, 45 days at most. Raises
        TimeoutError with what arrived instead, and ValueError for a kind that there isn't.
        """
        if kind is not None and kind not in _KINDS:
            raise ValueError(f"no kind {kind!r}; there are {', '.join(_KINDS)}")
        if self._pass_time is not None:
            self._pass_time(lambda: self._first(event_type, kind) is not None)
            timeout_seconds = 0
        with self._arrived:
            found = self._arrived.wait_for(lambda: self._first(event_type, kind), timeout_seconds)
        if found is None:
            arrived = [f"{e.type} ({webhooks.classify(e).kind})" for e in self.events]
            refused = f"; refused: {self.refusals}" if self.refusals else ""
            wanted = kind or event_type or "event"
            raise TimeoutError(f"no {wanted} arrived; there are {arrived}{refused}")
        return found

    def clear(self) -> None:
        """Forget what arrived so far."""
        with self._arrived:
            self._deliveries.clear()
            self._refusals.clear()

    def deliver_to(self, application: Any, *, url: str) -> None:
        """Have what arrives from now on taken by an application in this process, too.

        It is WSGI or ASGI; a Django site is either. ``url`` names its endpoint, such as
        ``https://shop.localhost/webhooks``. What it answers is answered to the sender; what is
        proven is kept as ever, once the application is done with it.
        """
        from settlekit.testing.receivers import application_receiver

        receive = application_receiver(application)
        self._hand_on = lambda headers, body: receive(url, headers, body)

    def receive(
        self, body: bytes, header: str | None, headers: Mapping[str, str] | None = None
    ) -> int:
        """Take a delivery and return the status to answer with.

        ``headers`` are all of the delivery's, for an application that takes it too.
        """
        if self._hand_on is None:
            return self._keep(body, header)
        signed = {} if header is None else {webhooks.SIGNATURE_HEADER: header}
        try:
            return self._hand_on(signed if headers is None else headers, body)
        finally:
            self._keep(body, header)

    def _keep(self, body: bytes, header: str | None) -> int:
        try:
            event = webhooks.verify(body, header, self.secret, now=self._now)
        except (SignatureError, PayloadError) as error:
            offer(body, header, [self.secret], webhooks.TOLERANCE_SECONDS, self._now)
            found = webhooks.explain(body, header, self.secret, now=self._now)
            told = str(error) if found.verified else str(found)
            with self._arrived:
                self._refusals.append(told)
            return 400
        with self._arrived:
            self._deliveries.append(Delivery(body=body, header=header, event=event))
            self._arrived.notify_all()
        return self.status

    def _first(self, event_type: str | None, kind: str | None) -> webhooks.Event | None:
        for delivery in self._deliveries:
            event = delivery.event
            if event_type in {None, event.type} and kind in {None, webhooks.classify(event).kind}:
                return event
        return None

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = None


def _handler_of(inbox: WebhookInbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(min(length, MAX_BODY_BYTES))
            header = self.headers.get(webhooks.SIGNATURE_HEADER)
            headers = {n: v for n, v in self.headers.items() if n.lower() not in _LEFT_BEHIND}
            self.send_response(inbox.receive(body, header, headers))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing: a test's output is its own."""

    return Handler
