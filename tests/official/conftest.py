from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
import siglume_direct_request_payment as official

from settlekit_mock.driver import Driver
from tests.settlekit_mock.cli.serving import PATIENCE_SECONDS, Receiver, driving, served

START = "2026-03-02T00:00:00Z"


@dataclass(frozen=True)
class Platform:
    """The mock as a shop sees it: an address, an environment, an endpoint of its own."""

    url: str
    env: dict[str, str]
    tokens: dict[str, str]
    driver: Driver
    receiver: Receiver

    @property
    def secret(self) -> str:
        return self.env["SIGLUME_WEBHOOK_SECRET"]

    @property
    def merchant_key(self) -> str:
        return self.env["SIGLUME_DIRECT_PAYMENT_MERCHANT"]

    def merchant(self, token: str | None = None) -> official.DirectRequestPaymentMerchantClient:
        return official.DirectRequestPaymentMerchantClient(
            auth_token=token or self.tokens["merchant"], base_url=self.env["SIGLUME_API_BASE"]
        )

    def person(self, role: str) -> official.DirectRequestPaymentClient:
        return official.DirectRequestPaymentClient(
            auth_token=self.tokens[role], base_url=self.env["SIGLUME_API_BASE"]
        )

    def confirm(self, session_id: str) -> httpx.Response:
        return self.sandbox(session_id, "confirm")

    def sandbox(self, session_id: str, action: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}/sandbox/checkout-sessions/{session_id}/{action}", trust_env=False
        )

    def post(self, path: str, body: dict[str, object] | None = None) -> httpx.Response:
        """Call what the official client has no method for, as the merchant."""
        headers = {"Authorization": f"Bearer {self.tokens['merchant']}"}
        return httpx.post(
            f"{self.env['SIGLUME_API_BASE']}{path}",
            json=body or {},
            headers=headers,
            trust_env=False,
            timeout=PATIENCE_SECONDS,
        )


@pytest.fixture(scope="session")
def running() -> Iterator[Platform]:
    """A server in a process of its own, its clock frozen, and a receiver it delivers to."""
    with (
        Receiver() as receiver,
        served("--freeze-at", START, "--webhook-url", receiver.url) as server,
        driving(server.url) as driver,
    ):
        told = server.told
        yield Platform(told["url"], told["env"], told["tokens"], driver, receiver)


@pytest.fixture
def platform(running: Platform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """The running server, begun anew for the test; no proxy comes between."""
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    running.driver.reset()
    running.receiver.clear()
    return running
