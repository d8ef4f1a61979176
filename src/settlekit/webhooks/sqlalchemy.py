"""Inboxes on SQLAlchemy: the handler gets the session in which the event is marked as done.

The table is made by your own migrations: ``inbox_table(metadata)`` adds it to the metadata that
Alembic compares with the database, and ``docs/howto/exactly-once.md`` has it as SQL.
"""

import time
from datetime import UTC, datetime
from typing import Any, Final, cast

try:
    import sqlalchemy as sa
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.orm import Session, sessionmaker
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "settlekit.webhooks.sqlalchemy needs SQLAlchemy: pip install 'settlekit[sqlalchemy]'",
        name=error.name,
    ) from error
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from settlekit.webhooks.inbox import LEASE_SECONDS, Effect, Record, State

TABLE_NAME: Final = "settlekit_webhook_events"


def inbox_table(metadata: sa.MetaData, name: str = TABLE_NAME) -> sa.Table:
    """Add the inbox's table to a metadata, so that its migrations make it.

    Instants are whole milliseconds since 1970, in UTC.
    """
    return sa.Table(
        name,
        metadata,
        sa.Column("event_id", sa.String(255), primary_key=True),
        sa.Column("event_type", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(255)),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("claim", sa.String(32), nullable=False),
        sa.Column("claimed_until", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.String(255)),
        sa.Index(f"ix_{name}_state", "state", "received_at"),
    )


class Statements:
    """The statements of an inbox, on its table: what the two shells share."""

    def __init__(self, table: sa.Table | None) -> None:
        self.table = inbox_table(sa.MetaData()) if table is None else table
        self._columns = self.table.c

    def insert(self, record: Record, claim: str, until: int) -> sa.Insert:
        """Write an event that wasn't there, claimed."""
        return sa.insert(self.table).values(
            event_id=record.event_id,
            event_type=record.event_type,
            kind=record.kind,
            state=record.state.value,
            reason=record.reason,
            body=record.body,
            occurred_at=milliseconds(record.occurred_at.timestamp()),
            received_at=milliseconds(record.received_at.timestamp()),
            claim=claim,
            claimed_until=until,
            attempts=1,
        )

    def claim(self, record: Record, claim: str, now: int, until: int) -> sa.Update:
        """Claim an event that nobody holds."""
        free = self._columns.claimed_until <= now
        return (
            self._of(record.event_id, State.RECEIVED)
            .where(free)
            .values(
                claim=claim,
                claimed_until=until,
                attempts=self._columns.attempts + 1,
                kind=record.kind,
                reason=record.reason,
            )
        )

    def state(self, event_id: str) -> "sa.Select[Any]":
        """Read where an event stands."""
        return sa.select(self._columns.state).where(self._columns.event_id == event_id)

    def finish(self, event_id: str, claim: str, state: State, now: int) -> sa.Update:
        """Write where a claimed event stands now; its row stays locked until the effect holds."""
        return (
            self._of(event_id, State.RECEIVED)
            .where(self._columns.claim == claim)
            .values(state=state.value, finished_at=now, error=None)
        )

    def keep(self, event_id: str, claim: str, reason: str, now: int) -> sa.Update:
        """Put a claimed event into review."""
        return self.finish(event_id, claim, State.REVIEW, now).values(reason=reason)

    def release(self, event_id: str, claim: str, error: str) -> sa.Update:
        """Give a claim back."""
        mine = self._columns.claim == claim
        return self._of(event_id, State.RECEIVED).where(mine).values(claimed_until=0, error=error)

    def waiting(self, now: int, limit: int) -> "sa.Select[Any]":
        """Read events that nobody holds."""
        return self._oldest(State.RECEIVED, limit).where(self._columns.claimed_until <= now)

    def review(self, limit: int) -> "sa.Select[Any]":
        """Read events to look at."""
        return self._oldest(State.REVIEW, limit)

    def move(self, event_id: str, state: State) -> sa.Update:
        """Take an event out of review."""
        return self._of(event_id, State.REVIEW).values(state=state.value, claimed_until=0)

    def _of(self, event_id: str, state: State) -> sa.Update:
        columns = self._columns
        return sa.update(self.table).where(
            columns.event_id == event_id, columns.state == state.value
        )

    def _oldest(self, state: State, limit: int) -> "sa.Select[Any]":
        columns = self._columns
        found = sa.select(self.table).where(columns.state == state.value)
        return found.order_by(columns.received_at, columns.event_id).limit(limit)


