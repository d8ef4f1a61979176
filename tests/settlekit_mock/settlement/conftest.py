"""A whole mock with one provider, and the statements of both sides read over HTTP."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from settlekit_mock import MockServer, seeding
from settlekit_mock.control.check import check_all
from settlekit_mock.kernel.times import from_text, to_text
from tests.settlekit_mock.documented import refusals

START = "2026-03-02T00:00:00.000Z"
"""A Monday."""
MICRO_CLOSE = "2026-03-04T10:30:00.000Z"
NANO_CLOSE = "2026-03-15T06:15:00.000Z"
SHOP = "sandbox_merchant"
MOST = 10_000
"""More rows than any test reads by pages."""
SLOTS = {
    "weekly_slot": {"weekday": 2, "hour": 10, "minute": 30},
    "monthly_slot": {"day": 15, "hour": 6, "minute": 15},
}
PROVIDER = "/v1/sdrp/metered/provider"
MINE = "/v1/sdrp/metered/my"


def after(text: str, milliseconds: int) -> str:
    """Return the time so many milliseconds after another."""
    return to_text(from_text(text) + milliseconds)


class Statements:
    """Reads statements as the holder of a token."""

    def __init__(self, mock: MockServer, token: str) -> None:
        self._client = Client(mock.app)
        self._headers = {"Authorization": f"Bearer {token}"}

    def call(self, path: str, **query: Any) -> TestResponse:
        return self._client.get(path, query_string=query, headers=self._headers)

    def read(self, path: str, **query: Any) -> Any:
        response = self.call(path, **query)
        assert response.status_code == 200, response.text
        return json.loads(response.data)["data"]

    def refused(self, path: str, **query: Any) -> tuple[int, str]:
        response = self.call(path, **query)
        refusal = response.status_code, json.loads(response.data)["error"]["code"]
        assert refusal in refusals("GET", path)
        return refusal

    def walk(self, path: str, **query: Any) -> list[Any]:
        """Return the items of every page."""
        page = self.read(path, **query)
        items = list(page["items"])
        while page["next_cursor"]:
            page = self.read(path, cursor=page["next_cursor"], **query)
            items += page["items"]
            assert len(items) <= MOST, "the pages don't come to an end"
        return items


class Provider(Statements):
    """A provider's statements."""

    def summary(self, **query: Any) -> Any:
        return self.read(f"{PROVIDER}/summary", **query)

    def usage(self, **query: Any) -> list[Any]:
        return self.walk(f"{PROVIDER}/usage-events", **query)

    def batches(self, **query: Any) -> list[Any]:
        return self.walk(f"{PROVIDER}/settlement-batches", **query)

    def batch(self) -> Any:
        """Return the only batch there is."""
        (found,) = self.batches()
        return found

    def csv(self, batch_id: str, **query: Any) -> TestResponse:
        return self.call(f"{PROVIDER}/settlement-batches/{batch_id}/usage-events.csv", **query)

    def rows(self, batch_id: str, **query: Any) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.csv(batch_id, **query).text, newline="")))


class Buyer(Statements):
    """A buyer's statements."""

    def summary(self, **query: Any) -> Any:
        return self.read(f"{MINE}-summary", **query)

    def usage(self, **query: Any) -> list[Any]:
        return self.walk(f"{MINE}-usage-events", **query)

    def batches(self, **query: Any) -> list[Any]:
        return self.walk(f"{MINE}-settlement-batches", **query)


class Shop:
    """Sells to buyers whose slots are known."""

    def __init__(self, mock: MockServer) -> None:
        self.mock = mock

    def buyer(self, buyer_id: str = "b1", **given: Any) -> Buyer:
        made = self.mock.buyers.create(buyer_id=buyer_id, **{**SLOTS, **given})
        assert made.token is not None
        return Buyer(self.mock, made.token)

    def sell(
        self, amount_minor: int = 100, count: int = 1, *, buyer: str = "b1", **given: Any
    ) -> Any:
        given.setdefault("currency", "JPY")
        given.setdefault("merchant", SHOP)
        return self.mock.usage(buyer, amount_minor=amount_minor, count=count, **given)

    def settle(self, days: int = 60) -> None:
        """Let everything that was sold come to its end."""
        self.mock.clock.advance(days=days)

    def kinds(self, *wanted: str) -> list[tuple[str, str]]:
        """Return the journal entries of some kinds: kind and time."""
        return [(entry.kind, entry.at) for entry in self.mock.events() if entry.kind in wanted]


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """A fresh mock; whatever a test does to it, every invariant holds at the end."""
    with MockServer(seed=7, freeze_at=START) as made:
        yield made
        with made.world.snapshot() as connection:
            assert check_all(connection) == []


@pytest.fixture
def shop(mock: MockServer) -> Shop:
    return Shop(mock)


@pytest.fixture
def provider(mock: MockServer) -> Provider:
    return Provider(mock, seeding.PROVIDER_TOKEN)


@pytest.fixture
def buyer(shop: Shop) -> Buyer:
    """The buyer ``b1``, whose slots are known."""
    return shop.buyer()
