"""The one loop by which time passes.

Everything that will happen is a row of the due queue. To advance the clock is to take the
earliest row, set the clock to its time, run its work, and go on until the target. Waiting
in real time is the same loop with a sleep, so ten small steps equal one large step.

Work is of two kinds. A *step* runs within the transaction that takes its row. An *errand*
leaves the process (a webhook delivery): it is prepared in one transaction, performed with
none open, and its outcome is written in a second, which also takes the row.
"""

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import Connection, bindparam, delete

from settlekit_mock.kernel import journal
from settlekit_mock.kernel.away import Away, AwayInProcess, DueRow, Taken
from settlekit_mock.kernel.clock import load_state, never_back
from settlekit_mock.kernel.leases import Leases
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.tables import DUE
from settlekit_mock.kernel.transaction import Transaction

if TYPE_CHECKING:
    from settlekit_mock.kernel.world import World

GROUP = 250
"""Steps that share a transaction at most: enough to spare commits, little to do again."""

ROUNDS = 10
"""How often what others began meanwhile is waited for: where many work, somebody always does.

What a call left due is done in the first round, and what that leaves in the next ones.
"""

_LOG = logging.getLogger("settlekit_mock")

Step = Callable[[Transaction, str], None]
Progress = Callable[[int], None]
Target = int | Callable[[int], int]
"""Where to advance to: an instant, or what says it from the clock's time."""


class Errand(Protocol):
    """Work that leaves the process."""

    def prepare(self, tx: Transaction, subject: str) -> Any | None:
        """Read what is needed; ``None`` when there is nothing to do any more."""

    def perform(self, job: Any) -> Any:
        """Do it, with no transaction open, and say how it went; never raises."""

    def finish(self, tx: Transaction, subject: str, job: Any, outcome: Any) -> None:
        """Write how it went."""


class Reading(NamedTuple):
    """What the clock shows, what is due next, and how far the journal goes: one moment's."""

    now: int
    frozen: bool
    next_due_at: int | None
    last_seq: int


class Turn:
    """One caller's turn at the clock, from ``start``: until it ends nobody else moves it."""

    def __init__(self, loop: "DueLoop") -> None:
        self._loop = loop
        self.start = loop.read()

    def go(self, goal: int, *, until: str | None = None) -> bool:
        """Move the clock as ``DueLoop.advance`` does."""
        return self._loop.go(self.start.now, goal, until=until)

    def finish(self) -> None:
        """Do what else is due at the time to which the clock has come."""
        self.go(self._loop.read().now)


class _Trip(NamedTuple):
    """An errand under way."""

    row: DueRow
    errand: Errand
    job: Any
    taken: Taken


class _Lost(Exception):
    """Another process has the errand by now: this outcome isn't written."""


def _never() -> bool:
    return False


