"""Break a world behind its database's guards, on either database."""

import re
from collections.abc import Callable

from sqlalchemy import text

from settlekit_mock.kernel.world import World

Run = Callable[[str], None]
Breaking = Callable[[Run], None]

_DROP_GUARD = re.compile(r"DROP TRIGGER ((\w+)_no_(?:update|delete))")
_SQLITE_CHECKS_OFF = ("PRAGMA ignore_check_constraints = ON", "PRAGMA foreign_keys = OFF")
_SQLITE_GUARDS = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
_POSTGRESQL_GUARDS_OFF = text("SET LOCAL session_replication_role = replica")
_POSTGRESQL_CHECKS = text(
    "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
)


def break_it(world: World, breaking: Breaking) -> None:
    """Run a break with all guards off, and put them back but for those that it took off."""
    if world.database.is_postgresql:
        _break_postgresql(world, breaking)
    else:
        _break_sqlite(world, breaking)


def _break_sqlite(world: World, breaking: Breaking) -> None:
    raw = world.database.engine.raw_connection()
    execute = raw.cursor().execute
    for pragma in _SQLITE_CHECKS_OFF:
        execute(pragma)
    guards = dict(execute(_SQLITE_GUARDS).fetchall())
    for name in guards:
        execute(f"DROP TRIGGER {name}")

    def run(statement: str) -> None:
        off = _DROP_GUARD.fullmatch(statement)
        if off is None:
            execute(statement)
        else:
            del guards[off[1]]

    breaking(run)
    for statement in guards.values():
        execute(statement)
    raw.close()


def _break_postgresql(world: World, breaking: Breaking) -> None:
    with world.database.engine.begin() as connection:
        connection.execute(_POSTGRESQL_GUARDS_OFF)
        checks = connection.execute(_POSTGRESQL_CHECKS).all()
        execute = connection.connection.cursor().execute
        for table, name, _ in checks:
            execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        breaking(lambda statement: execute(in_postgresql_words(statement)))
        for table, name, rule in checks:
            as_it_was = rule.removesuffix(" NOT VALID")
            execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {as_it_was} NOT VALID")


def in_postgresql_words(statement: str) -> str:
    """Write a break as PostgreSQL says it."""
    statement = _DROP_GUARD.sub(r"DROP TRIGGER \1 ON \2", statement)
    statement = re.sub(r"CAST\((\w+) AS TEXT\)", r"convert_from(\1, 'UTF8')", statement)
    return statement.replace(" AS BLOB)", " AS BYTEA)")
