"""Errands: outside any transaction, and safe when their handlers call back."""

import threading
from collections.abc import Callable
from threading import Thread

import pytest

from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.kernel.conftest import START, Courier, entries, schedule, waiting

PATIENCE = 10
"""Seconds after which a test takes two threads for deadlocked."""


def in_thread(work: Callable[[], object]) -> Thread:
    """Run something beside the test; it must end by itself."""
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


def ended(thread: Thread) -> bool:
    thread.join(PATIENCE)
    return not thread.is_alive()


class Calls:
    """Keeps how the calls of a handler ended."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call
        self.refused: list[str] = []

    def here(self, _subject: str) -> None:
        """Call in the errand's own thread, as an application in this process does."""
        try:
            self.call()
        except Conflict as conflict:
            self.refused.append(conflict.code)

    def elsewhere(self, subject: str) -> bool:
        """Call in another thread and wait for it, as a handler behind a socket does."""
        return ended(in_thread(lambda: self.here(subject)))


def test_an_errand_is_away_with_no_transaction_open(world: World, courier: Courier) -> None:
    """While an errand is away, its own thread and others can read and write."""
    courier.meanwhile = lambda subject: schedule(world, ("step", "by handler", 0))
    schedule(world, ("errand", "a", 5))
    world.due.advance(START + 5)
    assert entries(world)[-2:] == [("errand.finished", "a", 5), ("step", "by handler", 5)]


def test_what_an_errand_brings_back_is_written(world: World, courier: Courier) -> None:
    """The outcome of an errand is written in the transaction that takes its row."""
    courier.meanwhile = lambda subject: f"went to {subject}"
    schedule(world, ("errand", "a", 0))
    world.due.settle()
    with world.snapshot() as connection:
        data = connection.exec_driver_sql("SELECT data FROM events WHERE seq = 2").scalar_one()
    assert (data, waiting(world)) == ('{"outcome":"went to a"}', [])


def test_an_errand_with_nothing_to_do_is_over(world: World, courier: Courier) -> None:
    """An errand that prepares nothing isn't performed, and its row is gone."""
    courier.idle = {"a"}
    schedule(world, ("errand", "a", 0), ("errand", "b", 0))
    world.due.settle()
    assert (courier.performed, waiting(world)) == (["b"], [])


@pytest.mark.parametrize("times", [1, 3])
def test_an_errand_that_crashes_leaves_its_row(world: World, courier: Courier, times: int) -> None:
    """A crash while an errand is away loses nothing: it is done again, in its place."""
    schedule(world, ("errand", "a", 1), ("step", "b", 2))
    courier.meanwhile = lambda subject: {}["missing"]
    for _ in range(times):
        with pytest.raises(KeyError):
            world.due.advance(START + DAY)
    assert (waiting(world), world.now()) == ([("a", 1), ("b", 2)], START + 1)
    courier.meanwhile = lambda subject: None
    world.due.advance(START + DAY)
    assert entries(world)[-2:] == [("errand.finished", "a", 1), ("step", "b", 2)]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize("what", ["advance", "reset"])
def test_a_handler_cant_move_the_clock_that_waits_for_it(
    world: World, courier: Courier, where: str, what: str
) -> None:
    """Advancing or resetting out of an errand is refused as busy, and nobody waits for ever."""
    moves = {"advance": lambda: world.due.advance(START + DAY), "reset": world.reset}
    calls = Calls(moves[what])
    courier.meanwhile = getattr(calls, where)
    schedule(world, ("errand", "a", 1))
    assert ended(in_thread(lambda: world.due.advance(START + 2)))
    assert (calls.refused, world.now()) == (["CLOCK_BUSY"], START + 2)


def test_a_handler_cant_reset_the_world_that_settles_it(world: World, courier: Courier) -> None:
    """Out of an errand that a settle performs, a reset is refused as well."""
    calls = Calls(world.reset)
    courier.meanwhile = calls.here
    schedule(world, ("errand", "a", 0))
    assert ended(in_thread(world.due.settle))
    assert calls.refused == ["CLOCK_BUSY"]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_handler_that_calls_back_does_what_it_left_due(
    world: World, courier: Courier, where: str
) -> None:
    """A handler may write and settle: it waits neither for itself nor for its errand."""

    def call_back() -> None:
        if len(courier.performed) == 1:
            schedule(world, ("errand", "second", 0))
            world.settle()

    courier.meanwhile = getattr(Calls(call_back), where)
    schedule(world, ("errand", "first", 0))
    assert ended(in_thread(world.due.settle))
    assert [subject for kind, subject, _ in entries(world) if kind == "errand.finished"] == [
        "second",
        "first",
    ]


def test_two_threads_never_perform_one_errand(world: World, courier: Courier) -> None:
    """While an errand is away, another thread passes over it and does the rest."""
    gone, back = threading.Event(), threading.Event()

    def wait(subject: str) -> None:
        if subject == "slow":
            gone.set()
            back.wait(PATIENCE)

    courier.meanwhile = wait
    schedule(world, ("errand", "slow", 0), ("errand", "quick", 0))
    slow = in_thread(world.due.settle)
    assert gone.wait(PATIENCE)
    world.due.settle()
    back.set()
    assert ended(slow)
    assert courier.performed == ["slow", "quick"]


def test_two_who_advance_add_up(world: World, courier: Courier) -> None:
    """Advances by a span at the same time come one after the other: none is lost or refused."""
    threads = [in_thread(lambda: world.due.advance(lambda now: now + DAY)) for _ in range(4)]
    assert [ended(thread) for thread in threads] == [True] * 4
    assert world.now() == START + 4 * DAY


def test_two_who_wait_for_the_same_kind_each_meet_their_own(world: World) -> None:
    """Advances until one kind stop at one entry each."""
    schedule(world, ("step", "a", 1), ("step", "b", 2), ("step", "c", 3))
    threads = [
        in_thread(lambda: world.due.advance(lambda now: now + DAY, until="step")) for _ in range(2)
    ]
    assert [ended(thread) for thread in threads] == [True] * 2
    assert waiting(world) == [("c", 3)]


def test_a_reset_waits_for_what_is_under_way(world: World, courier: Courier) -> None:
    """A world begins anew when no errand is away and none begins, so none writes into the new."""
    gone, back = threading.Event(), threading.Event()

    def wait(_subject: str) -> None:
        gone.set()
        back.wait(PATIENCE)

    courier.meanwhile = wait
    schedule(world, ("errand", "a", 0))
    slow = in_thread(world.due.settle)
    assert gone.wait(PATIENCE)
    resetting = in_thread(world.reset)
    resetting.join(0.05)
    assert resetting.is_alive()
    schedule(world, ("errand", "late", 0))
    world.due.settle()
    back.set()
    assert ended(slow)
    assert ended(resetting)
    assert (entries(world), waiting(world), courier.performed) == ([], [], ["a"])
