"""The clock's state and the settings that live beside it, one row.

A frozen clock shows ``frozen_at``; a real one shows the machine's time plus an offset, so
that it can be advanced, and goes on from there. It never goes back.
"""

import time
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, insert, select, update

from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.tables import SCHEMA_VERSION, STATE
from settlekit_mock.kernel.times import LATEST, checked, to_text


@dataclass(frozen=True, slots=True)
class State:
    """What the server's one row says at the beginning of a transaction."""

    seed: int
    frozen_at: int | None
    offset_ms: int
    sign_with_clock: bool
    next_number: int
    resets: int = 0

    @property
    def frozen(self) -> bool:
        """Whether time stands still between calls."""
        return self.frozen_at is not None

    @property
    def now(self) -> int:
        """The clock's time, as an instant; at the last one that it may show it stands still."""
        if self.frozen_at is not None:
            return self.frozen_at
        return min(machine_now() + self.offset_ms, LATEST)

    def moved_to(self, instant: int) -> "State":
        """Show another, later time; a real clock keeps running from there.

        Raises ``Conflict`` for an earlier time.
        """
        now = self.now
        if instant < now:
            raise never_back(now, instant)
        checked(instant)
        if self.frozen:
            return replace(self, frozen_at=instant)
        return replace(self, offset_ms=self.offset_ms + instant - now)

    def froze(self) -> "State":
        """Stop the clock at the time it shows."""
        return replace(self, frozen_at=self.now, offset_ms=0)

    def resumed(self) -> "State":
        """Let the clock run on from the time it shows."""
        if self.frozen_at is None:
            return self
        return replace(self, frozen_at=None, offset_ms=self.frozen_at - machine_now())

    def signing(self, *, with_clock: bool) -> "State":
        """Take the time in a webhook's signature from this clock, or from the machine's."""
        return replace(self, sign_with_clock=with_clock)


def never_back(now: int, instant: int) -> Conflict:
    """Return the refusal of a time before the one that the clock shows."""
    return Conflict(
        f"the clock shows {to_text(now)} and never goes back to {to_text(instant)}",
        code="CLOCK_NEVER_GOES_BACK",
    )


def machine_now() -> int:
    """Return the machine's time as an instant."""
    return time.time_ns() // 1_000_000


_READ = select(
    STATE.c.seed,
    STATE.c.frozen_at,
    STATE.c.offset_ms,
    STATE.c.sign_with_clock,
    STATE.c.next_number,
    STATE.c.resets,
)

_READ_ALONE = _READ.with_for_update()
"""SQLite's writer is alone anyway, and takes this for the plain reading."""

_WRITE = update(STATE).values(
    {column: bindparam(f"new_{column.name}") for column in _READ.selected_columns}
)


def load_state(connection: Connection, *, to_write: bool = False) -> State:
    """Read the server's one row; who is to write keeps other processes' writers waiting."""
    row = connection.execute(_READ_ALONE if to_write else _READ).one()
    seed, frozen_at, offset_ms, sign_with_clock, next_number, resets = row
    return State(seed, frozen_at, offset_ms, bool(sign_with_clock), next_number, resets)


def save_state(connection: Connection, state: State) -> None:
    """Write the server's one row back."""
    values = {f"new_{name}": value for name, value in _columns(state).items()}
    connection.execute(_WRITE, values)


def create_state(connection: Connection, state: State) -> None:
    """Write the server's one row for the first time, or anew."""
    values = {f"new_{name}": value for name, value in _columns(state).items()}
    if connection.execute(_WRITE, values).rowcount == 0:
        connection.execute(
            insert(STATE).values(one=1, schema_version=SCHEMA_VERSION, **_columns(state))
        )


def _columns(state: State) -> dict[str, object]:
    return {
        "seed": state.seed,
        "frozen_at": state.frozen_at,
        "offset_ms": state.offset_ms,
        "sign_with_clock": int(state.sign_with_clock),
        "next_number": state.next_number,
        "resets": state.resets,
    }
