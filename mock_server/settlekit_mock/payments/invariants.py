"""What must hold of requirements, their receipts, checkout sessions and what was told of them."""

from typing import Final

from sqlalchemy import Connection, TextClause, text

from settlekit.challenge import challenge_hash
from settlekit_mock.kernel.invariants import MOST, Invariant, Violation, unguarded
from settlekit_mock.payments.requirements_tables import RECEIPTS


def _found(connection: Connection, name: str, *queries: TextClause) -> list[Violation]:
    """Turn rows of (subject, expected, got) into violations."""
    return [
        Violation(name, str(subject), str(expected), str(got))
        for query in queries
        for subject, expected, got in connection.execute(query).fetchmany(MOST)
    ][:MOST]


def challenges_are_used_once(connection: Connection) -> list[Violation]:
    """Hold a requirement's hash to its challenge: it is unique, so no challenge pays twice."""
    name = "challenges_are_used_once"
    return [
        Violation(name, requirement_id, expected, hashed)
        for requirement_id, challenge, hashed in connection.execute(_CHALLENGES)
        if (expected := challenge_hash(challenge)) != hashed
    ][:MOST]


def requirements_keep_step(connection: Connection) -> list[Violation]:
    """Hold a requirement's status to its steps: paid or not, consumed after it was paid."""
    return _found(connection, "requirements_keep_step", _STEPS)


def waiting_payments_end_in_time(connection: Connection) -> list[Violation]:
    """Hold every unpaid requirement and open session to one end, due at its expiry."""
    return _found(connection, "waiting_payments_end_in_time", _REQUIREMENT_ENDS, _SESSION_ENDS)


def standard_payments_move_once(connection: Connection) -> list[Violation]:
    """Hold a paid standard requirement to one debit of its amount, every debit to one of them."""
    return _found(connection, "standard_payments_move_once", _DEBITS, _STRAY_DEBITS)


def metered_payments_accrue_once(connection: Connection) -> list[Violation]:
    """Hold a paid metered requirement to one usage event of its amount, which is its alone."""
    return _found(connection, "metered_payments_accrue_once", _ACCRUED, _SHARED_USAGE)


def sessions_are_paid_once(connection: Connection) -> list[Violation]:
    """Hold a paid session to one requirement of its own terms, an unpaid one to none."""
    return _found(connection, "sessions_are_paid_once", _UNPAID_SESSIONS, _PAID_SESSIONS)


def receipts_belong_to_one_payment(connection: Connection) -> list[Violation]:
    """Hold a chain receipt to one payment, allowance or batch, and a receipt to its payment."""
    name = "receipts_belong_to_one_payment"
    return _found(connection, name, _SHARED_RECEIPTS, _FOREIGN_RECEIPTS)


def receipts_never_change(connection: Connection) -> list[Violation]:
    """Hold the guards of receipts in place."""
    return unguarded(connection, "receipts_never_change", RECEIPTS)


def payments_are_told_once(connection: Connection) -> list[Violation]:
    """Hold what merchants were told of payments to what became of them, each step once."""
    name = "payments_are_told_once"
    return _found(connection, name, _TOLD_CONFIRMED, _TOLD_SPENT, _TOLD_OF_NOTHING)


def settlements_are_told_once(connection: Connection) -> list[Violation]:
    """Hold what providers were told of batches to those that have settled, each once."""
    return _found(connection, "settlements_are_told_once", _TOLD_SETTLED)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    challenges_are_used_once,
    requirements_keep_step,
    waiting_payments_end_in_time,
    standard_payments_move_once,
    metered_payments_accrue_once,
    sessions_are_paid_once,
    receipts_belong_to_one_payment,
    receipts_never_change,
    payments_are_told_once,
    settlements_are_told_once,
)

