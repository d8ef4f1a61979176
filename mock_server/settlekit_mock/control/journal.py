"""Read the journal."""

from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, Metadata, StrictBody, Timestamp
from settlekit_mock.kernel import journal
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import to_text

Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class JournalEntry(Answer, frozen=True, kw_only=True):
    """One thing that happened. ``data`` depends on the kind."""

    seq: int
    at: Timestamp
    kind: str
    subject: str
    data: Metadata


class Journal(Answer, frozen=True, kw_only=True):
    """A page of the journal, oldest first; go on with ``after=next_after``."""

    items: list[JournalEntry]
    next_after: int


class JournalQuery(StrictBody, frozen=True, kw_only=True):
    """Where to begin, and what to leave out; ``before`` asks for the last ones in front of it."""

    after: Seq | None = None
    before: Seq | None = None
    kind: Annotated[str, Meta(max_length=100)] | None = None
    subject: Annotated[str, Meta(max_length=255)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


def shaped(entry: journal.Entry) -> JournalEntry:
    """Shape a journal entry for the wire."""
    return JournalEntry(
        seq=entry.seq,
        at=to_text(entry.at),
        kind=entry.kind,
        subject=entry.subject,
        data=msgspec.json.decode(entry.data),
    )


def list_events(request: Request) -> Journal:
    """Answer a page of the journal."""
    query: JournalQuery = request.query
    if query.after is not None and query.before is not None:
        raise Invalid("before: give after or before, not both")
    with request.world.snapshot() as connection:
        found = _entries(connection, query)
    return Journal(
        items=[shaped(entry) for entry in found],
        next_after=found[-1].seq if found else query.after or 0,
    )


def _entries(connection: Connection, query: JournalQuery) -> list[journal.Entry]:
    wanted = {"kind": query.kind, "subject": query.subject}
    if query.before is not None:
        return journal.newest(connection, before=query.before, **wanted, limit=query.limit)
    return journal.entries(connection, after=query.after or 0, **wanted, limit=query.limit)
