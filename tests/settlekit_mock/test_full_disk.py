"""A disk that is full: callers are told to come again, nothing drifts, and with room all goes on."""

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from settlekit_mock import MockServer
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.cli.serving import PATIENCE_SECONDS, Served, driving, served
from tests.settlekit_mock.deeds import ADMIN_TOKEN, DEEDS, PAGES, TERMS, Deed, Site
from tests.settlekit_mock.test_lost_connections import assert_come_again

pytestmark = pytest.mark.sqlite
START = "2026-03-02T00:00:00Z"
SESSIONS = "/v1/sdrp/direct-payments/checkout-sessions"
MERCHANT = {"Authorization": "Bearer sandbox_merchant_token"}
NO_LIMIT = 2**30
CALLS = 60
CALLS_LIMITED = 10
"""Few, for what the server says of each stays in a pipe until its end."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with MockServer(db=str(tmp_path / "mock.db"), freeze_at=START) as mock:
        yield Site(mock)


def limit_pages(world: World, pages: int) -> None:
    """Let the database's file grow to so many pages and no further, whoever writes."""
    world.database.engine.dispose()

    def limit(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(world.database.engine, "connect", limit)


# A wallet has one payout at a time, so that many can't be made ready to be paid.
MANY = [deed for deed in DEEDS if deed.name != "mark a payout paid"]


@pytest.mark.parametrize("deed", MANY, ids=lambda deed: deed.name)
def test_a_call_that_finds_no_room_has_one_effect_when_there_is_some(
    site: Site, deed: Deed
) -> None:
    """Whatever part of it found no room: 503, readers read on, and the repeat does it once."""
    before = site.count(deed.effects)
    calls = [deed.prepare(site, number) for number in range(CALLS)]
    limit_pages(site.mock.world, 1)  # SQLite takes the present size where that is more
    refused = []
    for call in calls:
        answer = call()
        if answer.status_code >= 300:
            assert_come_again(answer)
            refused.append(call)
    assert refused
    assert before <= site.count(deed.effects) <= before + len(calls)
    assert site.get("/v1/admin/payouts", ADMIN_TOKEN).status_code == 200
    assert site.mock.check().violations == []
    limit_pages(site.mock.world, NO_LIMIT)
    for call in refused:
        site.data(call())
    assert site.count(deed.effects) == before + len(calls)
    assert site.told_once()
    assert site.balanced()
    assert site.mock.check().violations == []


def opened(http: httpx.Client, number: int) -> httpx.Response:
    body = {**TERMS, **PAGES, "nonce": f"order-{number}", "metadata": {"note": "x" * 500}}
    return http.post(SESSIONS, json=body, headers=MERCHANT)


def test_a_file_that_may_not_grow_refuses_until_it_may(tmp_path: Path) -> None:
    """The system itself refuses to write: what was answered is there after a restart, once."""
    path = tmp_path / "mock.db"
    server = Served("--port", "0", "--json", "--db", str(path), "--freeze-at", START)
    made = dict[int, str]()
    try:
        with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE_SECONDS) as http:
            made[0] = opened(http, 0).json()["data"]["session_id"]
            sizes = [each.stat().st_size for each in tmp_path.glob("mock.db*")]
            resource.prlimit(
                server.pid, resource.RLIMIT_FSIZE, (max(sizes), resource.RLIM_INFINITY)
            )
            refused = [number for number in range(1, CALLS_LIMITED) if not keep(made, http, number)]
            assert refused
            answer = opened(http, refused[0])
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json()["error"]["code"] == "DATABASE_UNAVAILABLE"
            assert http.get(f"{SESSIONS}/{made[0]}", headers=MERCHANT).status_code == 200
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unlimited)
            assert all(keep(made, http, number) for number in refused)
    finally:
        ended = server.kill()
    assert "the database failed in POST" in ended.err
    with (
        served("--db", str(path)) as again,
        driving(again.url) as driver,
        httpx.Client(base_url=again.url, trust_env=False, timeout=PATIENCE_SECONDS) as http,
    ):
        assert driver.check().violations == []
        told = {number: opened(http, number).json()["data"]["session_id"] for number in made}
        assert told == made
        assert len(list(driver.events(kind="checkout.opened"))) == len(made)


def keep(made: dict[int, str], http: httpx.Client, number: int) -> bool:
    """Open a session, and remember it where it was answered."""
    answer = opened(http, number)
    if answer.status_code == 201:
        made[number] = answer.json()["data"]["session_id"]
    return answer.status_code == 201