_CHALLENGES = text("SELECT requirement_id, challenge, challenge_hash FROM requirements")
_STEPS = text(
    "SELECT requirement_id, status, COALESCE(chain_receipt_id, metered_usage_id, 'unpaid') "
    "FROM requirements WHERE CASE "
    "WHEN status IN ('requires_payment', 'expired', 'failed') THEN confirmed_at IS NULL "
    "AND spent_at IS NULL AND chain_receipt_id IS NULL AND metered_usage_id IS NULL "
    "WHEN status IN ('confirmed', 'spent') THEN confirmed_at IS NOT NULL "
    "AND (status = 'spent') = (spent_at IS NOT NULL) "
    "AND COALESCE(spent_at, confirmed_at) >= confirmed_at "
    "AND (pricing_band = 'standard') = (chain_receipt_id IS NOT NULL) "
    "AND (pricing_band = 'standard') = (metered_usage_id IS NULL) "
    "AND (status = 'spent' OR pricing_band = 'standard') "
    "ELSE FALSE END = FALSE"
)


def _ends(table: str, key: str, kind: str, waiting: str) -> TextClause:
    # Names are this module's own.
    return text(
        f"SELECT w.{key}, CASE WHEN w.status IN ({waiting}) THEN 'due at ' || w.expires_at "  # noqa: S608
        "ELSE 'none' END, COUNT(d.at) || ' due at ' || COALESCE(MIN(d.at), 0) "
        f"FROM {table} w LEFT JOIN due d ON d.subject = w.{key} AND d.kind = '{kind}' "
        f"GROUP BY w.{key}, w.status, w.expires_at "
        f"HAVING COUNT(d.at) <> CASE WHEN w.status IN ({waiting}) THEN 1 ELSE 0 END "
        "OR MIN(d.at) <> w.expires_at"
    )


_REQUIREMENT_ENDS = _ends(
    "requirements", "requirement_id", "requirement.expire", "'requires_payment'"
)
_SESSION_ENDS = _ends(
    "checkout_sessions", "session_id", "checkout.expire", "'open', 'authenticated'"
)
_GROSS = "r.amount_minor * CASE r.currency WHEN 'JPY' THEN 100000000 ELSE 1000000 END"
_IS_PAID = "r.status IN ('confirmed', 'spent')"
_MOVES = f"CASE WHEN r.pricing_band = 'standard' AND {_IS_PAID} THEN {_GROSS} ELSE 0 END"
_DEBITS = text(
    f"SELECT r.requirement_id, {_MOVES}, COALESCE(-SUM(e.amount), 0) FROM requirements r "  # noqa: S608
    "LEFT JOIN ledger_transactions t ON t.subject = r.requirement_id "
    "AND t.reason = 'direct_payment' "
    "LEFT JOIN ledger_entries e ON e.transaction_number = t.transaction_number AND e.amount < 0 "
    "GROUP BY r.requirement_id, r.status, r.pricing_band, r.amount_minor, r.currency "
    f"HAVING COALESCE(-SUM(e.amount), 0) <> {_MOVES}"
)
_STRAY_DEBITS = text(
    "SELECT t.transaction_id, 'a requirement', t.subject FROM ledger_transactions t "
    "LEFT JOIN requirements r ON r.requirement_id = t.subject "
    "WHERE t.reason = 'direct_payment' AND r.requirement_id IS NULL"
)
_ACCRUED = text(
    f"SELECT r.requirement_id, {_GROSS}, COALESCE(u.gross, 0) FROM requirements r "  # noqa: S608
    "LEFT JOIN usage u ON u.metered_usage_id = r.metered_usage_id "
    f"WHERE r.metered_usage_id IS NOT NULL AND COALESCE(u.gross, 0) <> {_GROSS}"
)
_SHARED_USAGE = text(
    "SELECT metered_usage_id, 'one requirement', COUNT(requirement_id) FROM requirements "
    "WHERE metered_usage_id IS NOT NULL GROUP BY metered_usage_id HAVING COUNT(requirement_id) > 1"
)
_UNPAID_SESSIONS = text(
    "SELECT session_id, status, COALESCE(requirement_id, 'no requirement') FROM checkout_sessions "
    "WHERE (status = 'paid') <> (requirement_id IS NOT NULL) "
    "OR (status = 'paid') <> (paid_at IS NOT NULL) "
    "OR (status = 'paid') <> (confirmed_event_id IS NOT NULL)"
)
_PAID_SESSIONS = text(
    "SELECT s.session_id, s.challenge_hash || ' ' || s.amount_minor || ' ' || s.currency, "
    "r.requirement_id || ' ' || r.status FROM checkout_sessions s "
    "LEFT JOIN requirements r ON r.requirement_id = s.requirement_id "
    "WHERE s.status = 'paid' AND s.requirement_id IS NOT NULL AND (r.requirement_id IS NULL "
    "OR r.challenge_hash <> s.challenge_hash OR r.buyer_id <> s.buyer_id "
    "OR r.amount_minor <> s.amount_minor OR r.currency <> s.currency "
    "OR r.merchant_number <> s.merchant_number OR r.confirmed_at <> s.paid_at "
    "OR r.confirmed_event_id <> s.confirmed_event_id "
    "OR COALESCE(r.chain_receipt_id, '') <> COALESCE(s.chain_receipt_id, ''))"
)
_SHARED_RECEIPTS = text(
    "SELECT c.receipt, 'one payment', COUNT(*) FROM ("
    "SELECT chain_receipt_id AS receipt FROM requirements UNION ALL "
    "SELECT chain_receipt_id FROM payment_receipts "
    "WHERE receipt_kind <> 'sdrp_direct_payment' UNION ALL "
    "SELECT chain_receipt_id FROM batches) c "
    "WHERE c.receipt IS NOT NULL GROUP BY c.receipt HAVING COUNT(*) > 1"
)
_FOREIGN_RECEIPTS = text(
    "SELECT p.receipt_id, COALESCE(r.chain_receipt_id, 'none'), "
    "COALESCE(p.chain_receipt_id, 'none') FROM payment_receipts p "
    "LEFT JOIN requirements r ON r.requirement_id = p.requirement_id "
    "WHERE CASE WHEN p.receipt_kind = 'sdrp_direct_payment' THEN COALESCE(r.confirmed_at, 0) = p.created_at "
    "AND COALESCE(r.chain_receipt_id, '') = COALESCE(p.chain_receipt_id, '') "
    "ELSE p.chain_receipt_id IS NOT NULL END = FALSE OR r.requirement_id IS NULL"
)


