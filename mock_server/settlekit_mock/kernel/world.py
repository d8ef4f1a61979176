"""The world of one server: its database, its clock, its due work and who listens to what."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from settlekit_mock.kernel import journal, postgresql
from settlekit_mock.kernel.clock import State, create_state, load_state
from settlekit_mock.kernel.database import UNAVAILABLE, Database
from settlekit_mock.kernel.due import DueLoop
from settlekit_mock.kernel.problems import Conflict, Problem
from settlekit_mock.kernel.streams import Streams
from settlekit_mock.kernel.transaction import Listener, Transaction


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator chose when the server was started."""

    seed: int = 0
    freeze_at: int | None = None
    sign_with_clock: bool = False
    merchant: str = "sandbox_merchant"
    webhook_url: str | None = None
    webhook_secret: str = field(default="whsec_sandbox_local", repr=False)
    origin: str = "http://localhost:3000"
    public_url: str | None = None
    admin_token: str = field(default="sandbox_admin_token", repr=False)
    admin_secret: str = field(default="sandbox_admin_secret", repr=False)
    control_token: str | None = field(default=None, repr=False)
    stripe_webhook_secret: str | None = field(default=None, repr=False)
    allow_remote_webhooks: bool = False


class Image(NamedTuple):
    """A whole copy of a world, and the time that its clock showed."""

    content: bytes
    taken_at: int


Holder = Callable[[Connection, str, int], str]
"""Names whom a room's own tokens stand for, at an instant; refuses what it doesn't know."""


Result = TypeVar("Result")
_PAUSES: Final = (0.005, 0.02, 0.05, 0.1)
"""Seconds between attempts of what met another process's transaction."""


@dataclass(slots=True, eq=False)
class _Watch:
    """Whether a journal entry of a kind was written since somebody began to watch."""

    kind: str
    seen: bool = False
    looked_to: int = 0


def _seen(watch: _Watch) -> bool:
    return watch.seen


