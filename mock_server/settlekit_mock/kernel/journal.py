"""Read the journal: everything that happened, oldest first."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from settlekit_mock.kernel.tables import EVENTS

_Query = Select[Any]


class Entry(NamedTuple):
    """One journal entry; ``data`` is JSON text."""

    seq: int
    at: int
    kind: str
    subject: str
    data: str


def entries(
    connection: Connection,
    *,
    after: int = 0,
    kind: str | None = None,
    subject: str | None = None,
    limit: int = 1000,
) -> list[Entry]:
    """Return up to ``limit`` entries behind ``after``, oldest first."""
    query = select(*EVENTS.c).where(EVENTS.c.seq > after)
    query = _narrowed(query, kind, subject).order_by(EVENTS.c.seq).limit(limit)
    return [Entry(*row) for row in connection.execute(query)]


def newest(
    connection: Connection,
    *,
    before: int,
    kind: str | None = None,
    subject: str | None = None,
    limit: int = 1000,
) -> list[Entry]:
    """Return the last ``limit`` entries in front of ``before``, oldest first."""
    query = select(*EVENTS.c).where(EVENTS.c.seq < before)
    query = _narrowed(query, kind, subject).order_by(EVENTS.c.seq.desc()).limit(limit)
    return [Entry(*row) for row in connection.execute(query)][::-1]


def _narrowed(query: _Query, kind: str | None, subject: str | None) -> _Query:
    if kind is not None:
        query = query.where(EVENTS.c.kind == kind)
    if subject is not None:
        query = query.where(EVENTS.c.subject == subject)
    return query


def last_seq(connection: Connection) -> int:
    """Return the number of the newest entry, 0 for an empty journal."""
    found: int | None = connection.execute(select(func.max(EVENTS.c.seq))).scalar()
    return found or 0


def count_after(connection: Connection, seq: int) -> int:
    """Count the entries behind a number."""
    found: int = connection.execute(
        select(func.count()).select_from(EVENTS).where(EVENTS.c.seq > seq)
    ).scalar_one()
    return found
