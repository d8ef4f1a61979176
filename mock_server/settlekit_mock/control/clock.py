"""Drive the clock: read, advance, freeze, resume."""

from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta, field

from settlekit_mock.control.journal import JournalEntry, shaped
from settlekit_mock.control.kinds import known
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, StrictBody, Timestamp, instant
from settlekit_mock.kernel import journal
from settlekit_mock.kernel.clock import load_state, never_back
from settlekit_mock.kernel.due import Reading, Turn
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import (
    DAY,
    LATEST,
    SECOND,
    checked,
    duration_from_text,
    optional_text,
    to_text,
)
from settlekit_mock.kernel.world import World

EVENTS_TOLD = 1_000
NEXT = "next"
"""What ``until`` calls whatever is due next."""
LONGEST_WAIT = 400 * DAY
"""How far ``until`` looks ahead unless a limit says otherwise."""

Duration = Annotated[
    str | float | None,
    Meta(description="An ISO 8601 duration such as P7D or PT6H, or a number of seconds."),
]


class Clock(Answer, frozen=True, kw_only=True):
    """What the clock shows."""

    now: Timestamp
    mode: Literal["real", "frozen"]
    next_due_at: Timestamp | None


class Advance(StrictBody, frozen=True, kw_only=True):
    """How far to go: ``by`` a duration, ``to`` a time, or ``until`` something happens.

    ``until`` is a journal kind or ``next``; it looks ``limit`` ahead, 400 days unless given.
    """

    by: Duration = None
    to: str | None = None
    until: Annotated[str, Meta(max_length=100)] | None = None
    limit: Duration = None


class Freeze(StrictBody, frozen=True, kw_only=True):
    """When to stop the clock: now, or at a later time."""

    at: str | None = None
    sign_with_clock: bool | None = None


class Advanced(Answer, frozen=True, kw_only=True):
    """What an advance did: the first 1,000 journal entries, and how many there were.

    ``reached`` is false when ``until`` was not met within the limit: the clock is there then,
    but where ``next`` finds nothing due at all it stays.
    """

    from_: Timestamp = field(name="from")
    to: Timestamp
    reached: bool
    event_count: Annotated[int, Meta(ge=0)]
    events: list[JournalEntry]


def read_clock(world: World) -> Clock:
    """Answer what the clock shows and when something is due next."""
    read = world.due.read()
    return Clock(
        now=to_text(read.now),
        mode="frozen" if read.frozen else "real",
        next_due_at=optional_text(read.next_due_at),
    )


def get_clock(request: Request) -> Clock:
    """Answer what the clock shows."""
    return read_clock(request.world)


def milliseconds(duration: str | float | None, name: str) -> int:
    """Read a duration field, or refuse the call naming the field."""
    if isinstance(duration, str):
        try:
            return duration_from_text(duration)
        except ValueError as error:
            raise Invalid(f"{name}: {error}") from error
    if duration is None or not 0 <= duration <= LATEST / SECOND:
        raise Invalid(f"{name}: must be a duration of zero seconds or more")
    return round(duration * SECOND)


def advance(request: Request) -> Advanced:
    """Move the clock, doing all that falls due on the way."""
    world, body = request.world, request.body
    chosen = [name for name in ("by", "to", "until") if getattr(body, name) is not None]
    if len(chosen) != 1:
        raise Invalid(
            'give one of by, to and until: {"by": "P7D"}, {"to": "2026-03-01T00:00:00Z"} or '
            '{"until": "batch.settled"}'
        )
    if body.limit is not None and body.until is None:
        raise Invalid("limit: goes with until alone")
    move = _move(body)
    with world.due.turn() as turn:
        reached = move(turn)
        # Within the turn: what others write as they advance, or begin anew, is theirs.
        return _advanced(world, turn.start, reached=reached)


def _move(body: Advance) -> Callable[[Turn], bool]:
    """Return how the clock is moved; what can't be read is refused before anybody waits."""
    if body.until is not None:
        limit = LONGEST_WAIT if body.limit is None else milliseconds(body.limit, "limit")
        kind = body.until if body.until == NEXT else known(body.until, "until")
        return lambda turn: _go_until(turn, limit, kind)
    if body.to is not None:
        to = instant(body.to, "to")
        return lambda turn: _arrive(turn, to)
    span = milliseconds(body.by, "by")
    return lambda turn: _arrive(turn, within(turn.start.now + span))


def _arrive(turn: Turn, goal: int) -> bool:
    turn.go(goal)
    return True


def within(target: int) -> int:
    """Return an instant that a clock may show, or refuse the call."""
    try:
        return checked(target)
    except ValueError as error:
        raise Invalid(str(error)) from error


def _go_until(turn: Turn, limit: int, kind: str) -> bool:
    now, due = turn.start.now, turn.start.next_due_at
    farthest = within(now + limit)
    if kind != NEXT:
        reached = turn.go(farthest, until=kind)
        if reached:
            turn.finish()  # what is due at the same time is of this advance, and told with it
        return reached
    if due is None:
        return False
    turn.go(min(max(now, due), farthest))
    return due <= farthest


def _advanced(world: World, start: Reading, *, reached: bool) -> Advanced:
    with world.snapshot() as connection:
        end = load_state(connection).now
        entries = journal.entries(connection, after=start.last_seq, limit=EVENTS_TOLD)
        count = journal.count_after(connection, start.last_seq)
    return Advanced(
        from_=to_text(start.now),
        to=to_text(end),
        reached=reached,
        event_count=count,
        events=[shaped(entry) for entry in entries],
    )


def freeze(request: Request) -> Clock:
    """Stop the clock, now or at a later time."""
    world, body = request.world, request.body
    at = None if body.at is None else instant(body.at, "at")
    with world.transaction() as tx:
        if at is not None and at < tx.now:
            raise never_back(tx.now, at)
        tx.state = tx.state.froze()
        if body.sign_with_clock is not None:
            tx.state = tx.state.signing(with_clock=body.sign_with_clock)
    if at is not None:
        world.due.advance(at)
    return read_clock(world)


def resume(request: Request) -> Clock:
    """Let the clock run on from the time it shows."""
    with request.world.transaction() as tx:
        tx.state = tx.state.resumed()
    return read_clock(request.world)
