"""A disk that is full refuses in plain words, writes nothing half, and is forgotten with space."""

from typing import Any

import pytest
from sqlalchemy import event
from werkzeug.test import TestResponse

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.operations.conftest import Operator, credit, held, rows_of, sound

pytestmark = pytest.mark.sqlite
NO_LIMIT = 2**30
OWNER = ("buyer_1", 1)
DEBIT = {"kind": "adjustment", "direction": "debit", "amount_usd": "1", "reason": "r" * 1000}


def limit_pages(world: World, pages: int) -> None:
    """Let the database's file grow to so many pages and no further, whoever writes."""
    world.database.engine.dispose()

    def limit(connection: object, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

    event.listen(world.database.engine, "connect", limit)


@pytest.fixture
def path(world_on_file: World) -> str:
    account = credit(world_on_file, "buyer_1", 1000 * MAJOR, scope="end_user")
    return f"/v1/admin/wallets/{account.account_id}/adjustments"


def fill(world: World, operator: Operator, path: str) -> tuple[int, TestResponse, Any]:
    """Debit a dollar again and again until one is refused: its number, answer, rows before it."""
    for number in range(200):
        before = rows_of(world)
        answer = operator.call("POST", path, json=DEBIT | {"idempotency_key": f"k-{number}"})
        if answer.status_code != 201:
            return number, answer, before
    raise AssertionError("the disk never filled")


def test_a_full_disk_refuses_and_drifts_nowhere(world_on_file: World, path: str) -> None:
    """What doesn't fit is 503 with Retry-After and nothing of it is there; with space it succeeds."""
    operator, account = Operator(world_on_file), credit(world_on_file, *OWNER, scope="end_user")
    limit_pages(world_on_file, 1)  # SQLite takes the present size where that is more
    number, answer, before = fill(world_on_file, operator, path)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert "full" not in answer.text
    assert rows_of(world_on_file) == before
    assert sound(world_on_file)
    limit_pages(world_on_file, NO_LIMIT)
    again = operator.make(path, **DEBIT, idempotency_key=f"k-{number}")
    assert again["wallet_balance_usd"] == f"{held(world_on_file, account) / MAJOR:.8f}"
    assert held(world_on_file, account) == (999 - number) * MAJOR + 1
    assert sound(world_on_file)
