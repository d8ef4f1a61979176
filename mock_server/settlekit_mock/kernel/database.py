"""The database, SQLite in memory or in a file, or PostgreSQL, and its transactions.

Facts this stands on: SQLite's writers open with ``BEGIN IMMEDIATE``, for a transaction
that reads first and writes later fails at once when another wrote in between; one lock a
process around writers keeps waiting times even; ``synchronous=NORMAL`` in WAL survives a
killed process and may lose the last commits when the power goes.
"""

import re
import sqlite3
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import DatabaseError as DriverError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.pool import Pool, QueuePool, StaticPool

from settlekit_mock.kernel import memory, postgresql
from settlekit_mock.kernel.problems import DatabaseUnusable
from settlekit_mock.kernel.tables import METADATA, SCHEMA_VERSION, STATE

__all__ = ["MEMORY_URL", "UNAVAILABLE", "AnyRow", "Database", "DatabaseUnusable"]

BUSY_TIMEOUT_MS = 10_000
MEMORY_URL: Final = memory.URL
CHECKPOINT_PAGES: Final = 8_000
"""Pages (32 MB) that gather beside the file before they go into it, for which every writer waits;
SQLite's own 1,000 are sixteen checkouts."""
KEPT_STATEMENTS: Final = 512
"""How many statements stay prepared; the driver's 128 are fewer than a check and a payment use."""
UNAVAILABLE: Final = (OperationalError, InterfaceError, NoConnectionFree)
"""A database that is locked, full, busy or gone: the same work may succeed later."""

AnyRow = Row[*tuple[Any, ...]]
"""A row of any columns, read by their names."""


