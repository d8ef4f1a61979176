"""A connection for asking the same things after every step.

In a small world the database answers an invariant's query in a few microseconds, and
SQLAlchemy takes ten times as long around it. Here each statement is written out once, and
asked of the driver from then on.
"""

from collections import namedtuple
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.compiler import SQLCompiler


class Rows(list[Any]):
    """An answer's rows, as far as an invariant reads them."""

    def fetchmany(self, most: int) -> list[Any]:
        return self[:most]

    def scalars(self) -> list[Any]:
        return [row[0] for row in self]


class Quick:
    """A transaction's connection, for reading; stands in for SQLAlchemy's own.

    It sees one state of the database, so what was asked before is answered the same.
    """

    def __init__(self, connection: Connection) -> None:
        self.dialect = connection.dialect
        self._answers: dict[object, Rows] = {}
        self._cursor: DBAPICursor = connection.connection.cursor()

    def execute(self, statement: Executable, values: Mapping[str, object] | None = None) -> Rows:
        asked = (statement, tuple((values or {}).items()))
        if asked not in self._answers:
            self._cursor.execute(*_written(*asked, self.dialect))
            row = _row(tuple(column[0] for column in self._cursor.description or ()))
            self._answers[asked] = Rows(map(row._make, self._cursor.fetchall()))
        return self._answers[asked]


@lru_cache(maxsize=512)
def _written(
    statement: Any, values: tuple[tuple[str, object], ...], dialect: Dialect
) -> tuple[str, Any]:
    compiled: SQLCompiler = statement.compile(
        dialect=dialect, compile_kwargs={"render_postcompile": True}
    )
    bound = compiled.construct_params(dict(values))
    if compiled.positional:
        return compiled.string, [bound[name] for name in compiled.positiontup or ()]
    return compiled.string, bound


@lru_cache(maxsize=512)
def _row(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names, rename=True)  # noqa: PYI024 - names of a statement
