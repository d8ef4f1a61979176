"""Shops that do one thing wrong, each with the checks that it must fail."""

import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from settlekit import webhooks
from settlekit.errors import PayloadError, SignatureError
from settlekit.webhooks import Event
from settlekit.webhooks.events import read_event
from settlekit.webhooks.signature import read_header
from tests.settlekit.testing.exam.shop import SECRET, Died, Shop

PAUSE_SECONDS = 0.03


class TrustsEverything(Shop):
    """Verifies nothing."""

    def verify(self, raw: bytes, header: str | None) -> Event:
        return read_event(raw)


class ParsesBeforeVerifying(Shop):
    """Verifies JSON that it parsed and wrote again."""

    def verify(self, raw: bytes, header: str | None) -> Event:
        again = json.dumps(json.loads(raw), separators=(",", ":")).encode()
        return webhooks.verify(again, header, SECRET)


class AcceptsStale(Shop):
    """Takes signatures of any age."""

    def verify(self, raw: bytes, header: str | None) -> Event:
        timestamp, _ = read_header(header)
        return webhooks.verify(raw, header, SECRET, now=lambda: int(timestamp))


class LooksOnlyBack(Shop):
    """Checks the signature's time on one side."""

    def verify(self, raw: bytes, header: str | None) -> Event:
        timestamp, _ = read_header(header)
        return webhooks.verify(raw, header, SECRET, now=lambda: max(time.time(), int(timestamp)))


class ReadsTheLastSignature(Shop):
    """Takes the last v1 for the only one."""

    def verify(self, raw: bytes, header: str | None) -> Event:
        parts = (header or "").split(",")
        last = ",".join([parts[0], parts[-1]]) if len(parts) > 1 else header
        return webhooks.verify(raw, last, SECRET)


class TellsWhy(Shop):
    """Shows the expected signature to whom it refuses."""

    def receive(self, raw: bytes, header: str | None) -> tuple[int, bytes]:
        status, body = super().receive(raw, header)
        if status == 400:
            with suppress(SignatureError, ValueError):
                timestamp, _ = read_header(header)
                body = webhooks.sign(raw, SECRET, timestamp=int(timestamp)).encode()
        return status, body


class TakesAnySize(Shop):
    """Reads whatever comes."""

    def receive(self, raw: bytes, header: str | None) -> tuple[int, bytes]:
        try:
            event = self.verify(raw, header)
        except (SignatureError, PayloadError) as error:
            return self.refusal(error)
        if not self.is_probe(event):
            self.take(event)
        return 204, b""


class NeverForgetsNothing(Shop):
    """Remembers no event: each delivery takes effect."""

    def is_new(self, db: sqlite3.Connection, event: Event) -> bool:
        return True


class RemembersInMemory(Shop):
    """Remembers events until the next restart."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def is_new(self, db: sqlite3.Connection, event: Event) -> bool:
        with self._lock:
            new = event.id not in self._seen
            self._seen.add(event.id)
        return new


class RemembersBeforeTheEffect(Shop):
    """Commits that an event was taken, and takes it then."""

    def take(self, event: Event) -> None:
        with self.database() as db:
            new = self.is_new(db, event)
        if new:
            time.sleep(PAUSE_SECONDS)
            with self.database() as db:
                self.must_live()
                self.effect(db, event)


class RemembersAfterTheEffect(Shop):
    """Commits the effect, and then that the event was taken."""

    def take(self, event: Event) -> None:
        with self.database() as db:
            seen = db.execute("select 1 from events where event_id = ?", (event.id,)).fetchone()
        if seen:
            return
        with self.database() as db:
            self.must_live()
            self.effect(db, event)
        time.sleep(PAUSE_SECONDS)
        self.must_live()
        with self.database() as db:
            self.is_new(db, event)


class AnswersBeforeCommit(Shop):
    """Answers at once, and does the work a little later."""

    def take(self, event: Event) -> None:
        def later() -> None:
            time.sleep(0.01)
            with suppress(Died):
                Shop.take(self, event)

        threading.Thread(target=later).start()


class FailsDuplicates(Shop):
    """Answers 500 to an event that it has seen."""

    def is_new(self, db: sqlite3.Connection, event: Event) -> bool:
        if not super().is_new(db, event):
            raise RuntimeError("seen before")
        return True


class PaysByName(Shop):
    """Takes every direct_payment.confirmed for a settled payment."""

    def effect(self, db: sqlite3.Connection, event: Event) -> None:
        data = event.data
        if event.type == "direct_payment.confirmed" and data.get("challenge_hash"):
            self.pay(db, _as_settled(event), "paid")
        else:
            super().effect(db, event)


class IgnoresTheReceipt(Shop):
    """Needs no receipt for a settled payment."""

    def effect(self, db: sqlite3.Connection, event: Event) -> None:
        told = webhooks.classify(event)
        missing = isinstance(told, webhooks.Unknown) and event.data.get("chain_receipt_id") is None
        if missing and event.data.get("settlement_status") == "settled":
            self.pay(db, _as_settled(event), "paid")
        else:
            super().effect(db, event)


class TrustsTheRedirect(Shop):
    """Pays the newest order when a browser comes back."""

    def success_page(self, session_id: str) -> None:
        with self.database() as db:
            db.execute(
                "update orders set status = 'paid', fulfilments = 1"
                " where rowid = (select max(rowid) from orders)"
            )


class PaysMetered(Shop):
    """Takes accepted usage for a settled payment."""

    def effect(self, db: sqlite3.Connection, event: Event) -> None:
        told = webhooks.classify(event)
        if isinstance(told, webhooks.MeteredUsageAccepted):
            self.pay(db, told, "paid")
        else:
            super().effect(db, event)


class DropsUnknown(Shop):
    """Keeps nothing of an event that it can't classify."""

    def keep(self, db: sqlite3.Connection, event: Event) -> None:
        pass