class Database:
    """One database of one mock server, safe to share between threads."""

    def __init__(self, url: str = MEMORY_URL, *, image: bytes | None = None) -> None:
        self.url = url
        self.in_memory = url in memory.NAMES
        self.is_postgresql = postgresql.named_by(url)
        self._write_lock = threading.RLock()
        self._local = threading.local()
        self._claim: sqlite3.Connection | None = None
        self._memory = (
            memory.connect(image, kept_statements=KEPT_STATEMENTS) if self.in_memory else None
        )
        self.engine = self._engine()
        in_file = not (self.in_memory or self.is_postgresql)
        self._readers = _file_engine(self.url, QueuePool) if in_file else self.engine

    def _engine(self) -> Engine:
        if self._memory is not None:
            engine = memory.engine(self._memory)
        elif postgresql.named_by(self.url):
            engine = postgresql.engine(self.url)
        else:
            engine = _file_engine(self.url, StaticPool)
        return engine

    @contextmanager
    def write(self) -> Generator[Connection, None, None]:
        """Open a transaction that may write; it commits, or rolls back on any exception."""
        if self.is_postgresql:
            with self.engine.begin() as connection:
                yield connection
            self._local.commits = self.commits + 1
            return
        with self._write_lock, self.engine.connect() as connection, connection.begin():
            # The driver opens no transaction for a SELECT, so it is left in autocommit and told.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @property
    def commits(self) -> int:
        """How often this thread has written to PostgreSQL."""
        found: int = getattr(self._local, "commits", 0)
        return found

    def look(self) -> AbstractContextManager[Connection]:
        """Open a connection to PostgreSQL on which each statement commits by itself."""
        return postgresql.looking(self.engine)

    @contextmanager
    def read(self) -> Generator[Connection, None, None]:
        """Open a transaction that sees one state of the database and writes nothing."""
        if self.is_postgresql:
            with postgresql.reading(self.engine) as connection:
                yield connection
            return
        with self._reading(), self._readers.connect() as connection, connection.begin():
            connection.exec_driver_sql("BEGIN")
            yield connection

    def _reading(self) -> AbstractContextManager[Any]:
        # One connection serves a database in memory, so its readers wait for the writer.
        return self._write_lock if self.in_memory else nullcontext()

    def prepare(self) -> bool:
        """Make the tables where there are none; return whether nothing has begun in them.

        Raises ``DatabaseUnusable`` for a file that can't be written, isn't a database of
        this server, or is one of another version.
        """
        try:
            return self._prepare()
        except DriverError as error:
            if self.is_postgresql:
                raise postgresql.unusable(error) from error
            raise DatabaseUnusable(
                f"can't use the database {_shown(self.url)}: {error.orig}; "
                "give --db a file in a folder that can be written"
            ) from error

    def _prepare(self) -> bool:
        with self.write() as connection:
            names = set(self.engine.dialect.get_table_names(connection))
            if STATE.name not in names:
                if names:
                    raise DatabaseUnusable(
                        f"the database {_shown(self.url)} holds something else; give --db a new file"
                    )
                METADATA.create_all(connection)
                return True
            return self._is_fresh(connection)

    def _is_fresh(self, connection: Connection) -> bool:
        found = connection.exec_driver_sql("SELECT schema_version FROM state").scalar()
        if found is None:  # a process that was killed before it had begun
            return True
        if found != SCHEMA_VERSION:
            raise DatabaseUnusable(
                f"the database {_shown(self.url)} is of version {found}, this server needs "
                f"{SCHEMA_VERSION}; give --db a new file, or use the release that made it"
            )
        return False

    def beginning(self) -> AbstractContextManager[Any]:
        """Keep other processes from beginning the same database at the same time."""
        return postgresql.beginning(self.engine) if self.is_postgresql else nullcontext()

    def claim(self) -> None:
        """Keep every other server off a file for as long as this one, or its process, lives.

        Raises ``DatabaseUnusable`` where another has it.
        """
        name = self.engine.url.database
        if (
            self.in_memory
            or self.is_postgresql
            or self._claim is not None
            or not name
            or name.startswith("file:")
        ):
            return
        # A lock of the system's on a file beside it: it goes when the process goes.
        claim = sqlite3.connect(
            f"{Path(name).resolve()}-lock", timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            claim.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            claim.close()
            raise DatabaseUnusable(
                f"another server uses the database {_shown(self.url)}; "
                "stop it, or give --db another file"
            ) from error
        self._claim = claim

    def empty(self, connection: Connection) -> None:
        """Begin with empty tables, within a transaction that writes."""
        if self.is_postgresql:
            postgresql.empty(connection)
            return
        METADATA.drop_all(connection)
        METADATA.create_all(connection)

    def image(self) -> bytes:
        """Return a whole copy of a database in memory."""
        if self._memory is None:
            raise DatabaseUnusable("copies are made of databases in memory only")
        with self._write_lock:
            return self._memory.serialize()

    def restore(self, image: bytes) -> None:
        """Replace the content of a database in memory by an earlier copy."""
        if self._memory is None:
            raise DatabaseUnusable("copies are restored into databases in memory only")
        with self._write_lock:
            self._memory.deserialize(image)
            memory.tune(self._memory)

    def forked(self) -> None:
        """Leave the connections to the process that this one was forked from."""
        self._write_lock = threading.RLock()
        self._local = threading.local()
        if self.is_postgresql:
            self.engine.dispose(close=False)

    def close(self) -> None:
        """Give back connections and memory."""
        self._readers.dispose()
        self.engine.dispose()
        for held in (self._memory, self._claim):
            if held is not None:
                held.close()


def _file_engine(url: str, pool: type[Pool]) -> Engine:
    if not url or not url.isprintable():
        raise DatabaseUnusable(
            "a database's name is printable text and not empty; give --db a file, or leave it out"
        )
    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{url}")
    except (ArgumentError, ValueError) as error:
        raise DatabaseUnusable(f"not a database URL: {_shown(url)}") from error
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise DatabaseUnusable(
            f"can't use a {parsed.drivername} database; give --db a file, or "
            "postgresql+psycopg://host/name"
        )
    if parsed.host or parsed.username:
        raise DatabaseUnusable(f"{_shown(url)} names a host; give --db a file of this machine")
    if parsed.database and not Path(parsed.database).absolute().parent.is_dir():
        raise DatabaseUnusable(
            f"the folder of {_shown(url)} doesn't exist; make it, or give --db another file"
        )
    engine = create_engine(
        parsed,
        connect_args={
            "isolation_level": None,
            "check_same_thread": False,
            "cached_statements": KEPT_STATEMENTS,
        },
        hide_parameters=True,
        poolclass=pool,
    )
    event.listen(engine, "connect", _tune_file)
    return engine


def _tune_file(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute("PRAGMA foreign_keys = ON")


def _shown(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return re.sub("://.*", "://…", url)  # whatever is in it may be a password
