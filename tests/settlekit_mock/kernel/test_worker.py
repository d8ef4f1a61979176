"""The worker: on a real clock due work happens by itself."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from settlekit_mock.kernel import worker as worker_module
from settlekit_mock.kernel.database import Database
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.worker import Worker
from settlekit_mock.kernel.world import Settings, World
from tests.settlekit_mock.kernel.conftest import START, Courier

PATIENCE = 10


class Done:
    """A step that says when it ran; it fails as often as it is told to."""

    def __init__(self) -> None:
        self.ran = threading.Event()
        self.failures = 0

    def __call__(self, tx: Transaction, subject: str) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("a defect")
        self.ran.set()


@contextmanager
def at_work(world: World) -> Iterator[None]:
    worker = Worker(world)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def plan(world: World, kind: str = "step", *, after_ms: int = 0) -> None:
    with world.transaction() as tx:
        tx.schedule(kind, "a", tx.now + after_ms)


@pytest.fixture
def done() -> Done:
    return Done()


@pytest.fixture
def make(done: Done, courier: Courier) -> Iterator[Callable[[int | None], World]]:
    """Make worlds, frozen at a time or on the real clock."""
    made: list[World] = []

    def make(freeze_at: int | None = None) -> World:
        world = World(Database(), Settings(freeze_at=freeze_at))
        made.append(world)
        world.database.prepare()
        world.create()
        world.due.on("step", done)
        world.due.on_errand("errand", courier)
        return world

    yield make
    for world in made:
        world.close()


@pytest.mark.parametrize("after_ms", [0, 30])
def test_on_a_real_clock_due_work_happens_by_itself(
    make: Callable[..., World], done: Done, after_ms: int
) -> None:
    """What is planned while the worker waits is done when its time comes."""
    world = make()
    with at_work(world):
        plan(world, after_ms=after_ms)
        assert done.ran.wait(PATIENCE)
    assert world.due.next_due_at() is None


def test_what_was_due_before_the_start_is_done(make: Callable[..., World], done: Done) -> None:
    """A worker begins with what an earlier process left."""
    world = make()
    plan(world)
    with at_work(world):
        assert done.ran.wait(PATIENCE)


def test_on_a_frozen_clock_only_what_a_killed_process_left_is_done(
    make: Callable[..., World], done: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen world's worker looks at the queue once, as it starts, and does what is overdue."""
    monkeypatch.setattr(worker_module, "LONGEST_SLEEP_SECONDS", 0.01)
    world, looks = make(START), []
    settle = world.due.settle
    monkeypatch.setattr(world.due, "settle", lambda: (looks.append(1), settle()))
    plan(world)
    plan(world, after_ms=1)
    with at_work(world):
        assert done.ran.wait(PATIENCE)
        threading.Event().wait(0.1)
    assert (len(looks), world.due.next_due_at()) == (1, START + 1)


def test_a_defect_doesnt_end_the_worker(
    make: Callable[..., World],
    done: Done,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Work that fails is logged and done again."""
    monkeypatch.setattr(worker_module, "LONGEST_SLEEP_SECONDS", 0.02)
    world, done.failures = make(), 2
    with caplog.at_level(logging.CRITICAL, "settlekit_mock"), at_work(world):
        plan(world)
        assert done.ran.wait(PATIENCE)
    assert done.failures == 0


def test_an_errand_under_way_elsewhere_keeps_no_core_busy(
    make: Callable[..., World], courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another thread's errand is away, the worker looks at the queue now and then."""
    world = make()
    gone, back = threading.Event(), threading.Event()
    courier.meanwhile = lambda subject: (gone.set(), back.wait(PATIENCE))
    looks: list[int] = []
    settle = world.due.settle
    plan(world, "errand")
    away = threading.Thread(target=world.due.settle)
    away.start()
    assert gone.wait(PATIENCE)
    monkeypatch.setattr(world.due, "settle", lambda: (looks.append(1), settle()))
    with at_work(world):
        back.wait(0.2)
        back.set()
    away.join(PATIENCE)
    assert 1 <= len(looks) <= 30
    assert courier.performed == ["a"]


def test_a_stopped_worker_leaves_the_rest(make: Callable[..., World], done: Done) -> None:
    """After the stop nothing is done by itself."""
    world = make()
    with at_work(world):
        pass
    plan(world)
    assert not done.ran.wait(0.05)
    assert world.due.next_due_at() is not None


@pytest.mark.parametrize(
    ("freeze_at", "after_ms", "told"),
    [(None, 500, True), (None, 0, False), (START, 0, False), (START, 500, False)],
)
def test_who_waits_is_told_of_work_to_come(
    make: Callable[..., World], freeze_at: int | None, after_ms: int, told: bool
) -> None:
    """What is due at once is the calling thread's own, and a frozen clock brings nothing."""
    world, heard = make(freeze_at), list[int]()
    forget = world.on_woken(heard.append)
    plan(world, after_ms=after_ms)
    assert bool(heard) is told
    forget()
    plan(world, after_ms=after_ms)
    assert len(heard) == told


def test_a_stopped_worker_is_told_no_more(
    make: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A world that outlives its workers doesn't keep them."""
    told: list[int] = []
    monkeypatch.setattr(Worker, "_nudge", lambda _worker, ahead_ms: told.append(ahead_ms))
    world = make()
    with at_work(world):
        plan(world, after_ms=60_000)
    assert len(told) == 1
    plan(world, after_ms=60_000)
    assert len(told) == 1
