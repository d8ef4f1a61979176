"""Invariants: what must hold of the rows at any time, one named function each.

An invariant reads and never writes. It returns what it found amiss, at most ``MOST`` rows of
it: a broken database has many, and the first ones tell.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from sqlalchemy import Connection, Table, text

MOST: Final = 100


class Violation(NamedTuple):
    """One thing that isn't as it must be: which invariant, of what, and how it differs."""

    name: str
    subject: str
    expected: str
    got: str


_TRIGGERS: Final = {
    "sqlite": text("SELECT name FROM sqlite_schema WHERE type = 'trigger'"),
    "postgresql": text("SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"),
}

Invariant = Callable[[Connection], list[Violation]]


def unguarded(connection: Connection, name: str, *tables: Table) -> list[Violation]:
    """Name the append-only tables whose guards are gone; ``name`` is the invariant's."""
    guards = set(connection.execute(_TRIGGERS[connection.dialect.name]).scalars())
    return [
        Violation(name, table.name, f"a trigger {guard}", "none")
        for table in tables
        for guard in (f"{table.name}_no_update", f"{table.name}_no_delete")
        if guard not in guards
    ]
