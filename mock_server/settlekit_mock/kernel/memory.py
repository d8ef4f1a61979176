"""Databases in memory: a process may open hundreds, one after the other and side by side.

All have the same tables, and so the same statements. To compile these anew for each database
takes longer than most of what is done there, so they share what was compiled.
"""

import sqlite3
from functools import cache
from typing import Any, Final

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine.interfaces import CompiledCacheType
from sqlalchemy.pool import StaticPool
from sqlalchemy.util import LRUCache

URL: Final = "sqlite://"
NAMES: Final = frozenset({URL, "memory", ":memory:", "sqlite:///", "sqlite:///:memory:"})
_SHARED_STATEMENTS: Final = 2_000
_compiled: CompiledCacheType = LRUCache(_SHARED_STATEMENTS)


def connect(image: bytes | None, *, kept_statements: int) -> sqlite3.Connection:
    """Open a database, empty or as an image has it."""
    connection = sqlite3.connect(
        ":memory:", isolation_level=None, check_same_thread=False, cached_statements=kept_statements
    )
    if image is not None:
        connection.deserialize(image)
    tune(connection)
    return connection


def tune(connection: sqlite3.Connection) -> None:
    """Say what a database is told when it is opened, and when an image has replaced it."""
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA foreign_keys = ON")


def engine(connection: sqlite3.Connection) -> Engine:
    """Make the engine of one database."""
    first = _first()
    creator: Any = lambda: connection  # noqa: E731 - SQLAlchemy's type of connections is its own
    return Engine(
        StaticPool(creator, dialect=first.dialect),
        first.dialect,
        first.url,
        hide_parameters=True,
        execution_options={"compiled_cache": _compiled},
    )


@cache
def _first() -> Engine:
    """Make the engine whose dialect, once it has met the driver, all of them have."""
    first = create_engine(URL)
    first.connect().close()
    first.dispose()
    return first
