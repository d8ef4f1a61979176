"""A process that loses the clock with its connection advances no further."""

import pytest
from sqlalchemy import text

from settlekit_mock.kernel.problems import Problem
from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.kernel.conftest import START, entries, schedule, waiting
from tests.settlekit_mock.kernel.shared import Server, beside, servers, together

__all__ = ["servers"]
Servers = tuple[Server, Server]


def end_all_connections(world: World) -> None:
    """End every connection to the database but one's own, as a server's restart does."""
    others = text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with world.database.look() as connection:
        connection.execute(others)


def test_who_lost_the_clock_stops_where_it_was(servers: Servers) -> None:
    """While a webhook is away the connection breaks, and another process takes the clock."""
    first, second = servers
    schedule(first.world, ("errand", "a", 1), ("step", "b", 5))

    def meanwhile(_subject: str) -> None:
        end_all_connections(second.world)
        together(lambda: second.world.due.advance(START + 3))

    first.courier.meanwhile = meanwhile
    with pytest.raises(Problem, match="another process may have it") as lost:
        first.world.due.advance(START + DAY)
    assert (lost.value.status, lost.value.headers) == (503, {"Retry-After": "1"})
    assert (first.world.now(), waiting(first.world)) == (START + 3, [("b", 5)])
    assert [kind for kind, _, _ in entries(first.world)] == ["errand.prepared", "errand.finished"]
    first.world.due.advance(START + DAY)
    assert (second.world.now(), waiting(second.world)) == (START + DAY, [])


def test_who_has_nothing_more_to_do_doesnt_arrive_either(servers: Servers) -> None:
    """The clock isn't moved to a goal by a process that no longer holds it."""
    first, second = servers
    schedule(first.world, ("errand", "a", 1))
    first.courier.meanwhile = lambda _subject: end_all_connections(second.world)
    with pytest.raises(Problem):
        first.world.due.advance(START + DAY)
    assert first.world.now() == START + 1


def test_another_process_takes_a_lost_clock_at_once(servers: Servers) -> None:
    """The lock goes with the connection: nobody waits for who lost it."""
    first, second = servers
    with first.world.due.turn():
        end_all_connections(second.world)
        waited = beside(lambda: second.world.due.advance(START + DAY))
        waited.join(5)
        assert not waited.is_alive()
    assert first.world.now() == START + DAY
