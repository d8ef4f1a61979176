"""The kernel's own tables: the state of the world, the due queue, the journal, kept answers."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from settlekit_mock.kernel.append_only import append_only

SCHEMA_VERSION = 4
"""Raise it with every change of a table: a database of another version is refused."""

METADATA = MetaData()
Number = BigInteger().with_variant(Integer, "sqlite")
"""A key that the database counts up: SQLite does so for INTEGER PRIMARY KEY alone."""

STATE = Table(
    "state",
    METADATA,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True),
    Column("schema_version", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("frozen_at", BigInteger),
    Column("offset_ms", BigInteger, nullable=False),
    Column("sign_with_clock", Integer, nullable=False),
    Column("next_number", BigInteger, nullable=False),
    Column("resets", BigInteger, nullable=False),
)
"""One row. ``frozen_at`` is null on a real clock, which shows machine time + ``offset_ms``.

``resets`` tells processes that share a database whether their numbers are still the world's.
"""

DUE = Table(
    "due",
    METADATA,
    Column("due_number", Number, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Index("due_by_time", "at", "due_number"),
    Index("due_by_subject", "subject", "kind"),
)
"""Everything that will happen, a row each."""

AWAY = Table(
    "due_away",
    METADATA,
    Column("due_number", Number, primary_key=True, autoincrement=False),
    Column("mark", Text, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("advancing", Integer, nullable=False),
)
"""Errands that a process has a lease on, until an instant on the database's clock."""

EVENTS = append_only(
    Table(
        "events",
        METADATA,
        Column("seq", Number, primary_key=True),
        Column("at", BigInteger, nullable=False),
        Column("kind", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("data", Text, nullable=False),
    )
)
"""The journal: everything that happened, oldest first, never changed."""

IDEMPOTENCY = append_only(
    Table(
        "idempotency",
        METADATA,
        Column("scope", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("payload_hash", LargeBinary, nullable=False),
        Column("answer", LargeBinary, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        UniqueConstraint("scope", "key"),
    )
)
"""The first answer to each key, kept in the transaction of its effect, never changed."""
