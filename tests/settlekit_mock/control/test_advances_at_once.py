"""Advances of the clock asked for at once: each answers its own stretch of time and journal."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from settlekit_mock import MockServer
from settlekit_mock.control.clock import Advanced, read_clock
from settlekit_mock.kernel.times import HOUR, from_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.worker import Worker

START = "2026-03-02T00:00:00.000Z"
AT = from_text(START)
CALLERS = 4
TURNS = 5
PATIENCE_SECONDS = 30
Mocks = list[MockServer]


def tick(tx: Transaction, subject: str) -> None:
    tx.record("test.tick", subject)


def opened(db: str) -> MockServer:
    mock = MockServer(db=db, freeze_at=START)
    mock.world.due.on("tick", tick)
    return mock


def fill(mock: MockServer) -> None:
    """Leave something due every hour, some of it twice, past all that is advanced here."""
    with mock.world.transaction() as tx:
        for hour in range(CALLERS * TURNS + 10):
            for name in "ab"[: 1 + hour % 2]:
                tx.schedule("tick", f"{hour}{name}", AT + hour * HOUR + 1)


@pytest.fixture(params=["memory", "file", "postgresql"])
def mocks(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mocks]:
    """One mock for threads in memory and in a file; two processes' mocks on PostgreSQL."""
    if request.param == "postgresql":
        made = [opened(request.getfixturevalue("postgresql_url")) for _ in range(2)]
    else:
        made = [opened("sqlite://" if request.param == "memory" else str(tmp_path / "mock.db"))]
    fill(made[0])
    yield made
    assert made[0].check().violations == []
    for mock in made:
        mock.close()


def together(mocks: Mocks, work: Callable[[MockServer], Any]) -> list[Any]:
    """Have several callers do work several times each, all from one moment on."""
    gate = threading.Barrier(CALLERS)

    def call(number: int) -> list[Any]:
        gate.wait(PATIENCE_SECONDS)
        return [work(mocks[number % len(mocks)]) for _ in range(TURNS)]

    with ThreadPoolExecutor(CALLERS) as threads:
        return [one for found in threads.map(call, range(CALLERS)) for one in found]


def told(advances: list[Advanced]) -> list[tuple[int, str]]:
    return [(event.seq, event.subject) for advance in advances for event in advance.events]


def ticked(mock: MockServer) -> list[tuple[int, str]]:
    return [(event.seq, event.subject) for event in mock.events(kind="test.tick")]


def in_order(advances: list[Advanced]) -> list[Advanced]:
    return sorted(advances, key=lambda advance: (advance.to, advance.from_))


def test_each_answers_its_own_stretch(mocks: Mocks) -> None:
    """The stretches meet without gap or overlap, sum up, and each entry is told by one."""
    advances = in_order(together(mocks, lambda mock: mock.clock.advance(hours=1)))
    assert [advance.from_ for advance in advances[:1]] == [START]
    assert all(before.to == after.from_ for before, after in pairwise(advances))
    lengths = [from_text(one.to) - from_text(one.from_) for one in advances]
    assert lengths == [HOUR] * CALLERS * TURNS
    assert told(advances) == ticked(mocks[0])
    assert [one.event_count for one in advances] == [len(one.events) for one in advances]


def test_who_goes_to_the_next_goes_to_one_of_their_own(mocks: Mocks) -> None:
    """Callers that each go to what is due next each reach another, and none comes for nothing."""
    advances = in_order(together(mocks, lambda mock: mock.clock.advance(until="next")))
    assert all(advance.reached for advance in advances)
    assert [advance.to for advance in advances] == sorted({advance.to for advance in advances})
    assert [one.event_count for one in advances] == [1, 2] * (CALLERS * TURNS // 2)


def test_who_waits_for_a_kind_meets_one_of_their_own(mocks: Mocks) -> None:
    """What one advance stopped at isn't what another one stops at."""
    goal = AT + 90 * HOUR
    together(mocks, lambda mock: mock.world.due.advance(goal, until="test.tick"))
    assert len(ticked(mocks[0])) == CALLERS * TURNS


@pytest.mark.parametrize("reader", ["clock", "worker"])
def test_a_reading_takes_one_snapshot(monkeypatch: pytest.MonkeyPatch, reader: str) -> None:
    """Clock, mode and queue are read together, by the route and by the worker that sleeps."""
    with MockServer() as mock:
        opened, snapshot = list[int](), mock.world.snapshot

        def counted() -> Any:
            opened.append(1)
            return snapshot()

        monkeypatch.setattr(mock.world, "snapshot", counted)
        if reader == "clock":
            read_clock(mock.world)
        else:
            Worker(mock.world)._pause()
        assert len(opened) == 1
