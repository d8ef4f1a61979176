"""The kernel on PostgreSQL: the same transactions, journal and queue, for several processes."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from settlekit_mock.kernel.database import Database, DatabaseUnusable
from settlekit_mock.kernel.idempotency import once
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.world import Settings, World
from tests.settlekit_mock.kernel.conftest import START, entries, schedule, step


def opened(url: str) -> World:
    """Open a process's world on a database, as another server would."""
    world = World(Database(url), Settings(freeze_at=START))
    world.due.on("step", step)
    return world


@pytest.fixture
def worlds(postgresql_url: str) -> Iterator[tuple[World, World]]:
    """Two servers' worlds on one database."""
    first = opened(postgresql_url)
    assert first.database.prepare()
    first.create()
    second = opened(postgresql_url)
    assert not second.database.prepare()
    yield first, second
    first.close()
    second.close()


def test_what_one_process_writes_another_reads(worlds: tuple[World, World]) -> None:
    """Journal, queue and clock are the database's, not a process's."""
    first, second = worlds
    schedule(first, ("step", "a", 5))
    second.due.advance(START + 9)
    assert entries(first) == [("step", "a", 5)]
    assert first.now() == START + 9


def test_a_refused_call_writes_nothing(worlds: tuple[World, World]) -> None:
    """A refusal rolls back, and the next call goes on."""
    first, second = worlds

    def refuse() -> None:
        with first.transaction() as tx:
            tx.record("never", "x")
            raise Conflict("no")

    with pytest.raises(Conflict, match="no"):
        refuse()
    with second.transaction() as tx:
        tx.record("written", "x")
    assert entries(first) == [("written", "x", 0)]


def test_ids_are_drawn_once(worlds: tuple[World, World]) -> None:
    """Two processes that draw at the same time draw different ids, and none is left out."""
    drawn: list[str] = []

    def draw(world: World) -> None:
        for _ in range(20):
            with world.transaction() as tx:
                drawn.append(tx.new_id("x"))

    threads = [threading.Thread(target=draw, args=(world,)) for world in worlds * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(set(drawn)) == 80
    assert worlds[0].state().next_number == 81


def test_a_key_has_one_effect(worlds: tuple[World, World]) -> None:
    """Callers of several processes with one key get the first one's answer."""
    effects, answers = list[int](), list[bytes]()

    def call(world: World) -> None:
        def effect() -> bytes:
            effects.append(1)
            return b"done"

        with world.transaction() as tx:
            answers.append(
                once(tx, scope="s", key="k", payload=1, effect=effect, conflict_code="X")
            )

    threads = [threading.Thread(target=call, args=(world,)) for world in worlds * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (effects, answers) == ([1], [b"done"] * 8)


def test_a_reader_sees_one_moment(worlds: tuple[World, World]) -> None:
    """What is committed while a snapshot is open doesn't show in it."""
    first, second = worlds
    count = text("SELECT count(*) FROM events")
    with first.snapshot() as connection:
        assert connection.execute(count).scalar() == 0
        with second.transaction() as tx:
            tx.record("meanwhile", "x")
        assert connection.execute(count).scalar() == 0


@pytest.mark.parametrize("statement", ["UPDATE events SET kind = 'x'", "DELETE FROM events"])
def test_the_journal_never_changes(worlds: tuple[World, World], statement: str) -> None:
    """The database itself refuses to change or delete a row of the journal."""
    with worlds[0].transaction() as tx:
        tx.record("first", "x")
    with (
        pytest.raises(DBAPIError, match="rows of events never change"),
        worlds[0].database.write() as connection,
    ):
        connection.execute(text(statement))


def test_a_reset_begins_anew(worlds: tuple[World, World]) -> None:
    """Beginning anew drops every row, guarded ones too."""
    first, second = worlds
    with first.transaction() as tx:
        tx.record("before", "x")
    first.reset()
    assert entries(second) == []


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://u:hush@/x?host=/nowhere", "postgresql://u:hush@[::1"]
)
def test_a_server_that_is_not_there_is_one_line(url: str) -> None:
    """A database that doesn't answer is unusable, in one line without its password."""
    with pytest.raises(DatabaseUnusable, match=r"PostgreSQL|database URL") as unusable:
        Database(url).prepare()
    assert "\n" not in str(unusable.value)
    assert "hush" not in str(unusable.value)
