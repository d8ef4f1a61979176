"""A mock server in this process: no socket, its own world, gone when it is closed."""

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from werkzeug.test import Client as WsgiClient
from werkzeug.test import TestResponse

from settlekit_mock import seeding
from settlekit_mock.app import build, fork_world, open_world
from settlekit_mock.control.buyers import BuyerAnswer
from settlekit_mock.driver import ControlError, Driver
from settlekit_mock.http.server import Server
from settlekit_mock.kernel.database import MEMORY_URL
from settlekit_mock.kernel.problems import Problem
from settlekit_mock.kernel.worker import Worker
from settlekit_mock.kernel.world import World
from settlekit_mock.settings import make_settings
from settlekit_mock.webhooks.install import mounts_of
from settlekit_mock.webhooks.sender import Outcome

if TYPE_CHECKING:
    from settlekit import AsyncClient, Client
    from settlekit.testing.inbox import WebhookInbox
    from settlekit.testing.receivers import Receiver

FREEZE_AT = "2026-01-01T00:00:00Z"
"""Where the clock of a mock in process stands unless told otherwise."""
ORIGIN = "http://localhost"
LONGEST_WAIT_DAYS = 45
"""A month's period, 72 hours and 28 attempts: whatever comes has come by then."""
RoleName = Literal["merchant", "provider", "buyer", "admin"]


