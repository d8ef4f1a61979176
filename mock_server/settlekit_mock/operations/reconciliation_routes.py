"""The routes of reconciliation: compare, hold, list, release."""

from typing import Final

from settlekit_mock.http.cursors import read_cursor
from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.kernel.clock import load_state
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.ledger.rebuild import Rebuilt, rebuild_wallets
from settlekit_mock.ledger.tables import OwnerScope
from settlekit_mock.operations.amounts import amounts
from settlekit_mock.operations.holds import Hold, hold_if_mismatched, holds, release_hold
from settlekit_mock.operations.paging import page_of
from settlekit_mock.operations.wire import (
    HoldAnswer,
    HoldFields,
    HoldListing,
    HoldQuery,
    NoFields,
    Reconciled,
    ReconciledFields,
    Reconciliation,
    Release,
    Summary,
)


def _reconcile(request: Request) -> Reconciliation:
    with request.world.snapshot() as connection:
        generated_at = load_state(connection).now
        wallets = rebuild_wallets(connection)
    mismatched = [found for found in wallets if found.delta]
    if mismatched:
        with request.world.transaction() as tx:
            for found in mismatched:
                hold_if_mismatched(tx, found.number, actor=request.caller.subject)
    return Reconciliation(
        generated_at=to_text(generated_at),
        summary=Summary(
            wallet_count=len(wallets),
            balanced_count=len(wallets) - len(mismatched),
            mismatch_count=len(mismatched),
        ),
        items=[_reconciled(found) for found in wallets],
    )


def _reconciled(found: Rebuilt) -> Reconciled:
    compared = amounts(
        found.currency,
        wallet_balance=found.stored,
        ledger_balance=found.rebuilt,
        delta=found.delta,
    )
    return ReconciledFields(
        wallet_id=found.wallet_id,
        owner_scope=OwnerScope(found.owner_scope),
        owner_id=found.owner_id,
        **compared,
        status="mismatch" if found.delta else "balanced",
    )


def _list_holds(request: Request) -> HoldListing:
    query: HoldQuery = request.query
    listing = f"holds:{query.status}"
    before = read_cursor(listing, query.cursor)
    active = None if query.status is None else query.status == "active"
    with request.world.snapshot() as connection:
        rows = holds(connection, active=active, before=before, limit=query.limit + 1)
    page, next_cursor = page_of(rows, query.limit, listing)
    return HoldListing(items=[_hold(hold) for hold in page], next_cursor=next_cursor)


def _release(request: Request) -> HoldAnswer:
    with request.world.transaction() as tx:
        hold = release_hold(
            tx, request.path["hold_id"], note=request.body.note, actor=request.caller.subject
        )
    return _hold(hold)


def _hold(hold: Hold) -> HoldAnswer:
    compared = amounts(
        hold.currency,
        wallet_balance=hold.wallet_balance,
        ledger_balance=hold.ledger_balance,
        delta=hold.wallet_balance - hold.ledger_balance,
    )
    return HoldFields(
        id=hold.hold_id,
        wallet_id=hold.wallet_id,
        owner_scope=OwnerScope(hold.owner_scope),
        owner_id=hold.owner_id,
        status="active" if hold.released_at is None else "released",
        **compared,
        created_at=to_text(hold.created_at),
        released_at=optional_text(hold.released_at),
        released_by=hold.released_by,
        note=hold.note,
    )


RECONCILIATION_ROUTES: Final = (
    Route(
        "GET",
        "/v1/admin/reconciliation/ledger",
        Role.ADMIN,
        _reconcile,
        Reconciliation,
        "Rebuild every wallet from its entries; what doesn't match is put on hold",
        query=NoFields,
        dialect=OPERATIONS,
    ),
    Route(
        "GET",
        "/v1/admin/reconciliation/holds",
        Role.ADMIN,
        _list_holds,
        HoldListing,
        "List the holds that mismatches put on wallets",
        query=HoldQuery,
        dialect=OPERATIONS,
    ),
    Route(
        "POST",
        "/v1/admin/reconciliation/holds/<hold_id>/release",
        Role.ADMIN,
        _release,
        HoldAnswer,
        "Release a wallet's hold with a note",
        body=Release,
        dialect=OPERATIONS,
    ),
)
