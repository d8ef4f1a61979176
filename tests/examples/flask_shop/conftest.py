from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient

from examples.flask_shop.app import create_app
from examples.flask_shop.serve import WEBHOOK_PATH, mock_settings
from examples.flask_shop.store import Order, Store
from settlekit_mock import MockServer
from settlekit_mock.webhooks.install import mounts_of
from settlekit_mock.webhooks.sender import Outcome

ORIGIN = "http://localhost:3000"


@dataclass
class Shop:
    """The shop and the mock it sells through, both in this process."""

    mock: MockServer
    browser: FlaskClient
    store: Store
    webhook_secret: str
    delivered: list[tuple[dict[str, str], bytes]]

    def buy(self, product_id: str, order_id: str = "order-1") -> str:
        """Start a checkout as a browser does; return the session's id."""
        form = {"product_id": product_id, "order_id": order_id}
        return str(self.browser.post("/checkout", data=form).headers["Location"].split("/")[-1])

    def sandbox(self, session_id: str, helper: str) -> int:
        """Call a sandbox helper of the mock."""
        path = f"/sandbox/checkout-sessions/{session_id}/{helper}"
        with self.mock.client("merchant") as client:
            return client.request("POST", path).response.status

    def order(self, order_id: str = "order-1") -> Order:
        order = self.store.order(order_id)
        assert order is not None
        return order

    def page(self, path: str) -> str:
        return self.browser.get(path).get_data(as_text=True)

    def post_webhook(self, body: bytes, headers: Mapping[str, Any]) -> int:
        return self.browser.post(WEBHOOK_PATH, data=body, headers=dict(headers)).status_code


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop whose webhooks come from a mock in this process, without a socket."""
    with MockServer(origin=ORIGIN, webhook_url=ORIGIN + WEBHOOK_PATH) as mock:
        client, store = mock.client("merchant"), Store()
        settings = mock_settings(client, ORIGIN, mock.world.settings.webhook_secret)
        app = create_app(client, settings, store)
        made = Shop(mock, app.test_client(), store, settings.webhook_secret, [])

        def deliver(_url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
            made.delivered.append((dict(headers), body))
            return Outcome(made.post_webhook(body, headers))

        mounts_of(mock.world).mount(ORIGIN, deliver)
        yield made
        client.close()
        store.close()
