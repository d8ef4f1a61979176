"""What is measured on: bytes as the mock writes them, and worlds with something in them."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import httpx

from settlekit.testing.transports import sync_http
from settlekit_mock import MockServer
from settlekit_mock.control.buyers import BuyerAnswer

MERCHANT = "sandbox_merchant"
ORIGIN = "http://localhost"
BATCH_ROWS = 10_000
"""The threshold allows no more in one batch: each payment is one yen at least."""


def pay(mock: MockServer, buyer: BuyerAnswer, count: int = 1) -> None:
    """Have a buyer pay a yen, so many times; all must be accepted."""
    answer = mock.usage(buyer, merchant=MERCHANT, amount_minor=1, currency="JPY", count=count)
    if answer.accepted != count:
        raise RuntimeError(f"{answer.accepted} of {count} accepted: {answer.refused}")


def world_with(events: int, buyers: int) -> tuple[MockServer, list[BuyerAnswer]]:
    """Make a world where so many buyers have paid so many times in all."""
    mock = MockServer()
    made = [mock.buyers.create() for _ in range(buyers)]
    for buyer in made:
        pay(mock, buyer, events // buyers)
    return mock, made


@contextmanager
def world_on_file() -> Iterator[MockServer]:
    """Make a world whose database is a file, for as long as the block lasts."""
    with (
        tempfile.TemporaryDirectory() as folder,
        MockServer(db=str(Path(folder, "mock.db"))) as mock,
    ):
        yield mock


def get(mock: MockServer, path: str) -> bytes:
    """Return the bytes that a provider gets."""
    headers = {"Authorization": f"Bearer {mock.token('provider')}"}
    with sync_http(mock.app) as http:
        return http.get(f"{ORIGIN}/v1{path}", headers=headers).raise_for_status().content


@cache
def usage_page() -> bytes:
    """Return a page of 500 usage events."""
    mock, _ = world_with(500, buyers=1)
    with mock:
        return get(mock, "/sdrp/metered/provider/usage-events?limit=500")


def full_batch(mock: MockServer) -> str:
    """Fill and close a batch, and return its id."""
    pay(mock, mock.buyers.create(), BATCH_ROWS)
    page = json.loads(get(mock, "/sdrp/metered/provider/settlement-batches?limit=1"))
    found: str = page["data"]["items"][0]["settlement_batch_id"]
    return found


@cache
def batch_csv() -> bytes:
    """Return the CSV of a full batch."""
    with MockServer() as mock:
        batch_id = full_batch(mock)
        path = f"/sdrp/metered/provider/settlement-batches/{batch_id}/usage-events.csv"
        return get(mock, path)


@cache
def webhook_body() -> bytes:
    """Return a settled payment's event, 1.2 KB with a shop's own data."""
    event = {
        "id": "evt_0000000042d0e1f2a3",
        "type": "direct_payment.confirmed",
        "api_version": "2026-05-01",
        "occurred_at": "2026-01-01T00:00:00.000Z",
        "data": {
            "mode": "external_402",
            "merchant": MERCHANT,
            "listing_id": "lst_0000000007a1b2c3d4",
            "capability_key": f"external_402.{MERCHANT}",
            "requirement_id": "dpr_0000000041c5d6e7f8",
            "direct_payment_requirement_id": "dpr_0000000041c5d6e7f8",
            "challenge_hash": f"sha256:{'3f' * 32}",
            "request_hash_v2": f"sha256:{'a7' * 32}",
            "amount_minor": 1200,
            "currency": "JPY",
            "token_symbol": "JPYC",
            "status": "confirmed",
            "pricing_band": "standard",
            "settlement_cadence": "per_payment",
            "finality": "per_payment_onchain",
            "settlement_status": "settled",
            "chain_receipt_id": "chain_0000000043b9c8d7e6",
            "settled_at": "2026-01-01T00:00:00.000Z",
            "metadata_jsonb": {"order": "A-1001", "note": "x" * 300},
            "environment": "sandbox",
        },
    }
    return json.dumps(event, separators=(",", ":")).encode()


def answering(make: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    """Return an HTTP client that is answered by a function, with no network."""
    return httpx.Client(transport=httpx.MockTransport(make))
