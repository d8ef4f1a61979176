"""What must hold of an operator's review: steps, wallets, holds, and a trace of every move."""

from typing import Final

from sqlalchemy import Connection, TextClause, text

from settlekit_mock.kernel.invariants import (
    MOST,
    Invariant,
    Violation,
    no_amounts,
    strange_amounts,
)
from settlekit_mock.operations.billing_tables import PAYMENT_EVENTS, TOP_UPS
from settlekit_mock.operations.tables import ADJUSTMENTS, HOLDS, PAYOUTS
from settlekit_mock.operations.usage_tables import USAGE_RECORDS


def _found(connection: Connection, name: str, *queries: TextClause) -> list[Violation]:
    """Turn rows of (subject, expected, got) into violations."""
    return [
        Violation(name, str(subject), str(expected), str(got))
        for query in queries
        for subject, expected, got in connection.execute(query).fetchmany(MOST)
    ][:MOST]


def payouts_keep_step(connection: Connection) -> list[Violation]:
    """Hold a payout's status to one of the table, and to the times and ids that go with it."""
    return _found(connection, "payouts_keep_step", _STEPS)


def payouts_leave_their_own_wallet(connection: Connection) -> list[Violation]:
    """Hold a payout to its developer's wallet in its currency."""
    return _found(connection, "payouts_leave_their_own_wallet", _WALLETS)


def holds_stop_payouts(connection: Connection) -> list[Violation]:
    """Hold payouts of a wallet on hold from being approved or paid until it was released."""
    return _found(connection, "holds_stop_payouts", _PASSED_HOLDS)


def holds_are_audited(connection: Connection) -> list[Violation]:
    """Hold every hold to an audit entry for its placing, and one for its release if it was."""
    return _found(connection, "holds_are_audited", _HOLDS)


def holds_are_active_once(connection: Connection) -> list[Violation]:
    """Hold a wallet to one active hold."""
    return _found(connection, "holds_are_active_once", _HELD_TWICE)


def credits_and_overrides_are_audited(connection: Connection) -> list[Violation]:
    """Hold every test credit and every balance that was set to an audit entry."""
    return _found(connection, "credits_and_overrides_are_audited", _UNAUDITED)


def uses_are_audited(connection: Connection) -> list[Violation]:
    """Hold every recorded use to one audit entry."""
    return _found(connection, "uses_are_audited", _UNAUDITED_USES)


def amounts_of_acts_are_canonical(connection: Connection) -> list[Violation]:
    """Hold the amounts of payouts, adjustments, payments, uses and holds to 63-bit integers."""
    return strange_amounts(connection, "amounts_of_acts_are_canonical", _STRANGE)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    payouts_keep_step,
    payouts_leave_their_own_wallet,
    holds_stop_payouts,
    holds_are_audited,
    holds_are_active_once,
    credits_and_overrides_are_audited,
    uses_are_audited,
    amounts_of_acts_are_canonical,
)

