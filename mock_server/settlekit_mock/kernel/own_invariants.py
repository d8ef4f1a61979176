"""What must hold of the kernel's own rows: what was told once isn't told otherwise later."""

from typing import Final

from sqlalchemy import Connection

from settlekit_mock.kernel.invariants import Invariant, Violation, unguarded
from settlekit_mock.kernel.tables import EVENTS, IDEMPOTENCY


def journal_never_changes(connection: Connection) -> list[Violation]:
    """Hold the guards that refuse a change of the journal."""
    return unguarded(connection, "journal_never_changes", EVENTS)


def first_answers_never_change(connection: Connection) -> list[Violation]:
    """Hold the guards that refuse a change of what a key was answered first."""
    return unguarded(connection, "first_answers_never_change", IDEMPOTENCY)


INVARIANTS: Final[tuple[Invariant, ...]] = (journal_never_changes, first_answers_never_change)
