"""Errands under way on a database that several processes share.

A lease is a row that names the errand, a mark of whoever took it, and when it ends on the
database's clock. Leases are taken under the writers' lock, so no two processes take the same
row; when a process dies, its leases end and its errands are done again. An outcome is written
only while its lease is still there. A lease on row 0 is one on the whole queue.
"""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from settlekit_mock.kernel.away import Away, DueRow, Taken
from settlekit_mock.kernel.database import Database
from settlekit_mock.kernel.problems import Conflict, Problem

LEASE_SECONDS: Final = 30.0
"""Longer than any delivery takes, and how long the errands of a dead process wait."""
PATIENCE_SECONDS: Final = 10.0
"""How long a call waits for another process that advances the clock."""
LOOK_SECONDS: Final = 0.02
WHOLE_QUEUE: Final = 0

_CLOCK: Final = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
_FREE: Final = f"""
    FROM due WHERE NOT EXISTS (
        SELECT FROM due_away WHERE ends_at > {_CLOCK}
        AND due_away.due_number IN (due.due_number, {WHOLE_QUEUE})
    )
"""
_NEXT: Final = text(
    f"SELECT due_number, at, kind, subject {_FREE} AND at <= :until ORDER BY at, due_number LIMIT 1"
)
_EARLIEST: Final = text(f"SELECT at {_FREE} ORDER BY at LIMIT 1")
_TAKE: Final = text(
    "INSERT INTO due_away (due_number, mark, ends_at, advancing) "  # noqa: S608
    f"VALUES (:number, :mark, {_CLOCK} + :length, :advancing) "
    "ON CONFLICT (due_number) DO UPDATE SET mark = excluded.mark, "
    "ends_at = excluded.ends_at, advancing = excluded.advancing"
)
_END: Final = text("DELETE FROM due_away WHERE due_number = :number AND mark = :mark")
_UNDER_WAY: Final = text(
    f"SELECT mark FROM due_away WHERE ends_at > {_CLOCK} AND due_number <> {WHOLE_QUEUE}"  # noqa: S608
)
_ENDED: Final = text(f"DELETE FROM due_away WHERE ends_at <= {_CLOCK}")  # noqa: S608
_ADVANCER_AWAY: Final = text(
    f"SELECT count(*) FROM due_away WHERE advancing = 1 AND ends_at > {_CLOCK}"  # noqa: S608
)
_LOCK_CLOCK: Final = text("SELECT pg_try_advisory_lock(7311849203)")
_HOLDER: Final = text("SELECT pg_backend_pid()")
_HOLDS: Final = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = :holder)"
)
_UNLOCK_CLOCK: Final = text("SELECT pg_advisory_unlock(7311849203)")


class Leases(Away):
    """For a world that several processes share."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._returned = threading.Condition()
        self._holder = 0

    def next_row(self, connection: Connection, until: int) -> DueRow | None:
        """Return the earliest row by an instant that nobody has a lease on."""
        found = connection.execute(_NEXT, {"until": until}).first()
        return None if found is None else DueRow(*found)

    def earliest(self, connection: Connection) -> int | None:
        """Return the instant of the earliest row that nobody has a lease on."""
        found: int | None = connection.execute(_EARLIEST).scalar()
        return found

    def take(self, connection: Connection, row: DueRow, *, advancing: bool) -> Taken:
        """Take a lease, within the transaction that prepares the errand."""
        return _take(connection, row.due_number, advancing=advancing)

    def bring_back(self, connection: Connection, taken: Taken) -> bool:
        """End a lease; false when it ended by itself and another process has the errand."""
        return connection.execute(_END, _named(taken)).rowcount == 1

    def give_up(self, taken: Taken) -> None:
        """End a lease; where the database is gone, it ends by itself."""
        with suppress(DBAPIError), self._database.look() as connection:
            connection.execute(_END, _named(taken))

    def tell(self) -> None:
        """Wake who waits in this process; who waits in another looks by itself."""
        with self._returned:
            self._returned.notify_all()

    def under_way(self, connection: Connection | None = None) -> frozenset[str]:
        """Return the marks of all that is under way, in any process."""
        if connection is not None:
            return frozenset(connection.execute(_UNDER_WAY).scalars())
        with self._database.look() as looking:
            return frozenset(looking.execute(_UNDER_WAY).scalars())

    def wait(self, before: frozenset[str]) -> bool:
        """Wait until what is under way now, but for what was before, is back or was left."""
        seen = left = self.under_way() - before
        while left:
            with self._returned:
                self._returned.wait(LOOK_SECONDS)
            left = seen & self.under_way()
        return bool(seen)

    @contextmanager
    def advancing(self) -> Generator[None, None, None]:
        """Keep other processes from advancing the clock; wait for one that does, for a while.

        Raises ``Conflict`` for one that goes on, or that waits for an errand's handler.
        """
        with self._database.look() as connection:
            _lock_clock(connection)
            self._holder = connection.execute(_HOLDER).scalar_one()
            try:
                yield
            finally:
                _unlock_clock(connection)

    def demand_clock(self, connection: Connection) -> None:
        """Raise a ``Problem`` (503) where the lock on the clock went with its connection."""
        if not connection.execute(_HOLDS, {"holder": self._holder}).scalar():
            raise Problem(
                "the connection that held the clock is lost, and another process may have it; "
                "read the clock, and advance it again",
                status=503,
                code="DATABASE_UNAVAILABLE",
                headers={"Retry-After": "1"},
            )

    @contextmanager
    def resting(self) -> Generator[None, None, None]:
        """Keep other processes from taking rows, by a lease on the whole queue."""
        with self._database.write() as connection:
            taken = _take(connection, WHOLE_QUEUE, advancing=False)
        try:
            yield
        finally:
            self.give_up(taken)

    def left_behind(self) -> bool:
        """Say whether a lease ended by itself, and forget it."""
        with self._database.look() as connection:
            return connection.execute(_ENDED).rowcount > 0


def _take(connection: Connection, number: int, *, advancing: bool) -> Taken:
    taken = Taken(number, uuid4().hex)
    length = int(LEASE_SECONDS * 1000)
    values = {**_named(taken), "length": length, "advancing": int(advancing)}
    connection.execute(_TAKE, values)
    return taken


def _named(taken: Taken) -> dict[str, object]:
    return {"number": taken.due_number, "mark": taken.mark}


def _lock_clock(connection: Connection) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not connection.execute(_LOCK_CLOCK).scalar():
        # Whoever calls while the advancer waits for a handler may be that handler.
        if connection.execute(_ADVANCER_AWAY).scalar():
            raise Conflict(
                "another process advances the clock, and waits for a webhook handler; "
                "a handler can't move it",
                code="CLOCK_BUSY",
            )
        if time.monotonic() > end:
            raise Conflict(
                "another process is advancing the clock; try again when it has arrived",
                code="CLOCK_BUSY",
                headers={"Retry-After": "1"},
            )
        time.sleep(LOOK_SECONDS)


def _unlock_clock(connection: Connection) -> None:
    try:
        connection.execute(_UNLOCK_CLOCK)
    except DBAPIError:
        connection.invalidate()  # the lock went with the connection
