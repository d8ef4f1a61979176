"""Due work of several processes: each errand once, one who advances, nothing lost with a process."""

import threading
import time
from collections.abc import Callable

import pytest

from settlekit_mock.kernel import leases
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.worker import Worker
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.kernel.conftest import START, entries, schedule, waiting
from tests.settlekit_mock.kernel.shared import (
    PATIENCE_SECONDS,
    Gone,
    Server,
    beside,
    servers,
    together,
)

__all__ = ["servers"]
Servers = tuple[Server, Server]


def finished(world: World) -> list[str]:
    return [subject for kind, subject, _ in entries(world) if kind == "errand.finished"]


def test_two_processes_never_perform_one_errand(servers: Servers) -> None:
    """What one process has taken another passes over, and doesn't wait for what was away before."""
    first, second = servers
    first.courier.meanwhile = away = Gone()
    schedule(first.world, ("errand", "slow", 0), ("errand", "quick", 0), ("step", "a", 0))
    slow = beside(first.world.due.settle)
    away.wait_until_gone()
    second.world.due.settle()
    assert second.courier.performed == ["quick"]
    assert waiting(second.world) == [("slow", 0)]
    assert second.world.due.next_due_at() is None
    away.call_back()
    slow.join(PATIENCE_SECONDS)
    assert (first.courier.performed, finished(second.world)) == (["slow"], ["quick", "slow"])


def test_many_errands_are_shared_out(servers: Servers) -> None:
    """Processes that settle together perform each errand once, whoever takes it."""
    first, second = servers
    schedule(first.world, *(("errand", f"{number:02d}", 0) for number in range(40)))
    together(*(server.world.due.settle for server in servers * 2))
    performed = first.courier.performed + second.courier.performed
    assert sorted(performed) == sorted(finished(first.world)) == [f"{n:02d}" for n in range(40)]


def test_settling_waits_for_what_another_process_began_meanwhile(servers: Servers) -> None:
    """A call that left work due is answered when the work is done, whoever does it."""
    first, second = servers
    away, taken = Gone(), Gone()
    first.courier.meanwhile, second.courier.meanwhile = away, taken
    schedule(first.world, ("errand", "mine", 0), ("errand", "yours", 0))
    settling = beside(first.world.due.settle)
    away.wait_until_gone()
    other = beside(second.world.due.settle)
    taken.wait_until_gone()
    away.call_back()
    settling.join(0.2)
    assert settling.is_alive()
    taken.call_back()
    for thread in (settling, other):
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def abandon(server: Server) -> None:
    """Take the first errand as a process does that dies before it brings it back."""
    _, trip = server.world.due._begin_group(START, lambda: False)
    assert trip is not None


def test_the_errands_of_a_dead_process_are_done_again(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its lease has ended, another process performs what a dead one left."""
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.2)
    first, second = servers
    schedule(first.world, ("errand", "a", 0))
    abandon(first)
    second.world.due.settle()
    assert second.courier.performed == []
    time.sleep(0.25)
    second.world.due.settle()
    assert (second.courier.performed, waiting(second.world)) == (["a"], [])


def test_a_worker_finds_what_a_dead_process_left_on_a_frozen_clock(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to call for it."""
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.2)
    monkeypatch.setattr("settlekit_mock.kernel.worker.LONGEST_SLEEP_SECONDS", 0.05)
    first, second = servers
    schedule(first.world, ("errand", "a", 0))
    abandon(first)
    done = threading.Event()
    second.courier.meanwhile = lambda _subject: done.set()
    worker = Worker(second.world)
    worker.start()
    try:
        assert done.wait(PATIENCE_SECONDS)
    finally:
        worker.stop()
    assert second.courier.performed == ["a"]


def test_an_outcome_without_its_lease_isnt_written(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes back after another took the errand over leaves the outcome to the other."""
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.2)
    first, second = servers
    first.courier.meanwhile = away = Gone()
    schedule(first.world, ("errand", "a", 0))
    late = beside(first.world.due.settle)
    away.wait_until_gone()
    time.sleep(0.25)
    second.world.due.settle()
    away.call_back()
    late.join(PATIENCE_SECONDS)
    assert (first.courier.performed, second.courier.performed) == (["a"], ["a"])
    assert finished(first.world) == ["a"]


def test_an_errand_that_crashes_is_free_at_once(servers: Servers) -> None:
    """A crash gives the lease back: another process needn't wait until it ends."""
    first, second = servers
    first.courier.meanwhile = int
    schedule(first.world, ("errand", "a", 0))
    with pytest.raises(ValueError, match="invalid literal"):
        first.world.due.settle()
    second.world.due.settle()
    assert finished(second.world) == ["a"]


def test_processes_that_advance_add_up(servers: Servers) -> None:
    """Advances by a span come one after the other, whichever process they are asked of."""

    def one_day(world: World) -> Callable[[], object]:
        return lambda: world.due.advance(lambda now: now + DAY)

    together(*(one_day(server.world) for server in servers * 3))
    assert servers[0].world.now() == START + 6 * DAY


@pytest.mark.parametrize("what", ["advance", "reset"])
def test_a_handler_cant_move_the_clock_through_another_process(servers: Servers, what: str) -> None:
    """While an advance waits for a handler, the clock is busy in every process."""
    first, second = servers
    refused: list[str] = []

    def call(_subject: str) -> None:
        try:
            if what == "reset":
                second.world.reset()
            else:
                second.world.due.advance(START + DAY)
        except Conflict as conflict:
            refused.append(conflict.code)

    first.courier.meanwhile = call
    schedule(first.world, ("errand", "a", 1))
    first.world.due.advance(START + 2)
    assert (refused, first.world.now()) == (["CLOCK_BUSY"], START + 2)


def test_who_waits_too_long_for_the_clock_is_told(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call isn't kept for ever by another process's long advance."""
    monkeypatch.setattr(leases, "PATIENCE_SECONDS", 0.05)
    first, second = servers
    with (
        first.world.due._away.advancing(),
        pytest.raises(Conflict, match="another process is advancing the clock") as busy,
    ):
        second.world.due.advance(START + DAY)
    assert busy.value.headers == {"Retry-After": "1"}
    second.world.due.advance(START + DAY)


def test_what_another_process_writes_is_met(servers: Servers) -> None:
    """An advance until a kind stops where another process wrote it."""
    first, second = servers
    second.courier.meanwhile = lambda _subject: None

    def tell(_subject: str) -> None:
        with second.world.transaction() as tx:
            tx.record("told", "x")

    first.courier.meanwhile = tell
    schedule(first.world, ("errand", "a", 1), ("step", "b", 2))
    assert first.world.due.advance(START + DAY, until="told")
    assert (first.world.now(), waiting(first.world)) == (START + 1, [("b", 2)])


def test_a_reset_waits_for_another_process(servers: Servers) -> None:
    """A world begins anew when no process has an errand away, and none takes one meanwhile."""
    first, second = servers
    first.courier.meanwhile = away = Gone()
    schedule(first.world, ("errand", "a", 0))
    slow = beside(first.world.due.settle)
    away.wait_until_gone()
    resetting = beside(second.world.reset)
    resetting.join(0.2)
    assert resetting.is_alive()
    schedule(first.world, ("errand", "late", 0))
    assert not first.world.due._take(None, lambda: False)
    away.call_back()
    for thread in (slow, resetting):
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    assert (entries(first.world), waiting(first.world)) == ([], [])
    assert first.courier.performed == ["a"]
    schedule(first.world, ("errand", "again", 0))
    second.world.due.settle()
    assert second.courier.performed == ["again"]
