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
def in_driver_words(statement: str, dialect: str) -> str:
    """Write a statement's places, each a ``?``, as the database's driver wants them."""
    return statement if dialect == "sqlite" else statement.replace("?", "%s")


@cache
def _statement(table: Table, columns: tuple[str, ...], dialect: str) -> str:
    places = ", ".join("?" * len(columns))
    # Names are this code's own; the values are bound.
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608
    return in_driver_words(statement, dialect)
