"""Read an account's history: its entries, newest first."""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, select

from settlekit_mock.ledger.tables import ENTRIES, TRANSACTIONS


class Line(NamedTuple):
    """One entry of an account and what it was for. A credit's amount is positive."""

    transaction_id: str
    amount: int
    balance_before: int
    balance_after: int
    reason: str
    subject: str
    idempotency_key: str | None
    metadata: dict[str, object]
    created_at: int


def newest_lines(connection: Connection, account_number: int, *, limit: int) -> list[Line]:
    """Return an account's newest entries."""
    rows = connection.execute(_NEWEST, {"number": account_number, "most": limit})
    return [_line(row) for row in rows]


def _line(row: Any) -> Line:
    return Line(*row)._replace(metadata=msgspec.json.decode(row.metadata))


_NEWEST = (
    select(
        TRANSACTIONS.c.transaction_id,
        ENTRIES.c.amount,
        ENTRIES.c.balance_before,
        ENTRIES.c.balance_after,
        TRANSACTIONS.c.reason,
        TRANSACTIONS.c.subject,
        TRANSACTIONS.c.idempotency_key,
        TRANSACTIONS.c.metadata,
        TRANSACTIONS.c.created_at,
    )
    .join(TRANSACTIONS, TRANSACTIONS.c.transaction_number == ENTRIES.c.transaction_number)
    .where(ENTRIES.c.account_number == bindparam("number"))
    .order_by(ENTRIES.c.entry_number.desc())
    .limit(bindparam("most"))
)
