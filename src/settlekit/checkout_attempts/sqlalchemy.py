"""Checkout attempts on SQLAlchemy, for threads and for tasks.

``attempts_table(metadata)`` adds the table to the metadata that your migrations compare with.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

try:
    import sqlalchemy as sa
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.orm import Session, sessionmaker
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "settlekit.checkout_attempts.sqlalchemy needs SQLAlchemy: "
        "pip install 'settlekit[sqlalchemy]'",
        name=error.name,
    ) from error
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from settlekit._pumps import run, run_async
from settlekit.checkout_attempts.flow import OPEN, OVER, Attempt, Terms, starting
from settlekit.webhooks.sqlalchemy import milliseconds, rows_of

if TYPE_CHECKING:
    from settlekit import AsyncClient, Client

TABLE_NAME: Final = "settlekit_checkout_attempts"
KEPT: Final = (
    "order_id",
    "number",
    "nonce",
    "merchant",
    "amount_minor",
    "currency",
    "state",
    "session_id",
    "checkout_url",
    "challenge_hash",
)


def attempts_table(metadata: sa.MetaData, name: str = TABLE_NAME) -> sa.Table:
    """Add the table of attempts to a metadata, so that its migrations make it."""
    return sa.Table(
        name,
        metadata,
        sa.Column("order_id", sa.String(255), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("merchant", sa.String(255), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("session_id", sa.String(255)),
        sa.Column("checkout_url", sa.Text),
        sa.Column("challenge_hash", sa.String(255)),
        sa.Column("claim", sa.String(32)),
        sa.Column("claimed_until", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Index(f"ix_{name}_challenge_hash", "challenge_hash"),
    )


class Statements:
    """The statements on the table of attempts: what the two shells share."""

    def __init__(self, table: sa.Table | None) -> None:
        self._table = attempts_table(sa.MetaData()) if table is None else table
        self._kept = [self._table.c[name] for name in KEPT]

    def latest(self, order_id: str) -> "sa.Select[Any]":
        """Read an order's last attempt."""
        found = sa.select(*self._kept).where(self._table.c.order_id == order_id)
        return found.order_by(self._table.c.number.desc()).limit(1)

    def find(self, challenge_hash: str) -> "sa.Select[Any]":
        """Read the attempt that a payment is for."""
        return sa.select(*self._kept).where(self._table.c.challenge_hash == challenge_hash)

    def begin(self, attempt: Attempt) -> sa.Insert:
        """Write an attempt, with its nonce, before the platform hears of it."""
        values = {name: getattr(attempt, name) for name in KEPT}
        created_at = milliseconds(time.time())
        return sa.insert(self._table).values(claimed_until=0, created_at=created_at, **values)

    def claim(self, attempt: Attempt, claim: str, now: float, until: float) -> sa.Update:
        """Claim an attempt whose session nobody is opening."""
        free = self._table.c.claimed_until <= milliseconds(now)
        held = {"claim": claim, "claimed_until": milliseconds(until)}
        return self._unopened(attempt).where(free).values(**held)

    def release(self, attempt: Attempt, claim: str) -> sa.Update:
        """Give a claim back."""
        mine = self._table.c.claim == claim
        return self._unopened(attempt).where(mine).values(claimed_until=0)

    def opened(self, attempt: Attempt) -> sa.Update:
        """Write an attempt's session, if it has none yet."""
        return self._unopened(attempt).values(
            session_id=attempt.session_id,
            checkout_url=attempt.checkout_url,
            challenge_hash=attempt.challenge_hash,
        )

    def end(self, attempt: Attempt) -> sa.Update:
        """Write that an attempt's session is over unpaid."""
        return self._of(attempt).values(state=OVER)

    def _unopened(self, attempt: Attempt) -> sa.Update:
        return self._of(attempt).where(self._table.c.session_id.is_(None))

    def _of(self, attempt: Attempt) -> sa.Update:
        columns = self._table.c
        return sa.update(self._table).where(
            columns.order_id == attempt.order_id,
            columns.number == attempt.number,
            columns.state == OPEN,
        )


