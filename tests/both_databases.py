"""Tests told twice: on SQLite in memory, and on a PostgreSQL database of their own.

A test or module marked ``both_databases`` is run on both by ``make test``. With
``SETTLEKIT_TESTS_ON=postgresql`` (``make soak``) every test of the mock runs on PostgreSQL
alone, but for those marked ``sqlite``: they are about files, copies or one process's bytes.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, text

from settlekit_mock import app
from settlekit_mock.kernel import postgresql
from settlekit_mock.kernel.database import MEMORY_URL, Database
from settlekit_mock.kernel.tables import STATE
from settlekit_mock.kernel.world import Settings, World
from tests.postgresql import PostgresqlServer

VARIABLE = "SETTLEKIT_TESTS_ON"


_free: list[str] = []
"""Databases with empty tables: making and dropping one takes longer than most tests."""
_GUARDS = text("SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'D'")


def _fresh(server: PostgresqlServer) -> str:
    if _free:
        return _free.pop()
    url = server.create_database()
    database = Database(url)
    assert database.prepare()
    database.close()
    return url


def _give_back(server: PostgresqlServer, url: str, guards: int) -> None:
    """Empty a database for the next test, or drop one whose guards a test has broken."""
    database = Database(url)
    with database.write() as connection:
        whole = connection.execute(_GUARDS).scalar() == guards
        if whole:
            postgresql.empty(connection)
            connection.execute(delete(STATE))
    database.close()
    if whole:
        _free.append(url)
    else:
        server.drop_database(url)


def _guards(url: str) -> int:
    database = Database(url)
    with database.read() as connection:
        found: int = connection.execute(_GUARDS).scalar_one()
    database.close()
    return found


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Have what the test opens in memory opened on the database that it is told for."""
    kind: str = getattr(request, "param", "sqlite")
    if kind == "postgresql":
        yield from _on_postgresql(request.getfixturevalue("postgresql_server"), monkeypatch)
    else:
        yield kind


def _on_postgresql(server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    made: dict[str, int] = {}
    begin = Database.__init__

    def fresh() -> str:
        url = _fresh(server)
        made[url] = _guards(url)
        return url

    def opened(self: Database, url: str = MEMORY_URL, *, image: Any = None) -> None:
        begin(self, fresh() if url == MEMORY_URL and image is None else url, image=image)

    def open_anew(settings: Settings) -> World:
        return app.open_world(fresh(), settings)

    with monkeypatch.context() as patched:
        patched.setattr(Database, "__init__", opened)
        patched.setattr(app, "_open_in_memory", open_anew)
        yield "postgresql"
    for url, guards in made.items():
        _give_back(server, url, guards)


def told_on(metafunc: pytest.Metafunc) -> None:
    """Say on which databases a test is told; to be called as ``pytest_generate_tests``."""
    if "database" not in metafunc.fixturenames:
        return
    definition = metafunc.definition
    if os.environ.get(VARIABLE) == "postgresql":
        kinds = ["sqlite"] if definition.get_closest_marker("sqlite") else ["postgresql"]
    elif definition.get_closest_marker("both_databases"):
        kinds = ["sqlite", "postgresql"]
    else:
        return
    metafunc.parametrize("database", kinds, indirect=True)
