"""The same seed and calls give the same bytes; a reset is a fresh start."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import Client

from settlekit_mock import MockServer
from settlekit_mock.kernel.tables import STATE
from tests.settlekit_mock.control.conftest import SHOP, START, Control, rows_of

PROVIDER = "/v1/sdrp/metered/provider"
PATHS = ("summary", "usage-events?limit=500", "settlement-batches")
STORY = "from tests.settlekit_mock.control.test_determinism import told; print(told(7))"
ROOT = Path(__file__).parents[3]


def play(mock: MockServer) -> None:
    """Let a bit of everything happen."""
    for number in range(4):
        mock.buyers.create(buyer_id=f"b{number}")
        mock.usage(
            f"b{number}", merchant=SHOP, amount_minor=100, currency="JPY", count=9, over="P9D"
        )
        mock.usage(f"b{number}", merchant=SHOP, amount_minor=7, currency="USD", count=30)
    mock.buyers.create()
    mock.buyers.update("b1", balances={"JPYC": "10"})
    mock.simulate.debit_failure(buyer="b2", times=2)
    mock.clock.advance(days=40)


def books(mock: MockServer) -> bytes:
    """Return journal, statements and CSV files as bytes, without the ids of the calls."""
    statements = [f"{PROVIDER}/{path}" for path in PATHS]
    files = [
        f"{PROVIDER}/settlement-batches/{entry.subject}/usage-events.csv"
        for entry in mock.events(kind="batch.settled")
    ]
    client = Client(mock.app)
    headers = {"Authorization": "Bearer sandbox_provider_token"}
    read = [client.get(path, headers=headers).data for path in (*statements, *files)]
    return b"\n".join(
        [repr(rows_of(mock.world)["events"]).encode(), *(data.split(b'"meta"')[0] for data in read)]
    )


def told(seed: int, **options: str) -> str:
    """Play the story on a fresh mock and return the hash of its books."""
    with MockServer(seed=seed, freeze_at=START, **options) as mock:
        play(mock)
        return hashlib.sha256(books(mock)).hexdigest()


def test_the_same_seed_and_calls_give_the_same_bytes(tmp_path: Path) -> None:
    """Journal, statements and CSV are byte-equal, in memory as in a file."""
    assert told(7) == told(7) == told(7, db=str(tmp_path / "mock.db"))


def test_another_seed_gives_other_bytes() -> None:
    """Ids and slots come from the seed."""
    assert told(7) != told(8)


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_another_process_tells_the_same_story(hash_seed: str) -> None:
    """The bytes don't depend on the process or its hash seed."""
    run = subprocess.run(
        [sys.executable, "-c", STORY],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == told(7)


@pytest.mark.parametrize("db", ["sqlite://", "file"])
def test_a_reset_is_a_fresh_server_to_the_byte(tmp_path: Path, db: str) -> None:
    """After a reset every row is a fresh server's, and so is all that follows."""
    url = str(tmp_path / "mock.db") if db == "file" else db
    with (
        MockServer(seed=7, freeze_at=START) as fresh,
        MockServer(seed=7, freeze_at=START, db=url) as mock,
    ):
        play(mock)
        status, clock = Control(mock).post("reset")
        assert (status, clock["now"], clock["mode"]) == (200, START, "frozen")
        # Processes that share a database are told how often it was reset.
        assert replace(mock.world.state(), resets=0) == fresh.world.state()
        assert rows_of(mock.world, STATE) == rows_of(fresh.world, STATE)
        play(mock)
        play(fresh)
        assert books(mock) == books(fresh)


def test_a_mock_in_process_begins_as_any_other() -> None:
    """A mock that is copied from a kept beginning is the one that was made anew."""
    with MockServer(seed=99) as made, MockServer(seed=99) as copied:
        assert rows_of(made.world) == rows_of(copied.world)
        made.usage("sandbox_buyer", merchant=SHOP, amount_minor=1, currency="JPY")
        assert rows_of(made.world) != rows_of(copied.world)


def test_a_database_is_gone_on_with(tmp_path: Path) -> None:
    """Opened again, a file keeps clock, counters and rows, whatever seed or time is asked for."""
    url = str(tmp_path / "mock.db")
    with MockServer(seed=7, freeze_at=START, db=url) as mock:
        play(mock)
        before = rows_of(mock.world)
    with MockServer(seed=1, freeze_at="2020-01-01T00:00:00Z", db=url) as again:
        assert rows_of(again.world) == before
        play_on = again.usage("b3", merchant=SHOP, amount_minor=1, currency="JPY")
    with MockServer(seed=7, freeze_at=START) as straight:
        play(straight)
        assert straight.usage("b3", merchant=SHOP, amount_minor=1, currency="JPY") == play_on
