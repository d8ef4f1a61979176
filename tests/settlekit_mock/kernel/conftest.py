"""Due work to watch: steps that journal themselves, and errands that can be told what to do."""

from collections.abc import Callable
from typing import Any

import pytest

from settlekit_mock.kernel.times import from_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import World

START = from_text("2026-03-01T00:00:00Z")


class Courier:
    """An errand; ``meanwhile`` is what happens while it is away, given its subject."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[str], Any] = lambda _subject: None
        self.performed: list[str] = []
        self.idle: set[str] = set()

    def prepare(self, tx: Transaction, subject: str) -> str | None:
        tx.record("errand.prepared", subject)
        return None if subject in self.idle else subject

    def perform(self, job: str) -> Any:
        self.performed.append(job)
        return self.meanwhile(job)

    def finish(self, tx: Transaction, subject: str, job: str, outcome: Any) -> None:
        tx.record("errand.finished", subject, outcome=outcome)


def step(tx: Transaction, subject: str) -> None:
    """Journal that a step ran."""
    tx.record("step", subject)


def schedule(world: World, *work: tuple[str, str, int]) -> None:
    """Put work into the queue: kind, subject, and how long after the start."""
    with world.transaction() as tx:
        for kind, subject, after in work:
            tx.schedule(kind, subject, START + after)


def entries(world: World) -> list[tuple[str, str, int]]:
    """Return the journal: kind, subject, and how long after the start."""
    with world.snapshot() as connection:
        rows = connection.exec_driver_sql("SELECT kind, subject, at FROM events ORDER BY seq")
        return [(kind, subject, at - START) for kind, subject, at in rows]


def journal_bytes(world: World) -> bytes:
    """Return the whole journal as bytes."""
    with world.snapshot() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM events ORDER BY seq").all()
    return repr([tuple(row) for row in rows]).encode()


def waiting(world: World) -> list[tuple[str, int]]:
    """Return what is still due: subject, and how long after the start."""
    with world.snapshot() as connection:
        rows = connection.exec_driver_sql("SELECT subject, at FROM due ORDER BY at, due_number")
        return [(subject, at - START) for subject, at in rows]


@pytest.fixture
def courier() -> Courier:
    return Courier()


@pytest.fixture
def world(world: World, courier: Courier) -> World:
    """A world that knows one kind of step and one kind of errand."""
    world.due.on("step", step)
    world.due.on_errand("errand", courier)
    return world