class RefusesUnknown(Shop):
    """Answers 422 to an event that it can't classify."""

    def receive(self, raw: bytes, header: str | None) -> tuple[int, bytes]:
        status, body = super().receive(raw, header)
        if status == 204 and isinstance(webhooks.classify(read_event(raw)), webhooks.Unknown):
            return 422, b""
        return status, body


class BreaksOnNewValues(Shop):
    """Looks a band up among those it knows."""

    def effect(self, db: sqlite3.Connection, event: Event) -> None:
        data: Mapping[str, object] = event.data
        ("standard", "micro", "nano").index(str(data.get("pricing_band", "standard")))
        super().effect(db, event)


class BooksBatchPerEvent(Shop):
    """Books a batch for each event that tells of it."""

    def book_batch(self, db: sqlite3.Connection, told: webhooks.MeteredBatchSettled) -> None:
        self.book(db, int(told.event.data["provider_receivable_minor"]))


class BooksAmountMinor(Shop):
    """Takes data.amount_minor for what it earned."""

    def effect(self, db: sqlite3.Connection, event: Event) -> None:
        super().effect(db, event)
        self.book(db, int(event.data.get("amount_minor") or 0))

    def book_batch(self, db: sqlite3.Connection, told: webhooks.MeteredBatchSettled) -> None:
        batch = (told.settlement_batch_id, 0)
        db.execute("insert or ignore into batches values (?, ?)", batch)


class PaysAnyAmount(Shop):
    """Never compares the amount, nor the merchant."""

    def pay(
        self,
        db: sqlite3.Connection,
        told: webhooks.StandardSettled | webhooks.MeteredUsageAccepted,
        status: str,
    ) -> None:
        db.execute(
            "update orders set status = ?, fulfilments = fulfilments + 1 where challenge_hash = ?",
            (status, told.challenge_hash),
        )


class TakesProbes(Shop):
    """Takes a readiness probe for a payment."""

    def is_probe(self, event: Event) -> bool:
        return False


class NeedsConfirmedFirst(Shop):
    """Breaks where direct_payment.spent overtakes direct_payment.confirmed."""

    def effect(self, db: sqlite3.Connection, event: Event) -> None:
        if event.type == "direct_payment.spent":
            found = db.execute(
                "select status from orders where challenge_hash = ?",
                (event.data["challenge_hash"],),
            ).fetchone()
            if found is None or found[0] != "paid":
                raise RuntimeError("spent before confirmed")
        super().effect(db, event)


class LooksAtTheDate(Shop):
    """Refuses events of long ago, however freshly signed."""

    def verify(self, raw: bytes, header: str | None) -> Event:
        event = super().verify(raw, header)
        if time.time() - event.occurred_at.timestamp() > 86_400:
            raise SignatureError("stale", "an old event")
        return event


def _as_settled(event: Event) -> webhooks.StandardSettled:
    return webhooks.StandardSettled(
        event=event,
        requirement_id="dpr_any",
        challenge_hash=str(event.data["challenge_hash"]),
        chain_receipt_id="chain_any",
    )


FORGETFUL = {
    "duplicate",
    "replay_after_success",
    "metered_duplicate",
    "two_at_once",
    "restart",
    "schedules",
}

CAUGHT: dict[type[Shop], set[str]] = {
    TrustsEverything: {
        "missing_header",
        "wrong_secret",
        "malformed_header",
        "tampered",
        "reserialised",
        "stale",
        "future",
    },
    ParsesBeforeVerifying: {"reserialised", "raw_bytes", "not_json", "non_utf8"},
    AcceptsStale: {"stale", "future"},
    LooksOnlyBack: {"future"},
    ReadsTheLastSignature: {"several_signatures"},
    TakesAnySize: {"huge_body"},
    NeverForgetsNothing: FORGETFUL,
    RemembersInMemory: {"restart"},
    RemembersAfterTheEffect: {"two_at_once"},
    AnswersBeforeCommit: {"valid", "crash_after_answer"},
    FailsDuplicates: FORGETFUL - {"schedules"},
    PaysByName: {
        "unknown_kind",
        "new_value",
        "unknown_kept",
        "no_receipt",
        "not_settled",
        "metered_is_not_paid",
        "schedules",
    },
    IgnoresTheReceipt: {"no_receipt"},
    PaysMetered: {"metered_is_not_paid"},
    DropsUnknown: {"unknown_kept"},
    RefusesUnknown: {
        "unknown_type",
        "unknown_kind",
        "new_value",
        "no_receipt",
        "not_settled",
        "reordered",
    },
    BreaksOnNewValues: {"new_value"},
    BooksBatchPerEvent: {"batch_once"},
    BooksAmountMinor: {"metered_is_no_revenue", "batch_amount", "batch_once"},
    PaysAnyAmount: {"other_merchant", "other_amount"},
    TakesProbes: {"readiness_probe"},
    NeedsConfirmedFirst: {"reordered"},
    LooksAtTheDate: {"delayed"},
}
"""What deliveries and callables show of a shop in this process."""

CAUGHT_ON_A_SOCKET: dict[type[Shop], set[str]] = {
    RemembersBeforeTheEffect: {"crash_in_handler"},
    TrustsTheRedirect: {"redirect"},
    TellsWhy: {"refusal_says_nothing"},
}
"""What takes a socket to see: a sender that leaves, a page to come back to, an answer's body."""
