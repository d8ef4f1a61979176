"""Insert many rows at the driver's own speed, and one row without building a statement."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table


def insert_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows, each a tuple in the order of ``columns``, in one call of the driver."""
    if rows:
        connection.exec_driver_sql(_statement(table, columns, connection.dialect.name), list(rows))


@cache
def _statement(table: Table, columns: tuple[str, ...], dialect: str) -> str:
    placeholder = "?" if dialect == "sqlite" else "%s"
    places = ", ".join([placeholder] * len(columns))
    # Names are this code's own; the values are bound.
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608