class SqlAlchemyCheckoutAttempts:
    """Starts checkouts; ``bind`` is an engine or your own sessionmaker."""

    def __init__(
        self,
        client: "Client",
        bind: "sa.Engine | sessionmaker[Session]",
        *,
        table: sa.Table | None = None,
    ) -> None:
        self._client = client
        self._store = _Store(bind, table)

    def start(
        self,
        order_id: str,
        *,
        merchant: str,
        amount_minor: int,
        currency: str,
        success_url: str,
        cancel_url: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> Attempt:
        """Return the order's open attempt, whose ``checkout_url`` is where to send its buyer.

        Safe to call as often and from as many processes as you like. Where the order is paid
        already, ``status`` says so. Raises InvalidArgument for other terms than those of the
        attempt that is open, and what opening a session raises.
        """
        terms = Terms(
            merchant=merchant,
            amount_minor=amount_minor,
            currency=currency,
            success_url=success_url,
            cancel_url=cancel_url,
            metadata=metadata,
        )
        return run(starting(self._store, self._client, order_id, terms, time.sleep))

    def find(self, challenge_hash: str) -> Attempt | None:
        """Return the attempt that a webhook's ``challenge_hash`` is of."""
        return self._store.find(challenge_hash)


class AsyncSqlAlchemyCheckoutAttempts:
    """The same for tasks; ``bind`` is an async engine or your own async_sessionmaker."""

    def __init__(
        self,
        client: "AsyncClient",
        bind: "AsyncEngine | async_sessionmaker[AsyncSession]",
        *,
        table: sa.Table | None = None,
    ) -> None:
        self._client = client
        self._store = _AsyncStore(bind, table)

    async def start(
        self,
        order_id: str,
        *,
        merchant: str,
        amount_minor: int,
        currency: str,
        success_url: str,
        cancel_url: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> Attempt:
        """Return the order's open attempt, as SqlAlchemyCheckoutAttempts does."""
        terms = Terms(
            merchant=merchant,
            amount_minor=amount_minor,
            currency=currency,
            success_url=success_url,
            cancel_url=cancel_url,
            metadata=metadata,
        )
        flow = starting(self._store, self._client, order_id, terms, asyncio.sleep)
        return await run_async(flow)

    async def find(self, challenge_hash: str) -> Attempt | None:
        """Return the attempt that a webhook's ``challenge_hash`` is of."""
        return await self._store.find(challenge_hash)


class _Store:
    def __init__(self, bind: "sa.Engine | sessionmaker[Session]", table: sa.Table | None) -> None:
        self._sessions = sessionmaker(bind) if isinstance(bind, sa.Engine) else bind
        self._statements = Statements(table)

    def latest(self, order_id: str) -> Attempt | None:
        return self._read(self._statements.latest(order_id))

    def find(self, challenge_hash: str) -> Attempt | None:
        return self._read(self._statements.find(challenge_hash))

    def begin(self, attempt: Attempt) -> bool:
        try:
            return self._write(self._statements.begin(attempt))
        except IntegrityError:
            return False

    def claim(self, attempt: Attempt, claim: str, now: float, until: float) -> bool:
        return self._write(self._statements.claim(attempt, claim, now, until))

    def release(self, attempt: Attempt, claim: str) -> bool:
        return self._write(self._statements.release(attempt, claim))

    def opened(self, attempt: Attempt) -> bool:
        return self._write(self._statements.opened(attempt))

    def end(self, attempt: Attempt) -> bool:
        return self._write(self._statements.end(attempt))

    def _read(self, statement: "sa.Select[Any]") -> Attempt | None:
        with self._sessions.begin() as session:
            row = session.execute(statement).mappings().first()
            return None if row is None else Attempt(**row)

    def _write(self, statement: sa.Insert | sa.Update) -> bool:
        with self._sessions.begin() as session:
            return rows_of(session.execute(statement)) == 1


class _AsyncStore:
    def __init__(
        self, bind: "AsyncEngine | async_sessionmaker[AsyncSession]", table: sa.Table | None
    ) -> None:
        self._sessions = async_sessionmaker(bind) if isinstance(bind, AsyncEngine) else bind
        self._statements = Statements(table)

    async def latest(self, order_id: str) -> Attempt | None:
        return await self._read(self._statements.latest(order_id))

    async def find(self, challenge_hash: str) -> Attempt | None:
        return await self._read(self._statements.find(challenge_hash))

    async def begin(self, attempt: Attempt) -> bool:
        try:
            return await self._write(self._statements.begin(attempt))
        except IntegrityError:
            return False

    async def claim(self, attempt: Attempt, claim: str, now: float, until: float) -> bool:
        return await self._write(self._statements.claim(attempt, claim, now, until))

    async def release(self, attempt: Attempt, claim: str) -> bool:
        return await self._write(self._statements.release(attempt, claim))

    async def opened(self, attempt: Attempt) -> bool:
        return await self._write(self._statements.opened(attempt))

    async def end(self, attempt: Attempt) -> bool:
        return await self._write(self._statements.end(attempt))

    async def _read(self, statement: "sa.Select[Any]") -> Attempt | None:
        async with self._sessions.begin() as session:
            row = (await session.execute(statement)).mappings().first()
            return None if row is None else Attempt(**row)

    async def _write(self, statement: sa.Insert | sa.Update) -> bool:
        async with self._sessions.begin() as session:
            return rows_of(await session.execute(statement)) == 1
