"""The shop's orders in SQLite, where each event of the platform takes effect once.

The event's id and what it changes are written in one transaction: a delivery that comes
twice, or again after a crash, finds the id and changes nothing.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from settlekit import webhooks

SCHEMA = """
create table if not exists orders (
    order_id         text primary key,
    product_id       text not null,
    amount_minor     integer not null,
    currency         text not null,
    status           text not null default 'open',
    session_id       text unique,
    challenge_hash   text unique,
    chain_receipt_id text,
    metered_usage_id text
);
create table if not exists events (
    event_id   text primary key,
    kind       text not null,
    effect     text not null,
    deliveries integer not null default 1
);
create table if not exists settled_batches (
    settlement_batch_id text primary key,
    chain_receipt_id    text not null,
    usage_event_digest  text not null
);
"""


@dataclass(frozen=True, slots=True)
class Product:
    """Something the shop sells, at a price in minor units."""

    product_id: str
    name: str
    amount_minor: int
    currency: str

    @property
    def price(self) -> str:
        """The price as people read it."""
        if self.currency == "JPY":
            return f"¥{self.amount_minor:,}"
        return f"${self.amount_minor // 100:,}.{self.amount_minor % 100:02}"


@dataclass(frozen=True, slots=True)
class Order:
    """One order: ``open``, ``paid`` (settled) or ``accepted`` (metered, settles later)."""

    order_id: str
    product_id: str
    amount_minor: int
    currency: str
    status: str
    session_id: str | None
    challenge_hash: str | None
    chain_receipt_id: str | None
    metered_usage_id: str | None

    @property
    def may_be_delivered(self) -> bool:
        """Whether the platform has said that it is paid for, or that it will be."""
        return self.status in {"paid", "accepted"}


class OrderTaken(Exception):
    """The order number belongs to an order of something else."""


class Store:
    """The orders, and the events that were taken. Safe to share between threads."""

    def __init__(self, path: str = ":memory:") -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._lock = threading.Lock()
        self._connection.executescript(SCHEMA)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:
            yield self._connection

    def close(self) -> None:
        """Give the database back."""
        self._connection.close()

    def place(self, order_id: str, product: Product, challenge_hash: str | None = None) -> Order:
        """Place an order, or return it where the form was sent twice."""
        with self._transaction() as db:
            db.execute(
                "insert into orders (order_id, product_id, amount_minor, currency, challenge_hash)"
                " values (?, ?, ?, ?, ?) on conflict do nothing",
                (
                    order_id,
                    product.product_id,
                    product.amount_minor,
                    product.currency,
                    challenge_hash,
                ),
            )
        order = self.order(order_id)
        if order is None or order.product_id != product.product_id:
            raise OrderTaken(order_id)
        return order

    def checkout_opened(self, order_id: str, session_id: str, challenge_hash: str | None) -> None:
        """Note where an order is being paid: its events will name the challenge."""
        with self._transaction() as db:
            db.execute(
                "update orders set session_id = ?, challenge_hash = ? where order_id = ?",
                (session_id, challenge_hash, order_id),
            )

    def order(self, order_id: str) -> Order | None:
        """Return an order by its number."""
        return self._one("order_id", order_id)

    def order_of_session(self, session_id: str) -> Order | None:
        """Return the order that a checkout is for."""
        return self._one("session_id", session_id)

    def orders(self) -> list[Order]:
        """Return all orders."""
        return [Order(*row) for row in self.read("select * from orders")]

    def read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Read rows."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def _one(self, column: str, value: str) -> Order | None:
        rows = self.read(f"select * from orders where {column} = ?", value)
        return Order(*rows[0]) if rows else None

    def take(self, told: webhooks.Classification) -> str:
        """Let an event take effect, unless it did already; say what it did."""
        with self._transaction() as db:
            seen = db.execute(
                "update events set deliveries = deliveries + 1 where event_id = ?",
                (told.event.id,),
            )
            if seen.rowcount:
                return "nothing, again"
            effect = _effect(db, told)
            db.execute(
                "insert into events (event_id, kind, effect) values (?, ?, ?)",
                (told.event.id, told.kind, effect),
            )
            return effect


def _effect(db: sqlite3.Connection, told: webhooks.Classification) -> str:
    match told:
        case webhooks.StandardSettled():
            return _move(db, told, "paid", chain_receipt_id=told.chain_receipt_id)
        case webhooks.MeteredUsageAccepted():
            usage_id = told.event.data.get("metered_usage_id")
            return _move(db, told, "accepted", metered_usage_id=usage_id)
        case webhooks.MeteredBatchSettled():
            return _note_batch(db, told)
        case webhooks.Unknown(reason=reason):
            return f"nothing: {reason}"


def _move(
    db: sqlite3.Connection,
    told: webhooks.StandardSettled | webhooks.MeteredUsageAccepted,
    status: str,
    *,
    chain_receipt_id: str | None = None,
    metered_usage_id: str | None = None,
) -> str:
    # A challenge fixes amount and currency; to compare them costs nothing all the same.
    moved = db.execute(
        "update orders set status = ?, chain_receipt_id = ?, metered_usage_id = ?"
        " where status = 'open' and challenge_hash = ? and amount_minor = ? and currency = ?"
        " returning order_id",
        (
            status,
            chain_receipt_id,
            metered_usage_id,
            told.challenge_hash,
            told.amount_minor,
            told.currency,
        ),
    ).fetchall()
    return f"order {moved[0][0]} is {status}" if moved else "nothing: no open order fits"


def _note_batch(db: sqlite3.Connection, told: webhooks.MeteredBatchSettled) -> str:
    # A webhook is no revenue ledger: the batch is noted here, its money read in the statements.
    db.execute(
        "insert into settled_batches values (?, ?, ?) on conflict do nothing",
        (told.settlement_batch_id, told.chain_receipt_id, told.usage_event_digest),
    )
    return f"batch {told.settlement_batch_id} is settled"
