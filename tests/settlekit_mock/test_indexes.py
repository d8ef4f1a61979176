"""Partial indexes are partial on both databases."""

import pytest
from sqlalchemy import Dialect, Index
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

import settlekit_mock.app  # every room's tables
from settlekit_mock.kernel.tables import METADATA

DIALECTS: dict[str, Dialect] = {
    "sqlite": SQLiteDialect_pysqlite(),
    "postgresql": PGDialect_psycopg(),  # type: ignore[no-untyped-call]
}
INDEXES = sorted(
    (index for table in METADATA.sorted_tables for index in table.indexes),
    key=lambda index: str(index.name),
)
"""Sorted: a table's own are a set, in another order in each of the tests' processes."""


def predicate(index: Index, name: str) -> str | None:
    """Return which rows an index holds, as text; ``None`` for all."""
    where = index.dialect_options[name]["where"]
    if where is None:
        return None
    options = {"literal_binds": True, "include_table": False}
    return str(where.compile(dialect=DIALECTS[name], compile_kwargs=options))


def test_every_room_is_there() -> None:
    """The tables of all rooms are looked at, partial unique indexes among them."""
    assert settlekit_mock.app.ROUTES
    partial = {str(index.name) for index in INDEXES if predicate(index, "sqlite")}
    assert {"ledger_wallet_of_owner", "payouts_one_open", "open_periods_by_buyer"} <= partial


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: index.name)
def test_an_index_holds_the_same_rows_on_both(index: Index) -> None:
    """An index without a predicate on one of them would refuse, there, what the other takes."""
    assert predicate(index, "sqlite") == predicate(index, "postgresql")