def _told(event_type: str, column: str, told: str) -> TextClause:
    # Names are this module's own.
    return text(
        f"SELECT r.requirement_id, CASE WHEN {told} THEN '{event_type} once' ELSE 'none' END, "  # noqa: S608
        "COUNT(e.event_id) FROM requirements r "
        f"LEFT JOIN webhook_events e ON e.about = r.requirement_id "
        f"AND e.event_type = '{event_type}' "
        f"GROUP BY r.requirement_id, r.status, r.{column} "
        f"HAVING COUNT(e.event_id) <> CASE WHEN {told} THEN 1 ELSE 0 END "
        f"OR COALESCE(MIN(e.event_id), '') <> COALESCE(r.{column}, '')"
    )


_TOLD_CONFIRMED = _told("direct_payment.confirmed", "confirmed_event_id", _IS_PAID)
_TOLD_SPENT = _told("direct_payment.spent", "spent_event_id", "r.status = 'spent'")
_TOLD_OF_NOTHING = text(
    "SELECT e.event_id, 'a payment or a batch', e.about FROM webhook_events e "
    "LEFT JOIN requirements r ON r.requirement_id = e.about "
    "LEFT JOIN batches b ON b.settlement_batch_id = e.about "
    "WHERE e.about IS NOT NULL AND r.requirement_id IS NULL AND b.batch_number IS NULL"
)
_TOLD_SETTLED = text(
    "SELECT b.settlement_batch_id, CASE WHEN b.status = 'settled' THEN 'once' ELSE 'never' END, "
    "COUNT(e.event_id) FROM batches b "
    "LEFT JOIN webhook_events e ON e.about = b.settlement_batch_id "
    "GROUP BY b.batch_number, b.settlement_batch_id, b.status "
    "HAVING COUNT(e.event_id) <> CASE WHEN b.status = 'settled' THEN 1 ELSE 0 END"
)
