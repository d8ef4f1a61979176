"""A shop that does it right, small enough to be broken on purpose, a method at a time."""

import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from settlekit import webhooks
from settlekit.errors import PayloadError, SignatureError
from settlekit.testing.exam import Order
from settlekit.webhooks import Event

SECRET = "whsec_of_the_shop_under_exam"
MERCHANT = "sandbox_merchant"
WEBHOOK = "/webhook"
LARGEST = 1 << 20
SCHEMA = """
create table if not exists orders (
    key text primary key, challenge_hash text unique, amount_minor integer, currency text,
    status text default 'open', fulfilments integer default 0
);
create table if not exists events (event_id text primary key);
create table if not exists batches (settlement_batch_id text primary key, receivable integer);
create table if not exists review (event_id text);
create table if not exists bookings (amount integer);
"""


class Died(BaseException):
    """The process was killed here."""


class Shop:
    """Orders that are paid by webhooks alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dead = False
        with self.database() as db:
            db.executescript(SCHEMA)

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=5, isolation_level=None)
        try:
            connection.execute("pragma synchronous = off")  # nobody pulls the plug here
            connection.execute("begin immediate")
            with connection:
                yield connection
        finally:
            connection.close()

    def must_live(self) -> None:
        """A killed process does nothing more."""
        if self.dead:
            raise Died

    # The endpoint

    def receive(self, raw: bytes, header: str | None) -> tuple[int, bytes]:
        if len(raw) > LARGEST:
            return 413, b""
        try:
            event = self.verify(raw, header)
        except (SignatureError, PayloadError) as error:
            return self.refusal(error)
        if not self.is_probe(event):
            self.take(event)
        return 204, b""

    def verify(self, raw: bytes, header: str | None) -> Event:
        return webhooks.verify(raw, header, SECRET)

    def refusal(self, error: Exception) -> tuple[int, bytes]:
        return 400, b""

    def is_probe(self, event: Event) -> bool:
        return event.readiness_probe

    def take(self, event: Event) -> None:
        with self.database() as db:
            self.must_live()
            if self.is_new(db, event):
                self.effect(db, event)

    def is_new(self, db: sqlite3.Connection, event: Event) -> bool:
        added = db.execute("insert or ignore into events values (?)", (event.id,))
        return added.rowcount == 1

    def effect(self, db: sqlite3.Connection, event: Event) -> None:
        match webhooks.classify(event):
            case webhooks.StandardSettled() as told:
                self.pay(db, told, "paid")
            case webhooks.MeteredUsageAccepted() as told:
                self.pay(db, told, "accepted")
            case webhooks.MeteredBatchSettled() as told:
                self.book_batch(db, told)
            case webhooks.Unknown():
                self.keep(db, event)

    def pay(
        self,
        db: sqlite3.Connection,
        told: webhooks.StandardSettled | webhooks.MeteredUsageAccepted,
        status: str,
    ) -> None:
        db.execute(
            "update orders set status = ?, fulfilments = fulfilments + 1"
            " where challenge_hash = ? and amount_minor = ? and currency = ? and ? = ?",
            (
                status,
                told.challenge_hash,
                told.amount_minor,
                told.currency,
                told.merchant,
                MERCHANT,
            ),
        )

    def book_batch(self, db: sqlite3.Connection, told: webhooks.MeteredBatchSettled) -> None:
        receivable = int(told.event.data["provider_receivable_minor"])
        batch = (told.settlement_batch_id, receivable)
        added = db.execute("insert or ignore into batches values (?, ?)", batch)
        if added.rowcount:
            self.book(db, receivable)

    def book(self, db: sqlite3.Connection, amount: int) -> None:
        db.execute("insert into bookings values (?)", (amount,))

    def keep(self, db: sqlite3.Connection, event: Event) -> None:
        db.execute("insert into review values (?)", (event.id,))

    def success_page(self, session_id: str) -> None:
        """The page a buyer comes back to: it only looks."""


class Running:
    """The shop as a process that can be killed, on a database that stays."""

    def __init__(self, kind: Callable[[Path], Shop], path: Path) -> None:
        self._kind = kind
        self._path = path
        self.origin = "http://localhost"
        self.shop = kind(path)
        self._last_order = threading.local()

    def restart(self) -> None:
        self.shop.dead = True
        self.shop = self._kind(self._path)

    def start_checkout(self) -> Order:
        order = Order(
            key=uuid.uuid4().hex,
            challenge_hash=f"sha256:{uuid.uuid4().hex * 2}",
            amount_minor=1200,
            currency="JPY",
            merchant=MERCHANT,
            success_url=f"{self.origin}/thanks?order=",
        )
        kept = (order.key, order.challenge_hash, order.amount_minor, order.currency)
        with self.shop.database() as db:
            db.execute(
                "insert into orders (key, challenge_hash, amount_minor, currency)"
                " values (?, ?, ?, ?)",
                kept,
            )
        return order

    def probe(self, key: str | None) -> Mapping[str, Any]:
        with self.shop.database() as db:
            if key is None:
                revenue = db.execute("select coalesce(sum(amount), 0) from bookings").fetchone()
                review = db.execute("select count(*) from review").fetchone()
                return {"revenue_minor": revenue[0], "review": review[0]}
            status, times = db.execute(
                "select status, fulfilments from orders where key = ?", (key,)
            ).fetchone()
            return {"status": status, "fulfilments": times}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        shop = self.shop
        if environ["PATH_INFO"] == "/thanks":
            shop.success_page(environ["QUERY_STRING"])
            start_response("200 OK", [("Content-Length", "0")])
            return [b""]
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            status, body = shop.receive(raw, environ.get("HTTP_SIGLUME_SIGNATURE"))
        except (Died, Exception):  # noqa: BLE001 - as a server does
            status, body = 500, b""
        start_response(f"{status} Answer", [("Content-Length", str(len(body)))])
        return [body]
