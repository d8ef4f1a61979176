"""The tables of the shops on SQLAlchemy: orders, and what the platform told of them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from settlekit.checkout_attempts.sqlalchemy import attempts_table
from settlekit.webhooks.sqlalchemy import inbox_table


class Base(DeclarativeBase):
    """The shop's metadata: in a real shop, migrations make its tables."""


class Order(Base):
    """One order: ``open``, ``paid`` (settled) or ``accepted`` (metered, settles later)."""

    __tablename__ = "orders"

    order_id: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    challenge_hash: Mapped[str | None] = mapped_column(unique=True)
    """The shop's own challenge, of an agent's order; checkouts have theirs in the attempts."""
    chain_receipt_id: Mapped[str | None]
    metered_usage_id: Mapped[str | None]

    @property
    def may_be_delivered(self) -> bool:
        """Whether the platform has said that it is paid for, or that it will be."""
        return self.status in {"paid", "accepted"}


class SettledBatch(Base):
    """A batch that settled; its money is read in the statements."""

    __tablename__ = "settled_batches"

    settlement_batch_id: Mapped[str] = mapped_column(primary_key=True)
    chain_receipt_id: Mapped[str]
    usage_event_digest: Mapped[str]


WEBHOOK_EVENTS = inbox_table(Base.metadata)
ATTEMPTS = attempts_table(Base.metadata)


def order_of_challenge(challenge_hash: str) -> "sa.Select[Order]":
    """Select the order that a payment is for: a checkout's, be it of an older attempt, or a use."""
    paid = sa.select(ATTEMPTS.c.order_id).where(ATTEMPTS.c.challenge_hash == challenge_hash)
    mine = sa.or_(Order.challenge_hash == challenge_hash, Order.order_id.in_(paid))
    return sa.select(Order).where(mine).with_for_update()


def order_of_session(session_id: str) -> "sa.Select[Order]":
    """Select the order that a checkout session is for."""
    paid = sa.select(ATTEMPTS.c.order_id).where(ATTEMPTS.c.session_id == session_id)
    return sa.select(Order).where(Order.order_id.in_(paid))


def use_sqlite_well(engine: sa.Engine) -> None:
    """Let SQLite's writers wait for each other, and read while one writes.

    A transaction says at its start that it will write (BEGIN IMMEDIATE): one that began by reading
    would be refused at once where another wrote meanwhile.
    """

    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 10000")
        cursor.execute("PRAGMA journal_mode = WAL")
        # Survives a killed process; FULL would survive a power cut as well, a sync a commit.
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    def began(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", began)
