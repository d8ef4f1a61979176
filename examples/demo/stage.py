"""Bring up what the story needs, each on a socket of its own: the platform's mock, and the shop.

Everything ends with the block, in the opposite order.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from examples.demo.orders import Month
from examples.demo.shop_books import ShopBooks
from examples.flask_shop.serve import open_shop
from examples.shop_parts.account import WEBHOOK_PATH, account_of_mock
from examples.shop_parts.catalogue import Product
from examples.shop_parts.serving import listening
from settlekit import AsyncClient, Client
from settlekit_mock import MockServer
from settlekit_mock.driver import Driver

TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Who plays: addresses, and a client for each part."""

    mock_url: str
    shop_url: str
    products: dict[tuple[str, int, str], Product]
    books: ShopBooks
    control: Driver
    """Moves the mock's clock and its buyers."""
    merchant: Client
    provider: Client
    operator: Client
    browser: httpx.Client
    """A customer's; it follows redirects from the shop to the platform's page and back."""
    provider_token: str
    buyer_ids: dict[str, str]
    """The mock's id for each customer."""

    def async_provider(self) -> AsyncClient:
        """Make the provider's asynchronous client."""
        return AsyncClient(token=self.provider_token, base_url=f"{self.mock_url}/v1")

    def customer(self, name: str) -> Client:
        """Make a client with a customer's own token."""
        token = self.control.buyers.get(self.buyer_ids[name]).token
        return Client(token=token, base_url=f"{self.mock_url}/v1")


@contextmanager
def set_up(month: Month) -> Iterator[Stage]:
    """Start the mock, frozen where the month begins, and the shop that it tells of payments."""
    with ExitStack() as stack:
        listener = stack.enter_context(listening())
        mock = stack.enter_context(
            MockServer(
                freeze_at=month.starts_at.isoformat().replace("+00:00", "Z"),
                origin=listener.url,
                webhook_url=listener.url + WEBHOOK_PATH,
            )
        )
        base_url = stack.enter_context(mock.serve(port=0)).url
        clients = {
            role: stack.enter_context(Client(token=mock.token(role), base_url=f"{base_url}/v1"))
            for role in ("merchant", "provider", "admin")
        }
        products = catalogue_of(month)
        account = account_of_mock(mock, listener.url, f"{base_url}/v1")
        folder = stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True))
        database = Path(folder) / "shop.db"
        shop = stack.enter_context(open_shop(account, database, list(products.values())))
        books = ShopBooks(database)
        stack.callback(books.close)
        listener.answer_with(books.counting(shop))
        control = Driver(stack.enter_context(_control_calls(base_url)))
        yield Stage(
            mock_url=base_url,
            shop_url=listener.url,
            products=products,
            books=books,
            control=control,
            merchant=clients["merchant"],
            provider=clients["provider"],
            operator=clients["admin"],
            browser=stack.enter_context(_browser()),
            provider_token=mock.token("provider"),
            buyer_ids={},
        )


def catalogue_of(month: Month) -> dict[tuple[str, int, str], Product]:
    """Make the shop's catalogue: what the orders buy, at their prices."""
    sold = dict.fromkeys((each.item, each.amount_minor, each.currency) for each in month.orders)
    return {
        (item, amount_minor, currency): Product(f"p-{number:03}", item, amount_minor, currency)
        for number, (item, amount_minor, currency) in enumerate(sold, start=1)
    }


@contextmanager
def _control_calls(base_url: str) -> Iterator[Any]:
    """Give what the mock's driver needs: a way to send its calls to a socket."""
    with httpx.Client(base_url=base_url, timeout=TIMEOUT_SECONDS, trust_env=False) as http:

        def send(method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
            headers = {} if body is None else {"Content-Type": "application/json"}
            response = http.request(method, path, content=body, headers=headers)
            return response.status_code, response.content

        yield send


def _browser() -> httpx.Client:
    return httpx.Client(follow_redirects=True, timeout=TIMEOUT_SECONDS, trust_env=False)
