"""PostgreSQL: several processes on one database.

Writers are READ COMMITTED and lock the world's one row before they read anything else, so
they come one after the other, as SQLite's do, and see all that was committed before them.
Readers are REPEATABLE READ: they see one state of the database. Nobody waits for a lock
longer than ``LOCK_TIMEOUT_MS``.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import DatabaseError as DriverError

from settlekit_mock.kernel.problems import DatabaseUnusable
from settlekit_mock.kernel.tables import METADATA, STATE

_DRIVERS: Final = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_CONNECTIONS: Final = 16
LOCK_TIMEOUT_MS: Final = 20_000
CONNECT_TIMEOUT_SECONDS: Final = 5
RETRIED: Final = frozenset({"40001", "40P01", "23505"})
"""A serialisation failure, a deadlock, and a key that another transaction wrote meanwhile."""
_BEGINNING: Final = text("SELECT pg_advisory_lock(7311849202)")
_BEGUN: Final = text("SELECT pg_advisory_unlock(7311849202)")


def named_by(url: str) -> bool:
    """Say whether a URL names a PostgreSQL database."""
    return url.partition("://")[0] in _DRIVERS and "://" in url


def engine(url: str) -> Engine:
    """Make the engine; raises ``DatabaseUnusable`` where the driver is missing."""
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        made = create_engine(
            parsed,
            connect_args=_CHOSEN | dict(parsed.query),
            isolation_level="READ COMMITTED",
            pool_size=_CONNECTIONS,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        event.listen(made, "handle_error", _leave_out_rows)
        return made
    except ImportError as error:
        raise DatabaseUnusable(
            "PostgreSQL needs a driver: install settlekit[postgresql]"
        ) from error
    except (ArgumentError, ValueError) as error:
        raise DatabaseUnusable("not a database URL; expected postgresql+psycopg://…") from error


def _leave_out_rows(context: ExceptionContext) -> None:
    # The details of a refused row quote it, secrets and all.
    refused = context.original_exception
    said = getattr(getattr(refused, "diag", None), "message_primary", None)
    if said:
        for error in (refused, context.sqlalchemy_exception):
            if error is not None:
                error.args = (said,)


_CHOSEN: Final = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "application_name": "settlekit-mock",
    "options": f"-c lock_timeout={LOCK_TIMEOUT_MS}",
}
"""What a URL can choose otherwise."""


@contextmanager
def reading(engine: Engine) -> Generator[Connection, None, None]:
    """Open a transaction that sees one state of the database and writes nothing."""
    with (
        engine.connect().execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        ) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def beginning(engine: Engine) -> Generator[None, None, None]:
    """Keep other processes from making tables and actors at the same time."""
    try:
        with engine.connect() as connection:
            connection.execute(_BEGINNING)
            connection.commit()
            try:
                yield
            finally:
                connection.execute(_BEGUN)
                connection.commit()
    except DriverError as error:
        raise unusable(error) from error


@contextmanager
def looking(engine: Engine) -> Generator[Connection, None, None]:
    """Open a connection on which each statement is a transaction of its own."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


def empty(connection: Connection) -> None:
    """Delete every row but the world's one, and let counting begin anew.

    Row by row, guarded tables would refuse. Other processes wait for the one row, which so
    must not go; and readers that began before find it as they began.
    """
    names = ", ".join(table.name for table in METADATA.sorted_tables if table is not STATE)
    connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))


def passes(error: DBAPIError) -> bool:
    """Say whether the same work may succeed when it is done again from its beginning."""
    return getattr(error.orig, "sqlstate", None) in RETRIED


def unusable(error: DriverError) -> DatabaseUnusable:
    """Say in one line what the server, or the way to it, has against it."""
    lines = str(error.orig).strip().splitlines() or ["no reason given"]
    return DatabaseUnusable(f"can't use the PostgreSQL database: {lines[0]}; see --db")
