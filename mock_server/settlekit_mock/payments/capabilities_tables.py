"""Executions of paid capabilities: one row for each key within buyer, listing and capability."""

from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    select,
    update,
)

from settlekit_mock.kernel.tables import METADATA, Number
from settlekit_mock.payments.tables import MERCHANTS, Merchant

EXECUTIONS = Table(
    "capability_executions",
    METADATA,
    Column("execution_number", Number, primary_key=True),
    Column("execution_id", Text, nullable=False, unique=True),
    Column("buyer_id", Text, nullable=False),
    Column("merchant_number", BigInteger, ForeignKey(MERCHANTS.c.merchant_number), nullable=False),
    Column("capability_key", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("payload_hash", LargeBinary, nullable=False),
    Column("attempt_count", Integer, nullable=False),
    Column("requirement_id", Text, unique=True),
    Column("answer", LargeBinary),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("buyer_id", "merchant_number", "capability_key", "idempotency_key"),
)
"""``answer`` and ``requirement_id`` are null until an attempt charged; then they stand."""


class Execution(NamedTuple):
    """What a key stands for."""

    execution_id: str
    payload_hash: bytes
    attempt_count: int
    answer: bytes | None


def merchant_listed(connection: Connection, listing_id: str) -> Merchant | None:
    """Return the merchant whose listing this is."""
    row = connection.execute(_LISTED, {"given": listing_id}).first()
    return None if row is None else Merchant(*row)


def execution_of(
    connection: Connection,
    *,
    buyer_id: str,
    merchant_number: int,
    capability_key: str,
    idempotency_key: str,
) -> Execution | None:
    """Return what a key stands for, and hold it: its next attempt waits for this one's end."""
    key = {
        "of_buyer": buyer_id,
        "of_merchant": merchant_number,
        "of_capability": capability_key,
        "given": idempotency_key,
    }
    row = connection.execute(_FIND, key).first()
    return None if row is None else Execution(*row)


_LISTED = select(*MERCHANTS.c).where(MERCHANTS.c.listing_id == bindparam("given"))
_FIND = (
    select(*(EXECUTIONS.c[name] for name in Execution._fields))
    .where(
        EXECUTIONS.c.buyer_id == bindparam("of_buyer"),
        EXECUTIONS.c.merchant_number == bindparam("of_merchant"),
        EXECUTIONS.c.capability_key == bindparam("of_capability"),
        EXECUTIONS.c.idempotency_key == bindparam("given"),
    )
    .with_for_update()
)
INSERT_EXECUTION = insert(EXECUTIONS)
UPDATE_EXECUTION = update(EXECUTIONS).where(EXECUTIONS.c.execution_id == bindparam("given"))
