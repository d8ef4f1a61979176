"""A shop as its tests see it: a browser before it, its platform behind it, its database."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from examples.demo.browser import form_with_button, submit
from examples.shop_parts.account import MERCHANT, WEBHOOK_PATH, Account, account_of_mock
from settlekit.testing.exam import Order
from settlekit_mock import MockServer
from tests.examples.shops.opening import rows
from tests.examples.shops.running import Running, free_port


@dataclass
class Shop:
    """One of the shops."""

    kind: str
    mock: MockServer
    account: Account
    database: Path
    browser: httpx.Client
    application: Any = None
    restart: Callable[[], object] | None = None
    delivered: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def page(self, path: str) -> str:
        return self.browser.get(path).text

    def press_buy(self, product_id: str, order_id: str = "order-1") -> httpx.Response:
        """Press the button of a product's page, with an order number of our own."""
        page = self.browser.get(f"/products/{product_id}")
        form = form_with_button(page, "Buy")
        assert form is not None
        return submit(self.browser, page, form, order_id=order_id)

    def buy(self, product_id: str, order_id: str = "order-1") -> str:
        """Start a checkout as a browser does; return the session's id."""
        return self.press_buy(product_id, order_id).headers["Location"].rpartition("/")[2]

    def sandbox(self, session_id: str, helper: str) -> int:
        """Call a sandbox helper of the mock."""
        with self.mock.client("merchant") as client:
            path = f"/sandbox/checkout-sessions/{session_id}/{helper}"
            return client.request("POST", path).response.status

    def rows(self, table: str) -> list[dict[str, Any]]:
        return rows(self.kind, self.database, table)

    def order(self, order_id: str = "order-1") -> dict[str, Any]:
        (found,) = [row for row in self.rows("orders") if row["order_id"] == order_id]
        return found

    def status(self, order_id: str = "order-1") -> str:
        return str(self.order(order_id)["status"])

    def post_webhook(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self.browser.post(WEBHOOK_PATH, content=body, headers=headers)

    # What the exam is given

    def start_checkout(self) -> Order:
        """Open an order with a checkout, and tell the exam of it."""
        order_id = uuid.uuid4().hex
        with self.mock.client("merchant") as client:
            session = client.checkout_sessions.get(self.buy("piano-album", order_id))
        assert session.challenge_hash is not None
        return Order(
            key=order_id,
            challenge_hash=session.challenge_hash,
            amount_minor=session.amount_minor,
            currency=session.currency,
            merchant=MERCHANT,
            success_url=f"{self.account.origin}/success",
        )

    def probe(self, order_id: str | None) -> dict[str, object]:
        """Tell an order's state, or the shop's books: revenue as its page has it, from statements."""
        if order_id is not None:
            order = self.order(order_id)
            return {"status": order["status"], "receipt": order["chain_receipt_id"] is not None}
        with self.mock.client("provider") as client:
            settled = client.provider_statements.summary().totals.settled_provider_receivable_minor
        return {"revenue_minor": float(settled), "review": len(self.reviews())}

    def reviews(self) -> list[tuple[str, str]]:
        """Return the events that wait for a person, each with its reason."""
        kept = self.rows("settlekit_webhook_events")
        return [
            (event["event_id"], event["reason"]) for event in kept if event["state"] == "review"
        ]


@contextmanager
def shop_in_a_process(kind: str, database: Path) -> Iterator[Shop]:
    """Run a shop in a process that can be killed, beside a mock on the real clock."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with (
        MockServer(freeze_at=None, origin=origin, webhook_url=origin + WEBHOOK_PATH) as mock,
        mock.serve() as server,
        httpx.Client(base_url=origin, trust_env=False) as browser,
    ):
        account = account_of_mock(mock, origin, f"{server.url}/v1")
        # What a killed delivery held is free again before the next one comes.
        account = replace(account, lease_seconds=0.1)
        running = Running(kind, account, port, database)
        yield Shop(kind, mock, account, database, browser, restart=running.restart)
        running.kill()
