"""One mock in two processes on PostgreSQL, as a team has it: clock, journal, links, lost connections."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import psycopg
import pytest

from settlekit_mock.kernel.times import DAY, from_text
from tests.postgresql import PostgresqlServer
from tests.stories.processes import PATIENCE_SECONDS, SHOP, Team, team, together

START = "2026-03-02T00:00:00.000Z"
MOST_CALLS = 500
SESSIONS = "/v1/sdrp/direct-payments/checkout-sessions"
UNREST_SECONDS = 0.5
"""How often all connections end; in between some calls must be able to end well."""


@pytest.fixture(scope="module")
def database(postgresql_server: PostgresqlServer) -> Iterator[str]:
    url = postgresql_server.create_database()
    yield url
    postgresql_server.drop_database(url)


@pytest.fixture(scope="module")
def two(database: str) -> Iterator[Team]:
    with team(database, workers=2, freeze_at=START) as made:
        yield made


@pytest.fixture
def shared(two: Team) -> Iterator[Team]:
    """Two processes, and a world that has just begun; it is sound at the end."""
    two.post("/_mock/reset")
    yield two
    checked = two.get("/_mock/check")
    assert checked["ok"], checked["violations"]


def journal(shared: Team, after: int = 0) -> list[Any]:
    items: list[Any] = shared.get(f"/_mock/events?limit=1000&after={after}")["items"]
    return items


def test_advances_through_any_process_tell_each_day_once(shared: Team) -> None:
    """Their stretches meet without gap or overlap, and together they tell the journal."""
    for number in range(4):
        buyer = shared.post("/_mock/buyers", buyer_id=f"b{number}")["buyer_id"]
        wanted = {"buyer": buyer, "merchant": SHOP, "amount_minor": 100, "currency": "JPY"}
        shared.post("/_mock/usage", **wanted)
    known = journal(shared)[-1]["seq"]

    def advance(_caller: int) -> list[Any]:
        return [shared.post("/_mock/clock/advance", by="P1D") for _ in range(5)]

    answers = [answer for found in together(4, advance) for answer in found]
    answers.sort(key=lambda answer: answer["from"])
    assert answers[0]["from"] == START
    assert all(before["to"] == after["from"] for before, after in pairwise(answers))
    assert from_text(answers[-1]["to"]) - from_text(START) == 20 * DAY
    told = [event for answer in answers for event in answer["events"]]
    assert told == journal(shared, known)
    assert {"period.closed", "debit.submitted", "batch.settled"} <= {one["kind"] for one in told}


def test_a_reset_ends_every_live_journal(shared: Team) -> None:
    """Whichever process each listens to, and whichever resets: the old world's numbers are over."""
    begun, ended = threading.Barrier(4), list[bytes]()

    def listen(_number: int) -> None:
        path = f"{shared.url}/_mock/events/stream"
        with httpx.stream("GET", path, timeout=PATIENCE_SECONDS, trust_env=False) as answer:
            pieces = answer.iter_raw()
            next(pieces)
            begun.wait(PATIENCE_SECONDS)
            ended.append(b"".join(pieces))

    with ThreadPoolExecutor(3) as threads:
        listening = [threads.submit(listen, number) for number in range(3)]
        begun.wait(PATIENCE_SECONDS)
        shared.post("/_mock/reset")
        for one in listening:
            one.result(PATIENCE_SECONDS)
    assert [piece for piece in ended if b"data:" in piece] == []


def test_a_checkouts_link_leads_back_to_the_processes(shared: Team) -> None:
    """Nobody told them their address: the link has the one that the caller used, and is a page."""
    pages = {"success_url": "http://localhost:3000/y", "cancel_url": "http://localhost:3000/n"}
    terms = {"merchant": SHOP, "amount_minor": 1200, "currency": "JPY", "nonce": "order-1"}
    made = shared.call("POST", SESSIONS, {**terms, **pages}, "sandbox_merchant_token").json()[
        "data"
    ]
    assert made["checkout_url"] == f"{shared.url}/pay/{made['session_id']}"
    page = httpx.get(made["checkout_url"], trust_env=False)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


class Unrest:
    """Ends the connections of the mock's processes again and again."""

    _END = (
        "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()) AS ended"
    )

    def __init__(self, url: str) -> None:
        self._url = url.replace("+psycopg", "")
        self._over = threading.Event()
        self.ended = 0
        self._thread = threading.Thread(target=self._end, daemon=True)
        self._thread.start()

    def _end(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.wait(UNREST_SECONDS):
                found = connection.execute(self._END).fetchone()
                self.ended += found[0] if found else 0

    def stop(self) -> None:
        self._over.set()
        self._thread.join(PATIENCE_SECONDS)


def test_callers_with_keys_come_through_unrest(shared: Team, database: str) -> None:
    """Connections end under eight callers all the time: each key counts once, to the last unit."""
    items = shared.get("/v1/admin/reconciliation/ledger")["items"]
    wallet = next(item for item in items if item["owner_scope"] == "end_user")["wallet_id"]
    path = f"/v1/admin/wallets/{wallet}/adjustments"
    refused = list[int]()

    def adjust(caller: int) -> int:
        """Adjust a few times, and on until somebody was refused."""
        for number in range(MOST_CALLS):
            if number >= 8 and refused:
                return number
            body = {"kind": "refund", "direction": "credit", "amount_usd": "0.01"}
            body["idempotency_key"] = f"k-{caller}-{number}"
            end = time.monotonic() + PATIENCE_SECONDS
            while (answer := shared.call("POST", path, body)).status_code != 201:
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
                assert time.monotonic() < end
                refused.append(number)
        raise AssertionError("nobody was ever refused")

    unrest = Unrest(database)
    try:
        made = sum(together(8, adjust))
    finally:
        unrest.stop()
    assert unrest.ended > 0
    found = shared.get("/v1/admin/reconciliation/ledger")["items"]
    held = next(item for item in found if item["wallet_id"] == wallet)
    total = f"{10 + made * Decimal('0.01'):.8f}"
    assert (held["wallet_balance_usd"], held["status"]) == (total, "balanced")