class MockServer(Driver):
    """A mock server without a socket, to be driven by tests.

    The clock is frozen at ``freeze_at`` (2026-01-01 unless given; ``None`` runs on the real
    clock). The same ``seed`` and the same calls give the same ids, slots and journal. Further
    keywords are the options of ``settlekit-mock serve``, such as ``webhook_url``.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        freeze_at: str | None = FREEZE_AT,
        db: str = MEMORY_URL,
        **options: Any,
    ) -> None:
        unknown = set(options) - _options()
        if unknown:
            raise TypeError(
                f"no option {', '.join(sorted(unknown))}; see settlekit-mock serve --help"
            )
        settings = make_settings({**options, "seed": seed, "freeze_at": freeze_at})
        self._drive(open_world(db, settings))

    def _drive(self, world: World) -> None:
        self.world = world
        self.world.public_url = world.settings.public_url or ORIGIN
        self.app = build(self.world)
        self._client = WsgiClient(self.app)
        super().__init__(self._send, self._listen)
        self.webhooks = Webhooks(self)

    def _send(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        response = self._open(method, path, body)
        return response.status_code, response.get_data()

    @contextmanager
    def _listen(self, path: str) -> Generator[tuple[int, Iterable[bytes]], None, None]:
        with self._open("GET", path, None) as response:
            yield response.status_code, response.iter_encoded()

    def _open(self, method: str, path: str, body: bytes | None) -> TestResponse:
        path, _, query = path.partition("?")
        return self._client.open(
            path,
            method=method,
            query_string=query,
            base_url="http://localhost",
            environ_base={"REMOTE_ADDR": "127.0.0.1"},
            headers=self._control_headers(),
            data=body or b"",
            content_type=None if body is None else "application/json",
        )

    def _control_headers(self) -> dict[str, str]:
        token = self.world.settings.control_token
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    def token(self, role: RoleName, buyer: BuyerAnswer | str | None = None) -> str:
        """Return the sandbox's token for a role, or a buyer's own."""
        if buyer is not None:
            found = self.buyers.get(buyer) if isinstance(buyer, str) else buyer
            if found.token is None:
                raise ValueError(f"buyer {found.buyer_id} has no token")
            return found.token
        tokens = {
            "merchant": seeding.MERCHANT_TOKEN,
            "provider": seeding.PROVIDER_TOKEN,
            "buyer": seeding.BUYER_TOKEN,
            "admin": self.world.settings.admin_token,
        }
        if role not in tokens:
            raise ValueError(f"role {role!r} is none of {', '.join(tokens)}")
        return tokens[role]

    def client(
        self, role: RoleName = "merchant", *, buyer: BuyerAnswer | str | None = None, **options: Any
    ) -> "Client":
        """Return a real client of this server, over a transport in this process."""
        from settlekit import Client
        from settlekit.testing.transports import sync_http

        options.setdefault("token", self.token(role, buyer))
        return Client(base_url=f"{ORIGIN}/v1", http=sync_http(self.app), **options)

    def async_client(
        self, role: RoleName = "merchant", *, buyer: BuyerAnswer | str | None = None, **options: Any
    ) -> "AsyncClient":
        """Return a real asynchronous client of this server, over a transport in this process."""
        from settlekit import AsyncClient
        from settlekit.testing.transports import async_http

        options.setdefault("token", self.token(role, buyer))
        return AsyncClient(base_url=f"{ORIGIN}/v1", http=async_http(self.app), **options)

    @contextmanager
    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> Generator[Server, None, None]:
        """Put this server on a socket; ``port=0`` takes a free one. Yields it, with its ``url``."""
        server = Server(self.app, host, port).start()
        worker = Worker(self.world)
        self.world.public_url = self.world.settings.public_url or server.public_url
        self.world.own_ports.add(server.port)
        worker.start()
        try:
            yield server
        finally:
            self.world.own_ports.discard(server.port)
            worker.stop()
            self.world.streams.end()
            server.stop()

    def fork(self, *, webhooks: bool = False) -> Self:
        """Return another mock whose world begins as this one is now; this one stays as it is.

        To be used in a ``with`` block, at whose end it is dropped. Its webhooks reach
        nobody and count as delivered, unless ``webhooks`` asks that they go where this
        mock's go. Raises ``ControlError`` for a mock on a file.
        """
        try:
            world = fork_world(self.world, webhooks=webhooks)
        except Problem as problem:
            raise ControlError(problem.status, problem.code, problem.message) from problem
        made = type(self).__new__(type(self))
        made._drive(world)
        return made

    def close(self) -> None:
        """Drop the world."""
        self.world.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<MockServer seed={self.world.settings.seed}>"


class Webhooks:
    """Where a mock's webhooks go in this process, without a socket."""

    def __init__(self, mock: MockServer) -> None:
        self._mock = mock

    def collect(self, merchant: str | None = None) -> "WebhookInbox":
        """Have a merchant's webhooks collected, and return the inbox they come to."""
        from settlekit.testing.inbox import WebhookInbox
        from settlekit.webhooks import SIGNATURE_HEADER

        found = self._mock.merchants.get(merchant or self._mock.world.settings.merchant)
        secret = found.webhook_secret or self._mock.world.settings.webhook_secret
        inbox = WebhookInbox(secret, pass_time=self._pass_time, now=self._signing_time)

        def receive(_url: str, headers: Mapping[str, str], body: bytes) -> int:
            return inbox.receive(body, headers.get(SIGNATURE_HEADER), headers)

        url = f"https://{found.merchant.replace('_', '-')}.localhost/webhooks"
        self._receive(url, found.merchant, receive)
        return inbox

    def deliver_to(self, application: Any, *, url: str, merchant: str | None = None) -> None:
        """Have a merchant's webhooks delivered to a WSGI or ASGI application.

        ``url`` names its endpoint: https, or http on localhost, such as
        ``https://shop.localhost/webhooks``.
        """
        from settlekit.testing.receivers import application_receiver

        name = merchant or self._mock.world.settings.merchant
        self._receive(url, name, application_receiver(application))

    def _receive(self, url: str, merchant: str, receiver: "Receiver") -> None:
        from settlekit.webhooks.explanation import collecting

        def target(to: str, headers: Mapping[str, str], body: bytes) -> Outcome:
            with collecting(original=body) as explained:
                status = receiver(to, headers, body)
            # The delivery's error in the log: why settlekit's own endpoint refused it.
            return Outcome(status, str(explained[-1]) if explained else None)

        mounts_of(self._mock.world).mount(url, target)
        secret = self._mock.merchants.get(merchant).webhook_secret
        self._mock.merchants.update(
            merchant,
            webhook_url=url,
            webhook_secret=secret or self._mock.world.settings.webhook_secret,
        )

    def _signing_time(self) -> float:
        by_clock = self._mock.world.state().sign_with_clock
        return self._mock.clock.now.timestamp() if by_clock else time.time()

    def _pass_time(self, come: Callable[[], bool]) -> None:
        clock = self._mock.clock
        end = clock.now + timedelta(days=LONGEST_WAIT_DAYS)
        while not come():
            left = (end - clock.now).total_seconds()
            if left <= 0 or not clock.advance(until="next", limit=left).reached:
                return


def _options() -> set[str]:
    from settlekit_mock.kernel.world import Settings

    return set(Settings.__slots__)
