"""Work that meets another process's transaction is done again, from its beginning, or refused."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from settlekit_mock.kernel.clock import load_state
from settlekit_mock.kernel.idempotency import once
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.kernel.conftest import entries
from tests.settlekit_mock.kernel.shared import PATIENCE_SECONDS, Server, servers, together

__all__ = ["servers"]
Servers = tuple[Server, Server]


class Meeting:
    """Where two meet at their first attempts, and nobody is waited for at the next."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)
        self.attempts = 0

    def __call__(self) -> None:
        self.attempts += 1
        if self.attempts <= 2:
            self._barrier.wait(PATIENCE_SECONDS)


def count_up(connection: Connection, name: str) -> None:
    connection.execute(text("UPDATE counts SET n = n + 1 WHERE name = :name"), {"name": name})


def counts(world: World) -> dict[str, int]:
    with world.snapshot() as connection:
        return {row.name: row.n for row in connection.execute(text("SELECT * FROM counts"))}


@pytest.fixture
def worlds(servers: Servers) -> list[World]:
    """Two worlds, and counts that writers may touch without the lock that all others take."""
    first, second = servers
    with first.world.database.write() as connection:
        connection.execute(text("CREATE TABLE counts (name text PRIMARY KEY, n int NOT NULL)"))
        connection.execute(text("INSERT INTO counts VALUES ('a', 0), ('b', 0)"))
    return [first.world, second.world]


def test_a_deadlock_is_gone_through_by_both(worlds: list[World]) -> None:
    """Rows taken in opposite order: one is thrown out, does it again, and both count once."""
    meet = Meeting()

    def work(world: World, *names: str) -> None:
        with world.database.write() as connection:
            count_up(connection, names[0])
            meet()
            count_up(connection, names[1])

    together(
        lambda: worlds[0].attempt(lambda: work(worlds[0], "a", "b")),
        lambda: worlds[1].attempt(lambda: work(worlds[1], "b", "a")),
    )
    assert (counts(worlds[0]), meet.attempts) == ({"a": 2, "b": 2}, 3)


def test_a_serialisation_failure_is_done_again(worlds: list[World]) -> None:
    """Who saw a row that another changed since looks again."""
    meet = Meeting()

    def work(world: World) -> None:
        with (
            world.database.engine.connect().execution_options(
                isolation_level="SERIALIZABLE"
            ) as connection,
            connection.begin(),
        ):
            connection.execute(text("SELECT n FROM counts WHERE name = 'a'")).scalar()
            meet()
            count_up(connection, "a")

    together(*((lambda world=world: world.attempt(lambda: work(world))) for world in worlds))
    assert (counts(worlds[0])["a"], meet.attempts) == (2, 3)


def test_a_key_that_two_write_at_once_has_one_effect(worlds: list[World]) -> None:
    """Without any lock the key itself refuses the second, who then answers the first's answer."""
    meet, answers = Meeting(), list[bytes]()

    def work(world: World) -> bytes:
        with world.database.write() as connection:
            tx = Transaction(world, connection, load_state(connection))

            def effect() -> bytes:
                meet()
                count_up(connection, "a" if world is worlds[0] else "b")
                return b"first" if world is worlds[0] else b"second"

            return once(tx, scope="s", key="k", payload=1, effect=effect, conflict_code="X")

    def call(world: World) -> None:
        answers.append(world.attempt(lambda: work(world)))

    together(*((lambda world=world: call(world)) for world in worlds))
    assert len(set(answers)) == 1
    assert sorted(counts(worlds[0]).values()) == [0, 1]


def refused_by(state: str) -> Callable[[World], None]:
    """Return work that the database refuses with an SQLSTATE."""
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"

    def work(world: World) -> None:
        with world.database.write() as connection:
            connection.execute(text(statement))

    return work


@pytest.mark.parametrize(
    ("state", "times"), [("40001", 5), ("40P01", 5), ("23505", 5), ("23514", 1), ("57014", 1)]
)
def test_what_may_pass_is_tried_a_few_times(worlds: list[World], state: str, times: int) -> None:
    """What never passes is told after five attempts; what can't pass, at once."""
    tried = list[int]()

    def work() -> None:
        tried.append(1)
        refused_by(state)(worlds[0])

    with pytest.raises(DBAPIError):
        worlds[0].attempt(work)
    assert len(tried) == times


def test_what_was_written_isnt_written_again(worlds: list[World]) -> None:
    """After a commit the work isn't begun anew, whatever is refused then."""

    def work() -> None:
        with worlds[0].transaction() as tx:
            tx.record("written", "x")
        refused_by("40001")(worlds[0])

    with pytest.raises(DBAPIError):
        worlds[0].attempt(work)
    assert [kind for kind, _, _ in entries(worlds[1])] == ["written"]


def end_all_connections(world: World) -> None:
    """End every connection to the database but one's own, as a server's restart does."""
    others = text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with world.database.look() as connection:
        connection.execute(others)


def test_a_connection_lost_before_the_commit_leaves_nothing(worlds: list[World]) -> None:
    """The transaction is refused whole, and the next one finds a new connection."""
    first, second = worlds

    def work() -> None:
        with first.transaction() as tx:
            tx.record("lost", "x")
            tx.flush()
            end_all_connections(second)

    with pytest.raises(OperationalError):
        work()
    with first.transaction() as tx:
        tx.record("written", "x")
    assert [kind for kind, _, _ in entries(second)] == ["written"]


def test_a_connection_lost_after_the_commit_keeps_what_was_written(worlds: list[World]) -> None:
    """The caller can't know; with the same key the first answer is found, and one effect."""
    first, second = worlds
    effects, lost = list[int](), list[int]()

    def work() -> bytes:
        with first.transaction() as tx:

            def effect() -> bytes:
                effects.append(1)
                return b"done"

            return once(tx, scope="s", key="k", payload=1, effect=effect, conflict_code="X")

    @event.listens_for(first.database.engine, "commit")
    def lose(connection: Connection) -> None:
        if not lost:
            lost.append(1)
            connection.connection.driver_connection.commit()  # type: ignore[union-attr]
            end_all_connections(second)
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(OperationalError):
        work()
    assert (work(), effects) == (b"done", [1])
