from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from examples.shop_parts.account import MERCHANT, WEBHOOK_PATH, account_of_mock
from settlekit.testing.receivers import application_receiver
from settlekit_mock import MockServer
from settlekit_mock.webhooks.install import mounts_of
from settlekit_mock.webhooks.sender import Outcome
from tests.examples.shops.opening import OPEN
from tests.examples.shops.shop import Shop, shop_in_a_process

ORIGIN = "http://localhost:3000"
WEBHOOK_URL = ORIGIN + WEBHOOK_PATH


@pytest.fixture(params=sorted(OPEN))
def kind(request: pytest.FixtureRequest) -> str:
    """The name of a shop: every test is made with each."""
    return str(request.param)


@pytest.fixture
def shop(kind: str, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose webhooks come from a mock in this process, without a socket."""
    database = tmp_path / "shop.db"
    with MockServer(origin=ORIGIN, webhook_url=WEBHOOK_URL, merchant=MERCHANT) as mock:
        account = account_of_mock(mock, ORIGIN)
        with OPEN[kind](mock, account, database) as (application, transport):
            browser = httpx.Client(transport=transport, base_url=ORIGIN)
            made = Shop(kind, mock, account, database, browser, application)
            _deliver_to(made)
            yield made


@pytest.fixture
def running_shop(kind: str, tmp_path: Path) -> Iterator[Shop]:
    """A shop in a process of its own, and its mock on a socket of this one."""
    with shop_in_a_process(kind, tmp_path / "shop.db") as made:
        yield made


def _deliver_to(shop: Shop) -> None:
    receive = application_receiver(shop.application)

    def deliver(url: str, headers: dict[str, str], body: bytes) -> Outcome:
        shop.delivered.append((dict(headers), body))
        return Outcome(receive(url, headers, body))

    mounts_of(shop.mock.world).mount(ORIGIN, deliver)
