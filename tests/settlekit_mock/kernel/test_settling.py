"""A call is answered when what it left due is done, whoever does it; and nobody waits for ever."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from settlekit_mock.kernel import due
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.worker import Worker
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.kernel.conftest import Courier, schedule, waiting
from tests.settlekit_mock.kernel.shared import PATIENCE_SECONDS, Gone, Server, beside, opened

Two = tuple[Server, Server]


@pytest.fixture(params=["threads", "processes"])
def two(request: pytest.FixtureRequest, world: World, courier: Courier) -> Iterator[Two]:
    """Who calls and who comes between: two threads of one process, or two on PostgreSQL."""
    if request.param == "threads":
        yield Server(world, courier), Server(world, courier)
        return
    url = request.getfixturevalue("postgresql_url")
    first, second = opened(url), opened(url)
    assert first.world.database.prepare()
    first.world.create()
    yield first, second
    first.world.close()
    second.world.close()


def ended(thread: threading.Thread) -> bool:
    thread.join(PATIENCE_SECONDS)
    return not thread.is_alive()


def performed(two: Two) -> list[str]:
    first, second = two
    if first.courier is second.courier:
        return sorted(first.courier.performed)
    return sorted(first.courier.performed + second.courier.performed)


def test_a_call_waits_for_what_another_took_right_after_its_commit(two: Two) -> None:
    """Between the commit and the settling somebody else may take the work: it's waited for."""
    first, second = two
    second.courier.meanwhile = away = Gone()
    left, taken = threading.Event(), threading.Event()

    def call() -> None:
        schedule(first.world, ("errand", "mine", 0))
        left.set()
        taken.wait(PATIENCE_SECONDS)
        first.world.settle()

    calling = beside(call)
    assert left.wait(PATIENCE_SECONDS)
    other = beside(second.world.due.settle)
    away.wait_until_gone()
    taken.set()
    calling.join(0.2)
    assert calling.is_alive()
    away.call_back()
    assert ended(calling)
    assert ended(other)
    assert (performed(two), waiting(first.world)) == (["mine"], [])


def test_a_call_waits_for_all_that_it_left_due_in_several_transactions(two: Two) -> None:
    """What came between its transactions is waited for too, and what was away before isn't."""
    first, second = two
    aways = {name: Gone() for name in ("old", "one", "two")}
    first.courier.meanwhile = second.courier.meanwhile = lambda name: aways[name](name)
    schedule(second.world, ("errand", "old", 0))
    helpers = [beside(second.world.due.settle)]
    aways["old"].wait_until_gone()

    def call() -> None:
        for name in ("one", "two"):
            schedule(first.world, ("errand", name, 0))
            helpers.append(beside(second.world.due.settle))
            aways[name].wait_until_gone()
        first.world.settle()

    calling = beside(call)
    for name in ("one", "two"):
        aways[name].wait_until_gone()
        calling.join(0.2)
        assert calling.is_alive()
        aways[name].call_back()
    assert ended(calling)
    assert waiting(first.world) == [("old", 0)]
    aways["old"].call_back()
    assert all(ended(helper) for helper in helpers)


def chained(courier: Courier) -> None:
    """Have the errand ``first`` leave another one that is due at once."""
    finish = courier.finish

    def and_more(tx: Transaction, subject: str, job: str, outcome: Any) -> None:
        finish(tx, subject, job, outcome)
        if subject == "first":
            tx.schedule("errand", "second", tx.now)

    courier.finish = and_more  # type: ignore[method-assign]