class DueLoop:
    """Runs what is due, in order."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._steps: dict[str, Step] = {}
        self._errands: dict[str, Errand] = {}
        self.forked()

    def forked(self) -> None:
        """Begin with nothing under way in this process."""
        database = self._world.database
        self._away: Away = Leases(database) if database.is_postgresql else AwayInProcess()
        self._advancing = threading.Lock()
        self._advancer: int | None = None
        self._rester: int | None = None
        self._rested = threading.Condition()
        self._kept_off: set[int] = set()
        self._left_to_rester = False
        self._performing: list[int] = []

    def on(self, kind: str, step: Step) -> None:
        """Name the step that does work of this kind."""
        self._steps[kind] = step

    def on_errand(self, kind: str, errand: Errand) -> None:
        """Name the errand that does work of this kind."""
        self._errands[kind] = errand

    def under_way(self, connection: Connection) -> frozenset[str]:
        """Return what is under way as a writer's transaction sees it."""
        return self._away.under_way(connection)

    def settle(self, before: frozenset[str] | None = None) -> None:
        """Do all that is due by now, and wait for what others are doing of it.

        What was under way ``before`` this work was left due, or else before this call, is not
        waited for: the call may come from the very handler that it waits on.
        """
        if before is None:
            before = self._away.under_way()
        for _ in range(ROUNDS):
            self._take_all(before)
            if not self._away.wait(before):
                return
        self._take_all(before)
        if self._away.under_way() - before:
            _LOG.warning("others are still doing due work, which this call doesn't wait for")

    def _take_all(self, before: frozenset[str]) -> None:
        me = threading.get_ident()
        while True:
            while self._take(None, _never):
                pass
            if me not in self._kept_off:
                return
            self._kept_off.discard(me)
            if not self._await_rest(before):
                self._left_to_rester = True
                return

    def _await_rest(self, before: frozenset[str]) -> bool:
        """Wait for who keeps others off, unless they may be waiting for this very call."""
        with self._rested:
            while self._rester is not None:
                # Who rests waits for every errand, and this may be the call of one's handler.
                if before & self._away.under_way():
                    return False
                self._rested.wait(timeout=1.0)
        return True

    def advance(
        self,
        target: Target,
        *,
        until: str | None = None,
        progress: Progress | None = None,
    ) -> bool:
        """Move the clock to the target, doing all that falls due on the way at its own time.

        With ``until`` the clock stays where a journal entry of that kind was written, and
        the answer says whether one was. Raises ``Conflict`` for a target in the past, and
        for a call out of an errand that an advance is waiting for.
        """
        with self._one_at_a_time():
            now = self._world.now()
            goal = target(now) if callable(target) else target
            return self.go(now, goal, until=until, progress=progress)

    @contextmanager
    def turn(self) -> Generator[Turn, None, None]:
        """Take a turn at the clock: one caller at a time, and no reset meanwhile."""
        with self._one_at_a_time():
            yield Turn(self)

    def go(
        self, start: int, goal: int, *, until: str | None, progress: Progress | None = None
    ) -> bool:
        """Move the clock from where it was read, within a turn."""
        if goal < start:
            raise never_back(start, goal)
        with self._watching(until) as stop:
            more = True
            while more:
                more = self._take(goal, stop)
                if progress is not None:
                    progress(self._world.now())
            if not stop():
                self._arrive(goal)
            return stop()

    def _watching(self, kind: str | None) -> AbstractContextManager[Callable[[], bool]]:
        return nullcontext(_never) if kind is None else self._world.watching(kind)

    @contextmanager
    def _one_at_a_time(self) -> Generator[None, None, None]:
        me, advancer = threading.get_ident(), self._advancer
        # Whoever calls while the advancer waits for a handler may be that handler.
        if advancer is not None and (advancer == me or advancer in self._performing):
            raise Conflict(
                "the clock is being advanced, and waits for a webhook handler; "
                "a handler can't move it",
                code="CLOCK_BUSY",
            )
        with self._advancing, self._away.advancing():
            self._advancer = me
            try:
                yield
            finally:
                self._advancer = None

    @contextmanager
    def resting(self) -> Generator[None, None, None]:
        """Keep all others from doing due work, with no errand under way."""
        if threading.get_ident() in self._performing:
            raise Conflict("a webhook handler can't begin the world anew", code="CLOCK_BUSY")
        try:
            with self._one_at_a_time(), self._keeping_off():
                with self._world.transaction():
                    pass  # who took work before the others were kept off has said so now
                while self._away.wait(frozenset()):
                    pass
                yield
        finally:
            if self._left_to_rester:
                self._left_to_rester = False
                self.settle()

    @contextmanager
    def _keeping_off(self) -> Generator[None, None, None]:
        self._rester = threading.get_ident()
        try:
            with self._away.resting():
                yield
        finally:
            with self._rested:
                self._rester = None
                self._rested.notify_all()

    def _arrive(self, target: int) -> None:
        with self._world.transaction() as tx:
            self._away.demand_clock(tx.connection)
            if target > tx.state.now:
                tx.state = tx.state.moved_to(target)

    def _take(self, target: int | None, stop: Callable[[], bool]) -> bool:
        """Do one errand or one group of steps; return whether there may be more."""
        more, trip = self._world.attempt(lambda: self._begin_group(target, stop))
        if trip is not None:
            more = self._do(trip, target)
        return more and not stop()

    def _begin_group(
        self, target: int | None, stop: Callable[[], bool]
    ) -> tuple[bool, _Trip | None]:
        trip = None
        more = True
        try:
            with self._world.transaction() as tx:
                if self._advancer == threading.get_ident():
                    self._away.demand_clock(tx.connection)
                for _ in range(GROUP):
                    row = self._next(tx, target)
                    if row is None:
                        more = False
                        break
                    self._set_time(tx, row, target)
                    trip = self._begin(tx, row)
                    if trip is not None or stop():
                        break
        except BaseException:
            if trip is not None:
                self._away.give_up(trip.taken)
            raise
        return more, trip

    def _next(self, tx: Transaction, target: int | None) -> DueRow | None:
        if self._rester not in (None, threading.get_ident()):
            self._kept_off.add(threading.get_ident())
            return None
        tx.flush_due()
        return self._away.next_row(tx.connection, tx.state.now if target is None else target)

    def _set_time(self, tx: Transaction, row: DueRow, target: int | None) -> None:
        if target is not None and row.at > tx.state.now:
            tx.state = tx.state.moved_to(row.at)
        tx.now = row.at

    def _begin(self, tx: Transaction, row: DueRow) -> _Trip | None:
        errand = self._errands.get(row.kind)
        if errand is None:
            tx.connection.execute(_TAKE, {"number": row.due_number})
            self._steps[row.kind](tx, row.subject)
            return None
        job = errand.prepare(tx, row.subject)
        if job is None:
            tx.connection.execute(_TAKE, {"number": row.due_number})
            return None
        advancing = self._advancer == threading.get_ident()
        return _Trip(row, errand, job, self._away.take(tx.connection, row, advancing=advancing))

    def _do(self, trip: _Trip, target: int | None) -> bool:
        try:
            outcome = self._perform(trip)
            return self._world.attempt(lambda: self._finish(trip, outcome, target))
        except _Lost:
            return True
        except BaseException:
            self._away.give_up(trip.taken)
            raise
        finally:
            self._away.tell()

    def _finish(self, trip: _Trip, outcome: Any, target: int | None) -> bool:
        with self._world.transaction() as tx:
            tx.now = trip.row.at
            trip.errand.finish(tx, trip.row.subject, trip.job, outcome)
            tx.connection.execute(_TAKE, {"number": trip.row.due_number})
            if not self._away.bring_back(tx.connection, trip.taken):
                raise _Lost
            return self._next(tx, target) is not None

    def _perform(self, trip: _Trip) -> Any:
        me = threading.get_ident()
        self._performing.append(me)
        try:
            return trip.errand.perform(trip.job)
        finally:
            self._performing.remove(me)

    def next_due_at(self) -> int | None:
        """Return the time of the earliest row, if there is any."""
        with self._world.snapshot() as connection:
            return self._away.earliest(connection)

    def read(self) -> Reading:
        """Read the clock, the queue and the journal's end at one moment."""
        with self._world.snapshot() as connection:
            state = load_state(connection)
            earliest = self._away.earliest(connection)
            return Reading(state.now, state.frozen, earliest, journal.last_seq(connection))

    def left_behind(self) -> bool:
        """Say whether a process that is gone left an errand under way."""
        return self._away.left_behind()


_TAKE = delete(DUE).where(DUE.c.due_number == bindparam("number"))
