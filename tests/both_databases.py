"""Tests told twice: on SQLite in memory, and on a PostgreSQL database of their own.

A test or module marked ``both_databases`` is run on both by ``make test``. With
``SETTLEKIT_TESTS_ON=postgresql`` (``make soak``) every test of the mock runs on PostgreSQL
alone, but for those marked ``sqlite``: they are about files, copies or one process's bytes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from settlekit_mock import app
from settlekit_mock.kernel.database import MEMORY_URL, Database
from settlekit_mock.kernel.world import Settings, World
from tests.postgresql import PostgresqlServer

VARIABLE = "SETTLEKIT_TESTS_ON"

_GUARDS = text(
    "SELECT (SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'D')"
    " + (SELECT count(*) FROM pg_constraint) + (SELECT count(*) FROM pg_index)"
)
_TOUCHED = text(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > 0"
    " AND relnamespace = 'public'::regnamespace"
)
_COUNT_ANEW = text(
    "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"
    " AND relnamespace = 'public'::regnamespace"
)


class Kept:
    """A database with empty tables; making and dropping one takes longer than most tests."""

    def __init__(self, server: PostgresqlServer) -> None:
        self.url = server.create_database()
        self.database = Database(self.url)
        assert self.database.prepare()
        self._server = server
        self._guards = self._guards_now()

    def empty(self) -> bool:
        """Empty it for the next test; false, and gone, where a test has broken its guards."""
        whole = self._guards_now() == self._guards
        if whole:
            self._delete_rows()
        else:
            self.database.close()
            self._server.drop_database(self.url)
        return whole

    def _delete_rows(self) -> None:
        # A hundredth of what it costs to truncate fifty tables and their indexes.
        with self.database.write() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for table in connection.execute(_TOUCHED).scalars().all():
                connection.execute(text(f"DELETE FROM {table}"))
            connection.execute(_COUNT_ANEW)

    def _guards_now(self) -> int:
        with self.database.read() as connection:
            found: int = connection.execute(_GUARDS).scalar_one()
        return found


_free: list[Kept] = []


class InTurns:
    """The databases that one test has of those that the tests take in turns."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        self._config = request.config
        self._taken: list[Kept] = []
        self._of: dict[Database, Kept] = {}

    def take(self) -> Kept:
        kept = _free.pop() if _free else self._make()
        self._taken.append(kept)
        return kept

    def _make(self) -> Kept:
        kept = Kept(self._server)
        self._config.add_cleanup(kept.database.close)
        return kept

    def opened(self, database: Database, kept: Kept) -> None:
        """Note who uses it, so that it is free again when they close it."""
        self._of[database] = kept

    def closed(self, database: Database) -> None:
        if database in self._of:
            self._give_back(self._of.pop(database))

    def end(self) -> None:
        for kept in list(self._taken):
            self._give_back(kept)

    def _give_back(self, kept: Kept) -> None:
        self._taken.remove(kept)
        if kept.empty():
            _free.append(kept)


_ON_SQLITE: Any = (Database.__init__, Database.close, app._open_in_memory)


@contextmanager
def _opening(begin: Any, close: Any, open_anew: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Database, "__init__", begin)
        patched.setattr(Database, "close", close)
        patched.setattr(app, "_open_in_memory", open_anew)
        yield


@contextmanager
def _on_postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    """Have whatever is opened in memory opened on PostgreSQL."""
    turns = InTurns(request)
    begin = _ON_SQLITE[0]
    giving_back = Database.close

    def opened(self: Database, url: str = MEMORY_URL, *, image: Any = None) -> None:
        if url != MEMORY_URL or image is not None:
            begin(self, url, image=image)
            return
        kept = turns.take()
        begin(self, kept.url)
        turns.opened(self, kept)

    def closed(self: Database) -> None:
        giving_back(self)
        turns.closed(self)

    def open_anew(settings: Settings) -> World:
        kept = turns.take()
        world = app.open_world(kept.url, settings)
        turns.opened(world.database, kept)
        return world

    with _opening(opened, closed, open_anew):
        yield "postgresql"
    turns.end()


@pytest.fixture(scope="module", autouse=True)
def module_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have what a module's tests share opened on PostgreSQL, where all are told there."""
    on_sqlite = any(mark.name == "sqlite" for mark in request.node.iter_markers())
    if os.environ.get(VARIABLE) != "postgresql" or on_sqlite:
        yield
        return
    with _on_postgresql(request):
        yield


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest, module_database: None) -> Iterator[str]:
    """Have what the test opens in memory opened on the database that it is told for."""
    if getattr(request, "param", "sqlite") == "postgresql":
        with _on_postgresql(request):
            yield "postgresql"
    else:
        with _opening(*_ON_SQLITE):
            yield "sqlite"


def told_on(metafunc: pytest.Metafunc) -> None:
    """Say on which databases a test is told; to be called as ``pytest_generate_tests``.

    What threads do side by side is told on both, unless it is marked ``sqlite``.
    """
    marked, fixtures = metafunc.definition.get_closest_marker, metafunc.fixturenames
    if "database" not in fixtures or marked("sqlite"):
        return
    if os.environ.get(VARIABLE) == "postgresql":
        kinds = ["postgresql"]
    elif marked("both_databases") or "url_on_file" in fixtures:
        kinds = ["sqlite", "postgresql"]
    else:
        return
    metafunc.parametrize("database", kinds, indirect=True)