def test_what_is_left_after_the_last_round_is_done(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the work that was waited for leaves due in its turn is never left lying."""
    monkeypatch.setattr(due, "ROUNDS", 1)
    first, second = two
    chained(second.courier)
    second.courier.meanwhile = away = Gone()
    schedule(first.world, ("errand", "first", 0))
    other = beside(lambda: second.world.due._take(None, lambda: False))
    away.wait_until_gone()
    calling = beside(lambda: first.world.due.settle(frozenset()))
    calling.join(0.1)
    away.call_back()
    assert ended(calling)
    assert ended(other)
    assert (performed(two), waiting(first.world)) == (["first", "second"], [])


class Relay:
    """Errands of which one is always away: each stays until the next one is gone."""

    def __init__(self, server: Server, length: int) -> None:
        self._gone = [threading.Event() for _ in range(length + 1)]
        self._server = server
        self.over = threading.Event()
        server.courier.meanwhile = self._away
        schedule(server.world, ("errand", "0", 0))
        self.runners = [beside(self._begin)]
        assert self._gone[0].wait(PATIENCE_SECONDS)

    def _begin(self) -> None:
        self._server.world.due._take(None, lambda: False)

    def _away(self, subject: str) -> None:
        number = int(subject)
        self._gone[number].set()
        if number + 1 < len(self._gone) and not self.over.is_set():
            self.over.wait(0.02)
            schedule(self._server.world, ("errand", str(number + 1), 0))
            self.runners.append(beside(self._begin))
            self._gone[number + 1].wait(PATIENCE_SECONDS)


def test_who_always_finds_others_at_work_is_answered_and_says_so(
    world: World,
    courier: Courier,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Errands that others begin all the time keep no call for ever; the log tells of it."""
    monkeypatch.setattr(due, "ROUNDS", 2)
    relay = Relay(Server(world, courier), 1000)
    try:
        with caplog.at_level(logging.WARNING, "settlekit_mock"):
            assert ended(beside(lambda: world.due.settle(frozenset())))
        assert any(runner.is_alive() for runner in relay.runners)
    finally:
        relay.over.set()
        assert all(ended(runner) for runner in relay.runners)
    assert "others are still doing due work" in caplog.text


def resting(world: World, meanwhile: Callable[[], None]) -> Callable[[], None]:
    def rest() -> None:
        with world.due.resting():
            meanwhile()

    return rest


def test_what_is_left_due_while_a_copy_is_made_is_done_then(world: World, courier: Courier) -> None:
    """A call that is kept off by a fork or a snapshot waits for it, and is answered after."""
    begun, over = threading.Event(), threading.Event()

    def copy() -> None:
        begun.set()
        over.wait(PATIENCE_SECONDS)

    def call() -> None:
        schedule(world, ("errand", "mine", 0))
        world.settle()

    copying = beside(resting(world, copy))
    assert begun.wait(PATIENCE_SECONDS)
    calling = beside(call)
    calling.join(0.2)
    assert calling.is_alive()
    assert courier.performed == []
    over.set()
    assert ended(calling)
    assert courier.performed == ["mine"]
    assert ended(copying)


def test_a_handler_that_is_kept_off_is_answered_and_its_work_is_done(
    world: World, courier: Courier
) -> None:
    """A fork waits for the handler, so the handler doesn't wait for the fork; nothing is lost."""
    away = Gone()
    answered: list[bool] = []

    def call() -> None:
        schedule(world, ("errand", "by handler", 0))
        world.settle()

    def handle(subject: str) -> None:
        if subject == "first":
            away(subject)
            answered.append(ended(beside(call)))

    courier.meanwhile = handle
    schedule(world, ("errand", "first", 0))
    delivering = beside(lambda: world.due._take(None, lambda: False))
    away.wait_until_gone()
    copying = beside(resting(world, lambda: None))
    copying.join(0.1)
    assert copying.is_alive()
    away.call_back()
    assert ended(delivering)
    assert ended(copying)
    assert (answered, courier.performed) == ([True], ["first", "by handler"])


def test_what_a_failing_database_left_undone_is_done_by_the_next_call(
    world: World, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written but not delivered when the database failed: whoever calls next delivers it."""
    monkeypatch.setattr(world.due, "_take", failing(world.due._take, times=2))
    schedule(world, ("errand", "a", 0))
    with pytest.raises(OperationalError):
        world.settle()
    world.settle()  # the caller left nothing due, and isn't told what another's work met
    assert courier.performed == []
    assert ended(beside(world.settle))
    assert courier.performed == ["a"]


def test_a_worker_does_what_a_failing_database_left_undone(
    world: World, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a frozen clock too, nobody has to call."""
    monkeypatch.setattr("settlekit_mock.kernel.worker.LONGEST_SLEEP_SECONDS", 0.02)
    done = threading.Event()
    courier.meanwhile = lambda _subject: done.set()
    worker = Worker(world)
    worker.start()
    try:
        threading.Event().wait(0.1)
        monkeypatch.setattr(world.due, "_take", failing(world.due._take, times=1))
        schedule(world, ("errand", "a", 0))
        with pytest.raises(OperationalError):
            world.settle()
        assert done.wait(PATIENCE_SECONDS)
    finally:
        worker.stop()


def test_a_worker_says_once_that_the_database_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However long it is gone, one line in the log says so, without a traceback."""
    monkeypatch.setattr("settlekit_mock.kernel.worker.LONGEST_SLEEP_SECONDS", 0.005)
    tried, often = list[int](), threading.Event()

    def read() -> None:
        tried.append(1)
        if len(tried) == 5:
            often.set()
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(world.due, "read", read)
    worker = Worker(world)
    with caplog.at_level(logging.ERROR, "settlekit_mock"):
        worker.start()
        assert often.wait(PATIENCE_SECONDS)
        worker.stop()
    assert caplog.text.count("the database doesn't answer") == 1
    assert "Traceback" not in caplog.text


def failing(work: Callable[..., bool], times: int) -> Callable[..., bool]:
    """Fail as a database does that is gone, so many times."""
    left = [times]

    def fail(*given: Any) -> bool:
        if left[0]:
            left[0] -= 1
            raise OperationalError("SELECT", {}, Exception("gone"))
        return work(*given)

    return fail
