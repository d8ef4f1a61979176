"""Invariants: what must hold of the rows at any time, one named function each.

An invariant reads and never writes. It returns what it found amiss, at most ``MOST`` rows of
it: a broken database has many, and the first ones tell.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Table,
    func,
    literal,
    not_,
    or_,
    select,
    text,
    union_all,
)

from settlekit_mock.kernel.money import LIMIT

MOST: Final = 100


class Violation(NamedTuple):
    """One thing that isn't as it must be: which invariant, of what, and how it differs."""

    name: str
    subject: str
    expected: str
    got: str


_TRIGGERS: Final = {
    "sqlite": text("SELECT name FROM sqlite_schema WHERE type = 'trigger'"),
    "postgresql": text("SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D' AND NOT tgisinternal"),
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


def no_amounts(*amounts: Column[int]) -> Mapping[str, CompoundSelect[str, Any, int]]:
    """Return, by dialect, the query of what is no integer of 63 bits in these columns."""
    # SQLite alone keeps text in a column of integers.
    return MappingProxyType(
        {
            dialect: union_all(*(_no_amount(amount, dialect) for amount in amounts)).limit(MOST)
            for dialect in _TRIGGERS
        }
    )


def _no_amount(amount: Column[int], dialect: str) -> Select[str, Any, int]:
    (key,) = amount.table.primary_key
    wrong: ColumnElement[bool] = not_(amount.between(-LIMIT, LIMIT))
    if dialect == "sqlite":
        wrong = or_(wrong, func.typeof(amount) != "integer")
    return select(literal(str(amount)), key, amount).where(wrong)


def strange_amounts(
    connection: Connection, name: str, queries: Mapping[str, CompoundSelect[str, Any, int]]
) -> list[Violation]:
    """Name what ``no_amounts`` finds; ``name`` is the invariant's."""
    return [
        Violation(name, f"{amount} {number}", "an integer of 63 bits", repr(got))
        for amount, number, got in connection.execute(queries[connection.dialect.name])
    ]
