"""The one loop by which time passes.

Everything that will happen is a row of the due queue. To advance the clock is to take the
earliest row, set the clock to its time, run its work, and go on until the target. Waiting
in real time is the same loop with a sleep, so ten small steps equal one large step.

Work is of two kinds. A *step* runs within the transaction that takes its row. An *errand*
leaves the process (a webhook delivery): it is prepared in one transaction, performed with
none open, and its outcome is written in a second, which also takes the row.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import bindparam, delete, func, select

from settlekit_mock.kernel.clock import never_back
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.tables import DUE
from settlekit_mock.kernel.transaction import Transaction

if TYPE_CHECKING:
    from settlekit_mock.kernel.world import World

GROUP = 250
"""Steps that share a transaction at most: enough to spare commits, little to do again."""

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


class _Row(NamedTuple):
    due_number: int
    at: int
    kind: str
    subject: str


class _Away(NamedTuple):
    """An errand under way."""

    row: _Row
    errand: Errand
    job: Any


def _never() -> bool:
    return False


class DueLoop:
    """Runs what is due, in order."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._steps: dict[str, Step] = {}
        self._errands: dict[str, Errand] = {}
        self._away: set[int] = set()
        self._returned = threading.Condition()
        self._advancing = threading.Lock()
        self._advancer: int | None = None
        self._rester: int | None = None
        self._performing: list[int] = []

    def on(self, kind: str, step: Step) -> None:
        """Name the step that does work of this kind."""
        self._steps[kind] = step

    def on_errand(self, kind: str, errand: Errand) -> None:
        """Name the errand that does work of this kind."""
        self._errands[kind] = errand

    def settle(self) -> None:
        """Do all that is due by now, and wait for what another thread is doing of it.

        Work that was already under way is not waited for: this call may come from the
        very handler that it waits on.
        """
        before = frozenset(self._away)
        while True:
            if self._take(None, _never):
                continue
            if not self._wait_for_others(before):
                return

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
        with self._one_at_a_time(), self._watching(until) as stop:
            goal = self._goal(target)
            while self._take(goal, stop):
                if progress is not None:
                    progress(self._world.now())
            if not stop():
                self._arrive(goal)
            return stop()

    def _watching(self, kind: str | None) -> AbstractContextManager[Callable[[], bool]]:
        return nullcontext(_never) if kind is None else self._world.watching(kind)

    def _goal(self, target: Target) -> int:
        now = self._world.now()
        goal = target(now) if callable(target) else target
        if goal < now:
            raise never_back(now, goal)
        return goal

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
        with self._advancing:
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
        with self._one_at_a_time():
            self._rester = threading.get_ident()
            try:
                with self._world.transaction():
                    pass  # who took work before the others were kept off has said so now
                self._wait_for_others(frozenset())
                yield
            finally:
                self._rester = None

    def _arrive(self, target: int) -> None:
        with self._world.transaction() as tx:
            if target > tx.state.now:
                tx.state = tx.state.moved_to(target)

    def _take(self, target: int | None, stop: Callable[[], bool]) -> bool:
        """Do one errand or one group of steps; return whether there was anything."""
        away = None
        some = False
        try:
            with self._world.transaction() as tx:
                for _ in range(GROUP):
                    row = self._next(tx, tx.state.now if target is None else target)
                    if row is None:
                        break
                    some = True
                    self._set_time(tx, row, target)
                    away = self._begin(tx, row)
                    if away is not None or stop():
                        break
        except BaseException:
            if away is not None:
                self._away.discard(away.row.due_number)
                self._tell()
            raise
        if away is not None:
            self._do(away)
        return some and not stop()

    def _next(self, tx: Transaction, until: int) -> _Row | None:
        if self._rester not in (None, threading.get_ident()):
            return None
        tx.flush_due()
        # Rows of errands under way elsewhere stay in the table and are passed over.
        found = tx.connection.execute(_NEXT, {"until": until, "some": len(self._away) + 1})
        for row in found.all():
            if row.due_number not in self._away:
                return _Row(*row)
        return None

    def _set_time(self, tx: Transaction, row: _Row, target: int | None) -> None:
        if target is not None and row.at > tx.state.now:
            tx.state = tx.state.moved_to(row.at)
        tx.now = row.at

    def _begin(self, tx: Transaction, row: _Row) -> _Away | None:
        errand = self._errands.get(row.kind)
        if errand is None:
            tx.connection.execute(_TAKE, {"number": row.due_number})
            self._steps[row.kind](tx, row.subject)
            return None
        job = errand.prepare(tx, row.subject)
        if job is None:
            tx.connection.execute(_TAKE, {"number": row.due_number})
            return None
        self._away.add(row.due_number)
        return _Away(row, errand, job)

    def _do(self, away: _Away) -> None:
        try:
            outcome = self._perform(away)
            with self._world.transaction() as tx:
                tx.now = away.row.at
                away.errand.finish(tx, away.row.subject, away.job, outcome)
                tx.connection.execute(_TAKE, {"number": away.row.due_number})
                # Before the commit: from then on a new row may have the same number.
                self._away.discard(away.row.due_number)
        except BaseException:
            self._away.discard(away.row.due_number)
            raise
        finally:
            self._tell()

    def _perform(self, away: _Away) -> Any:
        me = threading.get_ident()
        self._performing.append(me)
        try:
            return away.errand.perform(away.job)
        finally:
            self._performing.remove(me)

    def _tell(self) -> None:
        with self._returned:
            self._returned.notify_all()

    def _wait_for_others(self, before: frozenset[int]) -> bool:
        with self._returned:
            waited = bool(self._away - before)
            while self._away - before:
                self._returned.wait(timeout=1.0)
            return waited

    def next_due_at(self) -> int | None:
        """Return the time of the earliest row, if there is any."""
        with self._world.snapshot() as connection:
            found: int | None = connection.execute(_EARLIEST).scalar()
        return found


_NEXT = (
    select(DUE.c.due_number, DUE.c.at, DUE.c.kind, DUE.c.subject)
    .where(DUE.c.at <= bindparam("until"))
    .order_by(DUE.c.at, DUE.c.due_number)
    .limit(bindparam("some"))
)
_TAKE = delete(DUE).where(DUE.c.due_number == bindparam("number"))
_EARLIEST = select(func.min(DUE.c.at))
