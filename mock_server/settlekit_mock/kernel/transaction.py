"""One transaction of the world: a connection, the time, and what is to be written with it.

Journal entries and due rows are collected and written in one statement each, before the
transaction commits or reads them again.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, bindparam, delete

from settlekit_mock.kernel.bulk import insert_rows
from settlekit_mock.kernel.clock import State, save_state
from settlekit_mock.kernel.ids import Ids
from settlekit_mock.kernel.tables import DUE, EVENTS

if TYPE_CHECKING:
    from settlekit_mock.kernel.world import World

_DATA = msgspec.json.Encoder(order="sorted")


class Transaction:
    """What a use case works with. ``now`` is an instant; due work runs at its own time."""

    __slots__ = (
        "_due",
        "_events",
        "_read_state",
        "_refusals",
        "connection",
        "earliest_due",
        "ids",
        "now",
        "state",
        "world",
    )

    def __init__(self, world: "World", connection: Connection, state: State) -> None:
        self.world = world
        self.connection = connection
        self.state = self._read_state = state
        self.now = state.now
        self.ids = Ids(state.seed, state.next_number)
        self._events: list[tuple[int, str, str, str]] = []
        self._due: list[tuple[int, str, str]] = []
        self._refusals: list[Callable[[Transaction], None]] = []
        self.earliest_due: int | None = None

    def new_id(self, prefix: str) -> str:
        """Draw an id from the server's seed and counter."""
        return self.ids.new(prefix)

    def record(self, kind: str, subject: str, *, at: int | None = None, **data: object) -> None:
        """Write a journal entry; ``at`` is the transaction's time unless given."""
        self._events.append(
            (self.now if at is None else at, kind, subject, _DATA.encode(data).decode())
        )
        self.world.saw(kind)

    def schedule(self, kind: str, subject: str, at: int) -> None:
        """Put work into the due queue: ``kind`` names who does it, ``subject`` what to."""
        at = max(at, self.now)
        self._due.append((at, kind, subject))
        self.earliest_due = at if self.earliest_due is None else min(self.earliest_due, at)

    def cancel(self, kind: str, subject: str) -> None:
        """Take work for a subject out of the due queue again."""
        self.flush_due()
        self.connection.execute(_CANCEL, {"of_subject": subject, "of_kind": kind})

    def publish(self, topic: str, message: Any) -> None:
        """Tell the rooms above, within this transaction, what happened here."""
        for listener in self.world.listeners(topic):
            listener(self, message)

    def when_refused(self, write: Callable[["Transaction"], None]) -> None:
        """Have something written in a transaction of its own if this one is refused.

        A refused call changes nothing but the journal: this is how it gets there.
        """
        self._refusals.append(write)

    def take_refusals(self) -> list[Callable[["Transaction"], None]]:
        """Return what is to be written after a refusal."""
        return self._refusals

    def flush(self) -> None:
        """Write what was collected, so that the transaction can read it."""
        if self._events:
            insert_rows(self.connection, EVENTS, _EVENT_COLUMNS, self._events)
            self._events = []
        self.flush_due()

    def flush_due(self) -> None:
        """Write what was scheduled, so that the due loop can find it."""
        if self._due:
            insert_rows(self.connection, DUE, _DUE_COLUMNS, self._due)
            self._due = []

    def finish(self) -> None:
        """Write everything that is left, just before the commit."""
        self.flush()
        if self.ids.next_number != self.state.next_number:
            self.state = replace(self.state, next_number=self.ids.next_number)
        if self.state is not self._read_state:
            save_state(self.connection, self.state)


_EVENT_COLUMNS = ("at", "kind", "subject", "data")
_DUE_COLUMNS = ("at", "kind", "subject")
_CANCEL = delete(DUE).where(
    DUE.c.subject == bindparam("of_subject"), DUE.c.kind == bindparam("of_kind")
)

Listener = Callable[[Transaction, Any], None]