class World:
    """One server's world. Safe to share between threads."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.due = DueLoop(self)
        self.public_url = settings.public_url
        """The origin in links to this server; without one, that by which each caller reached it."""
        self.own_ports: set[int] = set()
        self.is_new = True
        self.streams = Streams()
        self.seed: Callable[[Transaction], None] = lambda _tx: None
        self.holders: dict[str, Holder] = {}
        self._listeners: dict[str, list[Listener]] = defaultdict(list)
        self._woken: list[Callable[[int], None]] = []
        self._renewed: list[Callable[[], None]] = [self.streams.end]
        self._closed: list[Callable[[], None]] = [self.streams.end]
        self._local = threading.local()
        self._watches: tuple[_Watch, ...] = ()
        self._unsettled = False

    def reset(self, *, seed: int | None = None) -> None:
        """Drop everything and begin as a new server does, once nothing is under way.

        A ``seed`` takes the place of the one that the world had, in every process.
        """
        with self.due.resting():
            self.attempt(lambda: self._renew(seed))
            self._begun()

    def _renew(self, seed: int | None) -> None:
        with self.database.write() as connection:
            before = load_state(connection, to_write=True)
            self.settings = replace(self.settings, seed=before.seed if seed is None else seed)
            self.database.empty(connection)
            # A file has one process, which is told, and whose new world is new to the byte.
            told = not self.database.is_postgresql
            self._begin(connection, resets=before.resets if told else before.resets + 1)

    def begin(self) -> None:
        """Write a new world's first state and its actors at one stroke; do what they leave due."""
        with self.database.write() as connection:
            self._begin(connection)
        self._begun()

    def _begin(self, connection: Connection, *, resets: int = 0) -> None:
        self._create(connection, resets)
        tx = Transaction(self, connection, load_state(connection))
        self.seed(tx)
        tx.finish()

    def _begun(self) -> None:
        for tell in self._renewed:
            tell()
        self._leave_due(frozenset())
        self.settle()

    def image(self) -> Image:
        """Return a whole copy of the world, once nothing is under way.

        Raises ``Conflict`` for a database that isn't in memory.
        """
        self.demand_memory()
        with self.due.resting():
            return Image(self.database.image(), self.now())

    def restore(self, image: Image) -> None:
        """Make the world what it was when the copy was taken, once nothing is under way."""
        self.demand_memory()
        with self.due.resting():
            self.database.restore(image.content)
            self._begun()

    def demand_memory(self) -> None:
        """Raise ``Conflict`` for a database that isn't in memory, and so can't be copied."""
        if not self.database.in_memory:
            raise Conflict(
                "snapshots and forks are for a database in memory; start the server without --db",
                code="SNAPSHOTS_NEED_MEMORY",
            )

    def create(self) -> None:
        """Write the first state of a new database, with nobody in it."""
        with self.database.write() as connection:
            self._create(connection)

    def _create(self, connection: Connection, resets: int = 0) -> None:
        chosen = self.settings
        state = State(chosen.seed, chosen.freeze_at, 0, chosen.sign_with_clock, 1, resets)
        create_state(connection, state)

    @contextmanager
    def transaction(self) -> Generator[Transaction, None, None]:
        """Open a transaction that writes; what it scheduled is due once it committed.

        A ``Problem`` rolls it back, and writes what ``when_refused`` was given instead.
        """
        tx = None
        try:
            with self.database.write() as connection:
                tx = Transaction(self, connection, load_state(connection, to_write=True))
                yield tx
                tx.finish()
                now = tx.state.now
                if tx.earliest_due is not None and tx.earliest_due <= now:
                    # Before the commit: from then on others may take what is due, and a
                    # connection that is lost while it commits may have committed.
                    self._leave_due(self.due.under_way(connection))
        except Problem:
            self._refused(tx)
            raise
        if tx.earliest_due is not None and tx.earliest_due > now and not tx.state.frozen:
            for wake in self._woken:
                wake(tx.earliest_due - now)

    def attempt(self, work: Callable[[], Result]) -> Result:
        """Do work whose transactions may meet another process's, and do it again if they did.

        It is done again only while nothing of it has been written.
        """
        written = self.database.commits
        for pause in _PAUSES:
            try:
                return work()
            except DBAPIError as error:
                if not postgresql.passes(error) or self.database.commits != written:
                    raise
            time.sleep(pause)
        return work()

    def _refused(self, refused: Transaction | None) -> None:
        writes = [] if refused is None else refused.take_refusals()
        if writes:
            with self.transaction() as tx:
                for write in writes:
                    write(tx)

    def _leave_due(self, before: frozenset[str]) -> None:
        """Leave work to this thread's call to ``settle``, and say what was under way before it."""
        left: frozenset[str] | None = getattr(self._local, "left_due", None)
        self._local.left_due = before if left is None else left & before

    @contextmanager
    def snapshot(self) -> Generator[Connection, None, None]:
        """Open a transaction that only reads, and sees one moment."""
        with self.database.read() as connection:
            yield connection

    def settle(self) -> None:
        """Do what this thread's transactions left due at once, and what a failed call left."""
        before: frozenset[str] | None = getattr(self._local, "left_due", None)
        if before is None and not self._unsettled:
            return
        self._local.left_due, self._unsettled = None, False
        try:
            self.due.settle(before)
        except UNAVAILABLE:
            self._unsettled = True
            if before is not None:
                raise

    def state(self) -> State:
        """Read the server's one row."""
        with self.snapshot() as connection:
            return load_state(connection)

    def now(self) -> int:
        """Return the clock's time, as an instant."""
        return self.state().now

    def subscribe(self, topic: str, listener: Listener) -> None:
        """Have a listener told, in the teller's transaction, whenever a topic comes up."""
        self._listeners[topic].append(listener)

    @contextmanager
    def listening(self, topic: str, listener: Listener) -> Generator[None, None, None]:
        """Have a listener told for as long as the context lasts."""
        self.subscribe(topic, listener)
        try:
            yield
        finally:
            self._listeners[topic].remove(listener)

    def listeners(self, topic: str) -> list[Listener]:
        """Return who listens to a topic."""
        return self._listeners.get(topic, [])

    def on_woken(self, wake: Callable[[int], None]) -> Callable[[], None]:
        """Have a callable told of new work on a real clock, and how many milliseconds ahead it is.

        What is due at once isn't told. Returns a callable that ends the telling.
        """
        self._woken.append(wake)

        def forget() -> None:
            self._woken = [other for other in self._woken if other != wake]

        return forget

    @contextmanager
    def watching(self, kind: str) -> Generator[Callable[[], bool], None, None]:
        """Watch for a kind of journal entry; the callable says whether one was written."""
        watch = _Watch(kind)
        look = self._look_for if self.database.is_postgresql else _seen
        if self.database.is_postgresql:
            with self.snapshot() as connection:
                watch.looked_to = journal.last_seq(connection)
        self._watches += (watch,)
        try:
            yield lambda: look(watch)
        finally:
            self._watches = tuple(other for other in self._watches if other is not watch)

    def _look_for(self, watch: _Watch) -> bool:
        """Look for what other processes wrote, too."""
        if not watch.seen:
            with self.snapshot() as connection:
                end = journal.last_seq(connection)
                found = journal.entries(connection, after=watch.looked_to, kind=watch.kind, limit=1)
            watch.seen, watch.looked_to = bool(found), end
        return watch.seen

    def saw(self, kind: str) -> None:
        """Note that a journal entry of this kind is being written."""
        for watch in self._watches:
            if watch.kind == kind:
                watch.seen = True

    def forked(self) -> None:
        """Go on in a process that was forked: its parent's connections and locks aren't its own."""
        self.database.forked()
        self.due.forked()
        self._local = threading.local()
        self._woken = []

    def on_renewed(self, tell: Callable[[], None]) -> None:
        """Have a callable told when all rows were replaced: by a reset, or a copy restored."""
        self._renewed.append(tell)

    def on_closed(self, close: Callable[[], None]) -> None:
        """Have a callable told when the world ends, to give back what it holds."""
        self._closed.append(close)

    def close(self) -> None:
        """Give back the database, and what the rooms hold."""
        for close in self._closed:
            close()
        self.database.close()
