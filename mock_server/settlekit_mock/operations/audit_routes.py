"""The route of the audit log."""

from typing import Final

from settlekit_mock.http.cursors import read_cursor
from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.kernel.times import to_text
from settlekit_mock.operations.audit import AuditEntry, Filter, audit_entries
from settlekit_mock.operations.paging import page_of, span_of
from settlekit_mock.operations.wire import AuditAnswer, AuditListing, AuditQuery


def _list(request: Request) -> AuditListing:
    query: AuditQuery = request.query
    wanted = Filter(query.actor, query.action, query.resource, *span_of(query))
    listing = f"audit:{wanted}"
    before = read_cursor(listing, query.cursor)
    with request.world.snapshot() as connection:
        rows = audit_entries(connection, wanted, before=before, limit=query.limit + 1)
    page, next_cursor = page_of(rows, query.limit, listing)
    return AuditListing(items=[_entry(entry) for entry in page], next_cursor=next_cursor)


def _entry(entry: AuditEntry) -> AuditAnswer:
    return AuditAnswer(
        id=entry.audit_id,
        actor=entry.actor,
        action=entry.action,
        resource=entry.resource,
        details=entry.details,
        created_at=to_text(entry.created_at),
    )


AUDIT_ROUTES: Final = (
    Route(
        "GET",
        "/v1/admin/audit",
        Role.ADMIN,
        _list,
        AuditListing,
        "List who did what to which resource, newest first",
        query=AuditQuery,
        dialect=OPERATIONS,
    ),
)