_STEPS = text(
    "SELECT payout_id, status, 'approved at ' || COALESCE(CAST(approved_at AS TEXT), 'never') "
    "|| ', paid at ' || COALESCE(CAST(paid_at AS TEXT), 'never') "
    "|| ' as ' || COALESCE(provider_payout_id, 'nothing') FROM payouts "
    "WHERE status NOT IN ('pending', 'processing', 'paid', 'failed', 'cancelled') "
    "OR (status = 'paid') <> (paid_at IS NOT NULL) "
    "OR (status = 'paid') <> (provider_payout_id IS NOT NULL) "
    "OR (status IN ('pending', 'cancelled') AND approved_at IS NOT NULL) "
    "OR updated_at < created_at OR paid_at <> updated_at"
)
_WALLETS = text(
    "SELECT p.payout_id, p.developer_id || ' ' || p.currency, "
    "COALESCE(w.owner_scope || ' ' || w.owner_id || ' ' || w.currency, 'no wallet') FROM payouts p "
    "LEFT JOIN ledger_accounts w ON w.account_number = p.wallet_number "
    "WHERE COALESCE(w.kind, '') <> 'wallet' OR w.owner_scope <> 'developer' "
    "OR w.owner_id <> p.developer_id OR w.currency <> p.currency"
)
# By the order of the log, for a frozen clock gives them all the same time.
_PASSED_HOLDS = text(
    "SELECT p.payout_id, 'no ' || step.action || ' while ' || h.hold_id || ' stood', "
    "step.audit_id FROM reconciliation_holds h "
    "JOIN audit placed ON placed.resource = h.hold_id AND placed.action = 'hold.placed' "
    "LEFT JOIN audit ended ON ended.resource = h.hold_id AND ended.action = 'hold.released' "
    "JOIN payouts p ON p.wallet_number = h.wallet_number "
    "JOIN audit step ON step.resource = p.payout_id "
    "AND step.action IN ('payout.processing', 'payout.paid') "
    "WHERE (ended.audit_number IS NOT NULL OR h.released_at IS NULL) "
    "AND step.audit_number > placed.audit_number "
    "AND step.audit_number < COALESCE(ended.audit_number, step.audit_number + 1)"
)
_RELEASED = "CASE WHEN h.released_at IS NULL THEN 0 ELSE 1 END"
_TOLD = "COALESCE(SUM(CASE WHEN a.action = 'hold.{}' THEN 1 ELSE 0 END), 0)"
_HOLDS = text(
    f"SELECT h.hold_id, '1 ' || {_RELEASED}, {_TOLD.format('placed')} || ' ' || "  # noqa: S608
    f"{_TOLD.format('released')} FROM reconciliation_holds h "
    "LEFT JOIN audit a ON a.resource = h.hold_id GROUP BY h.hold_id, h.released_at "
    f"HAVING {_TOLD.format('placed')} <> 1 OR {_TOLD.format('released')} <> {_RELEASED}"
)
_HELD_TWICE = text(
    "SELECT w.account_id, 1, COUNT(*) FROM reconciliation_holds h "
    "JOIN ledger_accounts w ON w.account_number = h.wallet_number "
    "WHERE h.released_at IS NULL GROUP BY w.account_id HAVING COUNT(*) > 1"
)
# Setting a balance to what it is moves nothing, and is told all the same.
_UNAUDITED = text(
    "SELECT p.subject, p.moved, p.told FROM (SELECT t.subject, t.reason, COUNT(*) AS moved, "
    "(SELECT COUNT(*) FROM audit a WHERE a.resource = t.subject AND a.action = CASE t.reason "
    "WHEN 'balance_adjust' THEN 'balance.adjusted' ELSE 'wallet.test_balance_credited' END) "
    "AS told FROM ledger_transactions t "
    "WHERE t.reason IN ('balance_adjust', 'admin_test_balance_credit') "
    "GROUP BY t.subject, t.reason) p "
    "WHERE p.moved > p.told OR (p.reason <> 'balance_adjust' AND p.moved <> p.told)"
)
_UNAUDITED_USES = text(
    "SELECT u.request_id, 1, COUNT(a.audit_number) FROM usage_records u "
    "LEFT JOIN audit a ON a.resource = u.request_id AND a.action = 'usage.recorded' "
    "GROUP BY u.request_id HAVING COUNT(a.audit_number) <> 1"
)
_STRANGE: Final = no_amounts(
    PAYOUTS.c.amount,
    ADJUSTMENTS.c.amount,
    PAYMENT_EVENTS.c.amount_cents,
    TOP_UPS.c.amount_cents,
    USAGE_RECORDS.c.upstream,
    USAGE_RECORDS.c.retail,
    USAGE_RECORDS.c.channel,
    USAGE_RECORDS.c.platform,
    HOLDS.c.wallet_balance,
    HOLDS.c.ledger_balance,
)
