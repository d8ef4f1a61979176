"""A webhook endpoint for tests: it proves what arrives, keeps it, and answers as told."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

import attrs

from settlekit import webhooks
from settlekit.errors import PayloadError, SignatureError

SECRET: Final = "whsec_settlekit_test"  # noqa: S105  (for tests alone)
MAX_BODY_BYTES: Final = 1 << 20


@attrs.frozen(kw_only=True)
class Delivery:
    """One delivery that arrived: its raw body and header, and the event they prove."""

    body: bytes
    header: str | None
    event: webhooks.Event


class WebhookInbox:
    """An endpoint on a free port of this machine; use it in a ``with`` block.

    Deliveries whose signature holds are kept and answered with ``status`` (204); others
    are refused with 400 and kept out.
    """

    def __init__(self, secret: str = SECRET, *, status: int = 204) -> None:
        self.secret = secret
        self.status = status
        self._deliveries: list[Delivery] = []
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Where to deliver."""
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

    def wait_for(
        self,
        *,
        type: str | None = None,  # noqa: A002  (named as on the wire)
        kind: str | None = None,
        timeout_seconds: float = 5.0,
    ) -> webhooks.Event:
        """Return the first event of a type or of a classified kind, waiting until it is there.

        Raises TimeoutError with what arrived instead.
        """
        with self._arrived:
            found = self._arrived.wait_for(lambda: self._first(type, kind), timeout_seconds)
        if found is None:
            arrived = [f"{e.type} ({webhooks.classify(e).kind})" for e in self.events]
            raise TimeoutError(f"no {kind or type or 'event'} arrived; there are {arrived}")
        return found

    def clear(self) -> None:
        """Forget what arrived so far."""
        with self._arrived:
            self._deliveries.clear()

    def receive(self, body: bytes, header: str | None) -> int:
        """Take a delivery and return the status to answer with."""
        try:
            event = webhooks.verify(body, header, self.secret)
        except (SignatureError, PayloadError):
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
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler_of(inbox: WebhookInbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(min(length, MAX_BODY_BYTES))
            self.send_response(inbox.receive(body, self.headers.get(webhooks.SIGNATURE_HEADER)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing: a test's output is its own."""

    return Handler
