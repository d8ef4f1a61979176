"""What must hold of paid capabilities and base fees: a key charges once, a fee is paid once."""

from typing import Final

from sqlalchemy import Connection, TextClause, text

from settlekit_mock.kernel.invariants import MOST, Invariant, Violation


def _found(connection: Connection, name: str, query: TextClause) -> list[Violation]:
    """Turn rows of (subject, expected, got) into violations."""
    rows = connection.execute(query).fetchmany(MOST)
    return [
        Violation(name, str(subject), str(expected), str(got)) for subject, expected, got in rows
    ]


def charged_keys_keep_their_answer(connection: Connection) -> list[Violation]:
    """Hold a key to an answer that stands where it charged, and to none where it didn't."""
    return _found(connection, "charged_keys_keep_their_answer", _ANSWERS)


def executions_are_paid_once(connection: Connection) -> list[Violation]:
    """Hold a key that charged to one metered payment of its own buyer and merchant."""
    return _found(connection, "executions_are_paid_once", _PAYMENTS)


def base_fees_are_posted_once(connection: Connection) -> list[Violation]:
    """Hold a paid base fee to one posting of its amount, an unpaid one to none."""
    return _found(connection, "base_fees_are_posted_once", _POSTINGS)


def unpaid_base_fees_are_due(connection: Connection) -> list[Violation]:
    """Hold an unpaid base fee to one more try, and one that ended to none."""
    return _found(connection, "unpaid_base_fees_are_due", _TRIES)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    charged_keys_keep_their_answer,
    executions_are_paid_once,
    base_fees_are_posted_once,
    unpaid_base_fees_are_due,
)

_ANSWERS = text(
    "SELECT execution_id, COALESCE(requirement_id, 'no answer'), "
    "CASE WHEN answer IS NULL THEN 'no answer' ELSE 'an answer' END FROM capability_executions "
    "WHERE (requirement_id IS NULL) <> (answer IS NULL) OR attempt_count < 1"
)
_PAYMENTS = text(
    "SELECT x.execution_id, x.buyer_id || ', metered', "
    "COALESCE(r.buyer_id || ', ' || r.pricing_band, 'no payment') "
    "FROM capability_executions x LEFT JOIN requirements r ON r.requirement_id = x.requirement_id "
    "WHERE x.requirement_id IS NOT NULL AND (r.requirement_id IS NULL "
    "OR r.buyer_id <> x.buyer_id OR r.merchant_number <> x.merchant_number "
    "OR r.metered_usage_id IS NULL)"
)
_OWED = (
    "CASE WHEN f.status <> 'paid' THEN 0 "
    "WHEN f.currency = 'JPY' THEN f.amount_minor * 100000000 ELSE f.amount_minor * 1000000 END"
)
_POSTINGS = text(
    f"SELECT f.base_fee_id, {_OWED}, COALESCE(-SUM(e.amount), 0) FROM base_fees f "  # noqa: S608
    "LEFT JOIN ledger_transactions t ON t.subject = f.base_fee_id "
    "LEFT JOIN ledger_entries e ON e.transaction_number = t.transaction_number AND e.amount < 0 "
    "GROUP BY f.base_fee_id, f.status, f.currency, f.amount_minor "
    f"HAVING COALESCE(-SUM(e.amount), 0) <> {_OWED}"
)
_TRIES = text(
    "SELECT f.base_fee_id, CASE WHEN f.status = 'unpaid' THEN 'one more try' ELSE 'none' END, "
    "COUNT(d.at) FROM base_fees f "
    "LEFT JOIN due d ON d.subject = f.base_fee_id AND d.kind = 'billing.retry' "
    "GROUP BY f.base_fee_id, f.status "
    "HAVING COUNT(d.at) <> CASE WHEN f.status = 'unpaid' THEN 1 ELSE 0 END"
)
