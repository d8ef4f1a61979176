"""Transactions: all or nothing, and what a refusal leaves behind."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from settlekit_mock.kernel import journal
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.tables import EVENTS, METADATA
from settlekit_mock.kernel.times import DAY, from_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import World

pytestmark = pytest.mark.both_databases
START = from_text("2026-03-01T00:00:00Z")


class Crash(Exception):
    """A defect."""


def rows(world: World) -> dict[str, list[Any]]:
    with world.snapshot() as connection:
        return {
            table.name: list(connection.execute(table.select())) for table in METADATA.sorted_tables
        }


def busy(tx: Transaction) -> None:
    """Do everything that a transaction can."""
    tx.new_id("mu")
    tx.ids.secret("whsec")
    tx.record("written", "subject")
    tx.flush()
    tx.record("collected", "subject")
    tx.schedule("work", "subject", tx.now + DAY)
    tx.state = tx.state.moved_to(tx.now + 1)


def fails(world: World, error: Exception, write: Callable[[Transaction], None] | None) -> None:
    with world.transaction() as tx:
        busy(tx)
        if write is not None:
            tx.when_refused(write)
        raise error


def refused_after(world: World, work: Callable[[Transaction], None]) -> None:
    with world.transaction() as tx:
        work(tx)
        raise Conflict("no")


@pytest.mark.parametrize("error", [Conflict("no"), Crash("defect"), KeyboardInterrupt()])
@pytest.mark.parametrize("which", ["world", "world_on_file"])
def test_a_transaction_that_raises_leaves_nothing(
    request: pytest.FixtureRequest, which: str, error: Exception
) -> None:
    """Whatever ends a transaction early, no row, id, time or due work of it stays."""
    world: World = request.getfixturevalue(which)
    before = rows(world)
    with pytest.raises(type(error)):
        fails(world, error, None)
    assert rows(world) == before


def test_a_transaction_that_ends_well_leaves_all(world: World) -> None:
    """Journal, due work, ids and time are written together."""
    with world.transaction() as tx:
        busy(tx)
    written = rows(world)
    assert [entry.kind for entry in written["events"]] == ["written", "collected"]
    assert [(row.at, row.kind) for row in written["due"]] == [(START + DAY, "work")]
    assert (written["state"][0].next_number, world.now()) == (3, START + 1)


def test_a_refusal_writes_the_journal_alone(world: World) -> None:
    """What ``when_refused`` was given is written, and nothing else of the refused call."""
    with pytest.raises(Conflict):
        fails(world, Conflict("no"), lambda tx: tx.record("refused", "subject"))
    written = rows(world)
    assert [(entry.kind, entry.at) for entry in written["events"]] == [("refused", START)]
    assert (written["due"], written["state"][0].next_number, world.now()) == ([], 1, START)


def test_a_defect_writes_no_refusal(world: World) -> None:
    """Only a ``Problem`` is a refusal: a crash leaves no word in the journal."""
    with pytest.raises(Crash):
        fails(world, Crash("defect"), lambda tx: tx.record("refused", "subject"))
    assert rows(world)["events"] == []


def test_what_is_accepted_writes_no_refusal(world: World) -> None:
    """A transaction that ends well forgets what it would have written if refused."""
    with world.transaction() as tx:
        tx.when_refused(lambda after: after.record("refused", "subject"))
    assert rows(world)["events"] == []


@pytest.mark.parametrize("verb", ["UPDATE events SET kind = 'x'", "DELETE FROM events"])
def test_the_journal_never_changes(world: World, verb: str) -> None:
    """The database itself refuses to change or drop a journal entry."""
    with world.transaction() as tx:
        tx.record("written", "subject")
    with pytest.raises(DBAPIError, match="rows of events never change"), world.transaction() as tx:
        tx.connection.exec_driver_sql(verb)
    assert [entry.kind for entry in rows(world)["events"]] == ["written"]


def test_journal_data_has_one_form(world: World) -> None:
    """An entry's data is JSON with its keys sorted, however they were given."""
    with world.transaction() as tx:
        tx.record("written", "subject", b=1, a="ü")
    assert [entry.data for entry in rows(world)["events"]] == ['{"a":"ü","b":1}']


def test_the_journal_is_read_by_kind_subject_and_place(world: World) -> None:
    """Reading goes on behind a number, narrowed by kind and subject, oldest first."""
    with world.transaction() as tx:
        for number in range(6):
            tx.record("odd" if number % 2 else "even", f"s{number // 4}")
    with world.snapshot() as connection:
        assert [entry.seq for entry in journal.entries(connection, after=2)] == [3, 4, 5, 6]
        assert [entry.seq for entry in journal.entries(connection, kind="odd")] == [2, 4, 6]
        assert [entry.seq for entry in journal.entries(connection, subject="s1")] == [5, 6]
        assert [entry.seq for entry in journal.entries(connection, limit=2)] == [1, 2]
        assert (journal.last_seq(connection), journal.count_after(connection, 4)) == (6, 2)


def test_an_empty_journal_ends_at_zero(world: World) -> None:
    """Before anything happened the last number is 0."""
    with world.snapshot() as connection:
        assert (journal.last_seq(connection), journal.entries(connection)) == (0, [])


def test_due_work_is_never_put_into_the_past(world: World) -> None:
    """What is scheduled for a time that has passed is due now."""
    with world.transaction() as tx:
        tx.schedule("work", "subject", START - DAY)
    assert world.due.next_due_at() == START


def test_cancelled_work_is_gone(world: World) -> None:
    """Work is taken out of the queue by kind and subject, in the transaction that put it in too."""
    with world.transaction() as tx:
        tx.schedule("work", "one", START)
        tx.schedule("work", "other", START + DAY)
        tx.schedule("rest", "one", START + 2 * DAY)
        tx.cancel("work", "one")
    assert [(row.kind, row.subject) for row in rows(world)["due"]] == [
        ("work", "other"),
        ("rest", "one"),
    ]


def test_listeners_write_in_the_tellers_transaction(world: World) -> None:
    """What is published is heard at once, and goes when the teller's transaction goes."""
    world.subscribe("topic", lambda tx, message: tx.record("heard", str(message)))
    with world.transaction() as tx:
        tx.publish("topic", 1)
        tx.publish("unheard", 2)
    with pytest.raises(Conflict):
        refused_after(world, lambda tx: tx.publish("topic", 3))
    assert [(entry.kind, entry.subject) for entry in rows(world)["events"]] == [("heard", "1")]


def test_entries_carry_the_time_they_are_given(world: World) -> None:
    """An entry is of the transaction's time unless it names another."""
    with world.transaction() as tx:
        tx.record("now", "subject")
        tx.record("then", "subject", at=START + 5)
    with world.snapshot() as connection:
        times = list(connection.execute(EVENTS.select().with_only_columns(EVENTS.c.at)).scalars())
    assert times == [START, START + 5]
