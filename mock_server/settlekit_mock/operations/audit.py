"""The audit log: an entry for every operator's action, written with it."""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select

from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.operations.tables import AUDIT

_DETAILS = msgspec.json.Encoder(order="sorted")


class AuditEntry(NamedTuple):
    """Who did what to which resource, and when."""

    number: int
    audit_id: str
    actor: str
    action: str
    resource: str
    details: dict[str, str]
    created_at: int


class Filter(NamedTuple):
    """Which entries to read; ``until`` itself is left out."""

    actor: str | None = None
    action: str | None = None
    resource: str | None = None
    since: int | None = None
    until: int | None = None


def audit(
    tx: Transaction, *, actor: str, action: str, resource: str, **details: str | None
) -> None:
    """Write an entry, in the transaction of what it tells of."""
    told = {name: value for name, value in details.items() if value is not None}
    row: dict[str, object] = {
        "audit_id": tx.new_id("aud"),
        "actor": actor,
        "action": action,
        "resource": resource,
        "details": _DETAILS.encode(told).decode(),
        "created_at": tx.now,
    }
    tx.connection.execute(_INSERT, row)


def audit_entries(
    connection: Connection, wanted: Filter, *, before: int | None, limit: int
) -> list[AuditEntry]:
    """Return entries older than number ``before``, newest first."""
    query = select(*AUDIT.c).order_by(AUDIT.c.audit_number.desc()).limit(limit)
    for column, value in (
        (AUDIT.c.actor, wanted.actor),
        (AUDIT.c.action, wanted.action),
        (AUDIT.c.resource, wanted.resource),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(AUDIT.c.created_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AUDIT.c.created_at < wanted.until)
    if before is not None:
        query = query.where(AUDIT.c.audit_number < before)
    return [_entry(row) for row in connection.execute(query)]


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(*row)._replace(details=msgspec.json.decode(row.details))


_INSERT = insert(AUDIT)
