"""Databases: in memory and in files, and the ones that can't be used."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from settlekit_mock.kernel import database as database_module
from settlekit_mock.kernel.database import Database, DatabaseUnusable
from settlekit_mock.kernel.tables import EVENTS
from settlekit_mock.kernel.world import Settings, World

pytestmark = pytest.mark.sqlite


def kinds(world: World) -> list[str]:
    with world.snapshot() as connection:
        return list(connection.execute(select(EVENTS.c.kind).order_by(EVENTS.c.seq)).scalars())


def record(world: World, kind: str) -> None:
    with world.transaction() as tx:
        tx.record(kind, "subject")


def opened(url: str) -> tuple[World, bool]:
    database = Database(url)
    return World(database, Settings(freeze_at=0)), database.prepare()


@pytest.mark.parametrize(
    "url", ["sqlite://", "memory", ":memory:", "sqlite:///", "sqlite:///:memory:"]
)
def test_a_database_in_memory_is_one_for_all_its_users(url: str) -> None:
    """However memory is said, each transaction sees what the one before wrote."""
    world, fresh = opened(url)
    world.create()
    record(world, "written")
    assert (fresh, world.database.in_memory, kinds(world)) == (True, True, ["written"])
    world.close()


@pytest.mark.parametrize("written", ["{}", "sqlite:///{}"])
def test_a_file_keeps_what_was_written(tmp_path: Path, written: str) -> None:
    """A database in a file, named by path or URL, is there again when it is opened again."""
    url = written.format(tmp_path / "mock.db")
    world, _ = opened(url)
    world.create()
    record(world, "written")
    world.close()
    again, fresh = opened(url)
    assert (fresh, kinds(again)) == (False, ["written"])
    again.close()


def test_a_file_is_in_wal_mode(tmp_path: Path) -> None:
    """Readers of a file don't wait for its writer: it is kept in WAL, synced normally."""
    world, _ = opened(str(tmp_path / "mock.db"))
    with world.snapshot() as connection:
        modes = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert modes == ["wal", 1, 1]
    world.close()


def test_a_reader_of_a_file_sees_one_moment(tmp_path: Path) -> None:
    """What is written while a snapshot is open isn't in it."""
    world, _ = opened(str(tmp_path / "mock.db"))
    world.create()
    count = select(func.count()).select_from(EVENTS)
    with world.snapshot() as connection:
        before = connection.execute(count).scalar_one()
        record(world, "written")
        assert connection.execute(count).scalar_one() == before
    assert kinds(world) == ["written"]
    world.close()


def test_a_process_killed_before_it_had_begun_leaves_a_fresh_database(tmp_path: Path) -> None:
    """Tables without a first state are taken as new, so the next start begins there."""
    world, _ = opened(str(tmp_path / "mock.db"))
    world.close()
    again, fresh = opened(str(tmp_path / "mock.db"))
    assert fresh
    again.close()


def older_version(path: Path) -> str:
    world, _ = opened(str(path / "mock.db"))
    world.create()
    with world.database.write() as connection:
        connection.exec_driver_sql("UPDATE state SET schema_version = 0")
    world.close()
    return str(path / "mock.db")


def foreign(path: Path) -> str:
    connection = sqlite3.connect(path / "other.db")
    connection.execute("CREATE TABLE invoices (id INTEGER)")
    connection.close()
    return str(path / "other.db")


def not_a_database(path: Path) -> str:
    (path / "notes.txt").write_text("these are notes, and no database at all\n" * 100)
    return str(path / "notes.txt")


def a_folder(path: Path) -> str:
    (path / "mock.db").mkdir()
    return str(path / "mock.db")


def no_folder(path: Path) -> str:
    return str(path / "missing" / "mock.db")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (older_version, "is of version 0, this server needs"),
        (foreign, "holds something else"),
        (not_a_database, "file is not a database"),
        (a_folder, "unable to open database file"),
        (no_folder, "doesn't exist"),
        (lambda _: "mysql://user:hidden@localhost/mock", "can't use a mysql database"),
        (lambda _: "sqlite+aiosqlite:///mock.db", "can't use a sqlite+aiosqlite database"),
        (lambda _: "sqlite://user:hidden@host/mock.db", "names a host"),
        (lambda _: "://", "not a database URL"),
    ],
)
def test_an_unusable_database_is_one_clear_line(
    tmp_path: Path, spoil: Callable[[Path], str], told: str
) -> None:
    """A database that can't be used is ``DatabaseUnusable``: one line says why, and no secret."""
    with pytest.raises(DatabaseUnusable) as refused:
        opened(spoil(tmp_path))
    message = str(refused.value)
    assert told in message
    assert "\n" not in message
    assert "hidden" not in message


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that even root can't write")
def test_a_folder_that_cant_be_written_is_one_clear_line() -> None:
    """A database in a folder where nothing can be made is ``DatabaseUnusable``."""
    with pytest.raises(DatabaseUnusable, match=r"can't use the database .*give --db a file"):
        opened("/proc/mock.db")


def test_an_image_is_the_whole_database() -> None:
    """A copy of a database in memory goes on by itself, and can be put back."""
    world, _ = opened("sqlite://")
    world.create()
    record(world, "before")
    image = world.database.image()
    record(world, "after")
    copy = World(Database(image=image), Settings(freeze_at=0))
    assert (kinds(copy), kinds(world)) == (["before"], ["before", "after"])
    world.database.restore(image)
    assert kinds(world) == ["before"]
    world.close()
    copy.close()


def test_files_have_no_image(tmp_path: Path) -> None:
    """Copies are of databases in memory only."""
    world, _ = opened(str(tmp_path / "mock.db"))
    with pytest.raises(DatabaseUnusable, match="in memory only"):
        world.database.image()
    with pytest.raises(DatabaseUnusable, match="in memory only"):
        world.database.restore(b"")
    world.close()


def test_settings_show_no_secret() -> None:
    """Whoever prints the settings prints no token and no secret."""
    secrets = {
        name: f"hush-{name}"
        for name in (
            "webhook_secret",
            "admin_token",
            "admin_secret",
            "control_token",
            "stripe_webhook_secret",
        )
    }
    assert "hush" not in repr(Settings(**secrets))


def test_a_locked_database_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that waits in vain for another process is told that the database is locked."""
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 1)
    world, _ = opened(f"sqlite:///{tmp_path / 'mock.db'}")
    other = sqlite3.connect(tmp_path / "mock.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="database is locked"), world.database.write():
        pass
    other.close()
    with world.database.write():
        pass
    world.close()