class SqlAlchemyInbox:
    """An inbox for threads; ``bind`` is an engine, or your own sessionmaker.

    Handlers get the Session. ``lease_seconds`` must be longer than a handler takes.
    """

    def __init__(
        self,
        bind: "sa.Engine | sessionmaker[Session]",
        *,
        table: sa.Table | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.lease_seconds = lease_seconds
        self._sessions = sessionmaker(bind) if isinstance(bind, sa.Engine) else bind
        self._statements = Statements(table)

    def claim(self, record: Record, claim: str, now: float) -> State | None:
        """Claim an event; None where it is claimed now, else where it stands."""
        begin, until = milliseconds(now), milliseconds(now + self.lease_seconds)
        try:
            self._write(self._statements.insert(record, claim, until))
            return None
        except IntegrityError:
            pass
        if self._write(self._statements.claim(record, claim, begin, until)):
            return None
        with self._sessions.begin() as session:
            return State(session.execute(self._statements.state(record.event_id)).scalar_one())

    def take(self, event_id: str, claim: str, state: State, effect: Effect) -> bool:
        """Write effect and state in one transaction; False, and nothing, if the claim is lost."""
        finish = self._statements.finish(event_id, claim, state, milliseconds(time.time()))
        with self._sessions.begin() as session:
            if not rows_of(session.execute(finish)):
                return False
            effect(session)
        return True

    def keep(self, event_id: str, claim: str, reason: str) -> bool:
        """Put a claimed event into review, with no effect; False if the claim is lost."""
        now = milliseconds(time.time())
        return bool(self._write(self._statements.keep(event_id, claim, reason, now)))

    def release(self, event_id: str, claim: str, error: str) -> None:
        """Give a claim back, with the error's name."""
        self._write(self._statements.release(event_id, claim, error))

    def waiting(self, now: float, limit: int = 100) -> list[Record]:
        """Return events that are neither done nor claimed, the oldest first."""
        return self._read(self._statements.waiting(milliseconds(now), limit))

    def review(self, limit: int = 100) -> list[Record]:
        """Return events that somebody should look at, the oldest first."""
        return self._read(self._statements.review(limit))

    def resolve(self, event_id: str) -> bool:
        """Say that a reviewed event needs no effect; False if it isn't in review."""
        return bool(self._write(self._statements.move(event_id, State.DONE)))

    def reopen(self, event_id: str) -> bool:
        """Let a reviewed event be taken again; False if it isn't in review."""
        return bool(self._write(self._statements.move(event_id, State.RECEIVED)))

    def _write(self, statement: sa.Insert | sa.Update) -> int:
        with self._sessions.begin() as session:
            return rows_of(session.execute(statement))

    def _read(self, statement: "sa.Select[Any]") -> list[Record]:
        with self._sessions.begin() as session:
            return [record_of_row(row) for row in session.execute(statement).mappings()]


class AsyncSqlAlchemyInbox:
    """An inbox for tasks; ``bind`` is an async engine, or your own async_sessionmaker.

    Handlers are ``async def`` and get the AsyncSession.
    """

    def __init__(
        self,
        bind: "AsyncEngine | async_sessionmaker[AsyncSession]",
        *,
        table: sa.Table | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.lease_seconds = lease_seconds
        self._sessions = async_sessionmaker(bind) if isinstance(bind, AsyncEngine) else bind
        self._statements = Statements(table)

    async def claim(self, record: Record, claim: str, now: float) -> State | None:
        """Claim an event; None where it is claimed now, else where it stands."""
        begin, until = milliseconds(now), milliseconds(now + self.lease_seconds)
        try:
            await self._write(self._statements.insert(record, claim, until))
            return None
        except IntegrityError:
            pass
        if await self._write(self._statements.claim(record, claim, begin, until)):
            return None
        async with self._sessions.begin() as session:
            found = await session.execute(self._statements.state(record.event_id))
            return State(found.scalar_one())

    async def take(self, event_id: str, claim: str, state: State, effect: Effect) -> bool:
        """Write effect and state in one transaction; False, and nothing, if the claim is lost."""
        finish = self._statements.finish(event_id, claim, state, milliseconds(time.time()))
        async with self._sessions.begin() as session:
            if not rows_of(await session.execute(finish)):
                return False
            await effect(session)
        return True

    async def keep(self, event_id: str, claim: str, reason: str) -> bool:
        """Put a claimed event into review, with no effect; False if the claim is lost."""
        now = milliseconds(time.time())
        return bool(await self._write(self._statements.keep(event_id, claim, reason, now)))

    async def release(self, event_id: str, claim: str, error: str) -> None:
        """Give a claim back, with the error's name."""
        await self._write(self._statements.release(event_id, claim, error))

    async def waiting(self, now: float, limit: int = 100) -> list[Record]:
        """Return events that are neither done nor claimed, the oldest first."""
        return await self._read(self._statements.waiting(milliseconds(now), limit))

    async def review(self, limit: int = 100) -> list[Record]:
        """Return events that somebody should look at, the oldest first."""
        return await self._read(self._statements.review(limit))

    async def resolve(self, event_id: str) -> bool:
        """Say that a reviewed event needs no effect; False if it isn't in review."""
        return bool(await self._write(self._statements.move(event_id, State.DONE)))

    async def reopen(self, event_id: str) -> bool:
        """Let a reviewed event be taken again; False if it isn't in review."""
        return bool(await self._write(self._statements.move(event_id, State.RECEIVED)))

    async def _write(self, statement: sa.Insert | sa.Update) -> int:
        async with self._sessions.begin() as session:
            return rows_of(await session.execute(statement))

    async def _read(self, statement: "sa.Select[Any]") -> list[Record]:
        async with self._sessions.begin() as session:
            found = await session.execute(statement)
            return [record_of_row(row) for row in found.mappings()]


def rows_of(result: "sa.Result[Any]") -> int:
    """Return how many rows a statement wrote."""
    return cast("sa.CursorResult[Any]", result).rowcount


def milliseconds(seconds: float) -> int:
    """Return Unix seconds as whole milliseconds."""
    return round(seconds * 1000)


def record_of_row(row: Any) -> Record:
    """Return the record that a row of the inbox holds."""
    return Record(
        event_id=row["event_id"],
        event_type=row["event_type"],
        kind=row["kind"],
        body=row["body"],
        occurred_at=_instant(row["occurred_at"]),
        received_at=_instant(row["received_at"]),
        reason=row["reason"],
        state=State(row["state"]),
        attempts=row["attempts"],
        error=row["error"],
    )


def _instant(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1000, UTC)
