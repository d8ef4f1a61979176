"""Errands under way: rows of the queue that somebody took out and hasn't brought back yet.

They stay in the queue, so that nothing is lost with a process, and everybody else passes
them over. One process keeps them in memory; processes that share a database lease them there.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, bindparam, func, select

from settlekit_mock.kernel.tables import DUE


class DueRow(NamedTuple):
    """A row of the queue."""

    due_number: int
    at: int
    kind: str
    subject: str


class Taken(NamedTuple):
    """One errand's claim on its row; ``mark`` is different each time a row is taken."""

    due_number: int
    mark: str


class Away(Protocol):
    """Who knows which errands are under way."""

    def next_row(self, connection: Connection, until: int) -> DueRow | None:
        """Return the earliest row by an instant that nobody has taken."""
        ...

    def earliest(self, connection: Connection) -> int | None:
        """Return the instant of the earliest row; with several processes, of those not taken."""
        ...

    def take(self, connection: Connection, row: DueRow, *, advancing: bool) -> Taken:
        """Take a row's errand, within the transaction that prepares it."""
        ...

    def bring_back(self, connection: Connection, taken: Taken) -> bool:
        """End a claim within the transaction of its outcome; false when it is another's by now."""
        ...

    def give_up(self, taken: Taken) -> None:
        """End a claim whose errand failed: it is done again."""
        ...

    def tell(self) -> None:
        """Wake who waits in this process."""
        ...

    def under_way(self, connection: Connection | None = None) -> frozenset[str]:
        """Return the marks of all that is under way: now, or as a transaction sees it."""
        ...

    def wait(self, before: frozenset[str]) -> bool:
        """Wait until what is under way now, but for what was before, is back.

        Return whether there was anything.
        """
        ...

    @contextmanager
    def advancing(self) -> Generator[None, None, None]:
        """Keep other processes from advancing the clock."""
        yield

    def demand_clock(self, connection: Connection) -> None:  # noqa: ARG002
        """Raise a ``Problem`` where another process may be advancing the clock by now."""
        return

    @contextmanager
    def resting(self) -> Generator[None, None, None]:
        """Keep other processes from taking rows."""
        yield

    def left_behind(self) -> bool:
        """Say whether a process that is gone left an errand under way."""
        ...


class AwayInProcess(Away):
    """For a world that one process has to itself."""

    def __init__(self) -> None:
        self._marks: dict[str, int] = {}
        self._taken = count(1)
        self._returned = threading.Condition()

    def next_row(self, connection: Connection, until: int) -> DueRow | None:
        """Return the earliest row by an instant that nobody has taken."""
        # Rows of errands under way elsewhere stay in the table and are passed over.
        away = self._marks.copy().values()  # a claim may be given up meanwhile
        found = connection.execute(_NEXT, {"until": until, "some": len(away) + 1})
        for row in found.all():
            if row.due_number not in away:
                return DueRow(*row)
        return None

    def earliest(self, connection: Connection) -> int | None:
        """Return the instant of the earliest row."""
        found: int | None = connection.execute(_EARLIEST).scalar()
        return found

    def take(self, connection: Connection, row: DueRow, *, advancing: bool) -> Taken:  # noqa: ARG002
        """Take a row's errand."""
        mark = str(next(self._taken))
        self._marks[mark] = row.due_number
        return Taken(row.due_number, mark)

    def bring_back(self, connection: Connection, taken: Taken) -> bool:  # noqa: ARG002
        """End a claim; from the commit on a new row may have the same number."""
        self._marks.pop(taken.mark, None)
        return True

    def give_up(self, taken: Taken) -> None:
        """End a claim."""
        self._marks.pop(taken.mark, None)

    def tell(self) -> None:
        """Wake who waits."""
        with self._returned:
            self._returned.notify_all()

    def under_way(self, connection: Connection | None = None) -> frozenset[str]:  # noqa: ARG002
        """Return the marks of all that is under way."""
        return frozenset(self._marks.copy())

    def wait(self, before: frozenset[str]) -> bool:
        """Wait until what is under way now, but for what was before, is back."""
        with self._returned:
            seen = self.under_way() - before
            # Others begin errands all the time; who waited for those as well might never end.
            while seen & self.under_way():
                self._returned.wait(timeout=1.0)
            return bool(seen)

    def left_behind(self) -> bool:
        """Nothing is: what is away is this process's own."""
        return False


_NEXT = (
    select(DUE.c.due_number, DUE.c.at, DUE.c.kind, DUE.c.subject)
    .where(DUE.c.at <= bindparam("until"))
    .order_by(DUE.c.at, DUE.c.due_number)
    .limit(bindparam("some"))
)
_EARLIEST = select(func.min(DUE.c.at))
