"""What must hold of settlement at any time (docs/architecture.md, "Decisions").

Every sum that runs along is added up again from rows here, by other means than it was
made: plain SQL, and the hash chain over usage.
"""

from typing import Final

from sqlalchemy import Connection, TextClause, text

from settlekit.digest import SEED, extend
from settlekit_mock.kernel.invariants import MOST, Invariant, Violation, unguarded
from settlekit_mock.kernel.times import to_text
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.settlement.rules.batch_life import INITIAL, STATES, TRANSITIONS
from settlekit_mock.settlement.rules.standing import BUCKETS_BY_STATUS
from settlekit_mock.settlement.rules.timetable import ATTEMPT_INTERVAL_MS, ATTEMPTS_A_RUN
from settlekit_mock.settlement.tables import MOVES, NOTICES, USAGE


def _found(
    connection: Connection, name: str, query: TextClause, **values: object
) -> list[Violation]:
    """Turn rows of (subject, expected, got) into violations."""
    rows = connection.execute(query, values).fetchmany(MOST)
    return [
        Violation(name, str(subject), str(expected), str(got)) for subject, expected, got in rows
    ]


def batch_states_are_known(connection: Connection) -> list[Violation]:
    """Hold every batch to a state of the table."""
    known = {(state.status.value, state.execution_status.value) for state in STATES}
    return [
        Violation("batch_states_are_known", row.settlement_batch_id, "a state of the table", got)
        for row in connection.execute(_STATES)
        if (row.status, row.execution_status) not in known
        and (got := f"{row.status} / {row.execution_status}")
    ][:MOST]


def batch_moves_follow_the_table(connection: Connection) -> list[Violation]:
    """Hold every batch's history to moves of the table, from its first state to the last."""
    legal = {(row.move.value, *_pair(row.source), *_pair(row.target)) for row in TRANSITIONS}
    at: dict[str, tuple[str, str]] = {}
    found: list[Violation] = []
    for batch_id, move, *pair in connection.execute(_HISTORY):
        before = at.get(batch_id, _pair(INITIAL))
        if (move, *pair) not in legal or before != (pair[0], pair[1]):
            name = "batch_moves_follow_the_table"
            found.append(Violation(name, batch_id, f"a move from {before}", f"{move} {pair}"))
        at[batch_id] = (pair[2], pair[3])
    for row in connection.execute(_STATES):
        ended = at.get(row.settlement_batch_id, _pair(INITIAL))
        if ended != (row.status, row.execution_status):
            got = f"{row.status} / {row.execution_status}"
            name = "batch_moves_follow_the_table"
            found.append(Violation(name, row.settlement_batch_id, " / ".join(ended), got))
    return found[:MOST]


def _pair(state: tuple[str, str]) -> tuple[str, str]:
    return str(state[0]), str(state[1])


def runs_have_28_attempts(connection: Connection) -> list[Violation]:
    """Hold a run to 28 attempts, and a batch's counts to its attempts."""
    return [
        *_found(connection, "runs_have_28_attempts", _LONG_RUNS, most=ATTEMPTS_A_RUN),
        *_found(connection, "runs_have_28_attempts", _MISCOUNTED),
    ]


def attempts_are_six_hours_apart(connection: Connection) -> list[Violation]:
    """Hold each attempt of a run to 6 h after the last, or after that one's resolution."""
    return _found(
        connection, "attempts_are_six_hours_apart", _INTERVALS, interval=ATTEMPT_INTERVAL_MS
    )


def attempts_wait_for_the_gate(connection: Connection) -> list[Violation]:
    """Hold attempts back until 72 h after the close, and behind the notice."""
    return _found(connection, "attempts_wait_for_the_gate", _EARLY)


def notices_come_before_ready(connection: Connection) -> list[Violation]:
    """Hold every batch beyond its notice to a final debit notice that was sent."""
    return _found(connection, "notices_come_before_ready", _UNNOTICED)


def providers_get_no_debit_notice(connection: Connection) -> list[Violation]:
    """Hold final debit notices to buyers."""
    return _found(connection, "providers_get_no_debit_notice", _MISSENT)


def batches_settle_once(connection: Connection) -> list[Violation]:
    """Hold a settled batch to one succeeded attempt, a receipt and a time; others to none."""
    return _found(connection, "batches_settle_once", _SETTLEMENTS)


def buyers_are_debited_once(connection: Connection) -> list[Violation]:
    """Hold a settled batch to one posting that pays it out, every other to none."""
    return _found(connection, "buyers_are_debited_once", _DEBITED)


def settled_batches_pay_whom_they_owe(connection: Connection) -> list[Violation]:
    """Hold a settled batch to its gross out of clearing, receivable and fee to their wallets."""
    return _found(connection, "settled_batches_pay_whom_they_owe", _PAID_OUT)


def unknown_outcomes_wait(connection: Connection) -> list[Violation]:
    """Hold back every attempt behind one whose outcome is unknown and unresolved."""
    return _found(connection, "unknown_outcomes_wait", _BLIND)


def clearing_is_empty(connection: Connection) -> list[Violation]:
    """Hold clearing to what is in flight: nothing for a batch that has no debit under way."""
    return _found(connection, "clearing_is_empty", _CLEARING)


def periods_equal_their_usage(connection: Connection) -> list[Violation]:
    """Hold a period's count and amounts to its rows, and its labels' sums to the period's."""
    name = "periods_equal_their_usage"
    return [*_found(connection, name, _PERIOD_SUMS), *_found(connection, name, _LABEL_SUMS)]


def digests_equal_their_usage(connection: Connection) -> list[Violation]:
    """Hold a period's digest to the hash chain over its rows."""
    chains: dict[str, bytes] = {}
    kept: dict[str, bytes] = {}
    for row in connection.execute(_CHAIN):
        kept[row.period_id] = row.digest
        state = chains.get(row.period_id, SEED)
        chains[row.period_id] = extend(
            state,
            metered_usage_id=row.metered_usage_id,
            created_at=to_text(row.created_at),
            provider_gross_amount_minor=wire_minor(row.gross, row.currency),
            protocol_fee_minor=wire_minor(row.fee, row.currency),
        )
    return [
        Violation("digests_equal_their_usage", period_id, digest.hex(), kept[period_id].hex())
        for period_id, digest in chains.items()
        if digest != kept[period_id]
    ][:MOST]


def exposure_equals_its_definition(connection: Connection) -> list[Violation]:
    """Hold a scope's exposure to its open usage and its batches that are still owed."""
    return _found(connection, "exposure_equals_its_definition", _EXPOSURE)


def pauses_equal_their_batches(connection: Connection) -> list[Violation]:
    """Hold a scope's pauses to its failed, retrying and past-due batches."""
    return _found(connection, "pauses_equal_their_batches", _PAUSES)


def reservations_end_once(connection: Connection) -> list[Violation]:
    """Hold what a buyer has reserved to what is owed and not in flight."""
    return _found(connection, "reservations_end_once", _RESERVED)


def buckets_add_up(connection: Connection) -> list[Violation]:
    """Hold a provider's buckets to the receivable of its batches."""
    expected: dict[tuple[str, str, str, str], int] = {}
    for provider, currency, band, status, units in connection.execute(_RECEIVABLE):
        key = (str(provider), currency, band, BUCKETS_BY_STATUS[status].value)
        expected[key] = expected.get(key, 0) + units
    kept = {
        (str(provider), currency, band, bucket): units
        for provider, currency, band, bucket, units in connection.execute(_TOTALS)
    }
    return [
        Violation("buckets_add_up", " ".join(key), str(expected.get(key, 0)), str(kept.get(key, 0)))
        for key in sorted(expected.keys() | kept.keys())
        if expected.get(key, 0) != kept.get(key, 0)
    ][:MOST]


def usage_never_changes(connection: Connection) -> list[Violation]:
    """Hold the guards of usage, notices and moves in place."""
    return unguarded(connection, "usage_never_changes", USAGE, NOTICES, MOVES)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    batch_states_are_known,
    batch_moves_follow_the_table,
    runs_have_28_attempts,
    attempts_are_six_hours_apart,
    attempts_wait_for_the_gate,
    notices_come_before_ready,
    providers_get_no_debit_notice,
    batches_settle_once,
    buyers_are_debited_once,
    settled_batches_pay_whom_they_owe,
    unknown_outcomes_wait,
    clearing_is_empty,
    periods_equal_their_usage,
    digests_equal_their_usage,
    exposure_equals_its_definition,
    pauses_equal_their_batches,
    reservations_end_once,
    buckets_add_up,
    usage_never_changes,
)

_STATES = text("SELECT settlement_batch_id, status, execution_status FROM batches")
_HISTORY = text(
    "SELECT b.settlement_batch_id, m.move, m.from_status, m.from_execution_status, "
    "m.to_status, m.to_execution_status FROM batch_moves m "
    "JOIN batches b ON b.batch_number = m.batch_number ORDER BY m.move_number"
)
_LONG_RUNS = text(
    "SELECT b.settlement_batch_id, 'at most 28 attempts a run', a.run_ordinal FROM attempts a "
    "JOIN batches b ON b.batch_number = a.batch_number WHERE a.run_ordinal > :most"
)
_MISCOUNTED = text(
    "SELECT b.settlement_batch_id, b.attempt_count, COUNT(a.ordinal) FROM batches b "
    "LEFT JOIN attempts a ON a.batch_number = b.batch_number "
    "GROUP BY b.batch_number, b.settlement_batch_id, b.attempt_count "
    "HAVING COUNT(a.ordinal) <> b.attempt_count OR COALESCE(MAX(a.ordinal), 0) <> b.attempt_count"
)
_INTERVALS = text(
    "SELECT b.settlement_batch_id || ' attempt ' || a.ordinal, "
    "CASE WHEN p.outcome = 'failed' AND p.expected = 'unknown' THEN p.resolved_at "
    "ELSE p.submitted_at END + :interval, a.submitted_at FROM attempts a "
    "JOIN attempts p ON p.batch_number = a.batch_number AND p.ordinal = a.ordinal - 1 "
    "JOIN batches b ON b.batch_number = a.batch_number "
    "WHERE a.run_ordinal > 1 AND a.submitted_at <> :interval + "
    "CASE WHEN p.outcome = 'failed' AND p.expected = 'unknown' THEN p.resolved_at "
    "ELSE p.submitted_at END"
)
_EARLY = text(
    "SELECT b.settlement_batch_id || ' attempt ' || a.ordinal, b.not_before_attempt_at, "
    "a.submitted_at FROM attempts a JOIN batches b ON b.batch_number = a.batch_number "
    "JOIN periods p ON p.period_number = b.period_number "
    "WHERE a.submitted_at < b.not_before_attempt_at OR b.noticed_at IS NULL "
    "OR a.submitted_at < b.noticed_at OR a.submitted_at < p.close_at + 259200000"
)
_UNNOTICED = text(
    "SELECT b.settlement_batch_id, 'a final debit notice', COUNT(n.notice_number) FROM batches b "
    "LEFT JOIN notices n ON n.period_number = b.period_number AND n.kind = 'final_debit' "
    "WHERE b.status NOT IN ('notice_pending', 'notice_delivery_failed') "
    "GROUP BY b.batch_number, b.settlement_batch_id, b.noticed_at "
    "HAVING COUNT(n.notice_number) <> 1 OR b.noticed_at IS NULL OR MIN(n.sent_at) <> b.noticed_at"
)
_MISSENT = text(
    "SELECT notice_id, 'buyer', audience FROM notices "
    "WHERE kind = 'final_debit' AND audience <> 'buyer'"
)
_SETTLEMENTS = text(
    "SELECT b.settlement_batch_id, b.status, 'settlements: ' || COUNT(a.ordinal) FROM batches b "
    "LEFT JOIN attempts a ON a.batch_number = b.batch_number AND a.outcome = 'succeeded' "
    "GROUP BY b.batch_number, b.settlement_batch_id, b.status, b.chain_receipt_id, b.settled_at "
    "HAVING (b.status = 'settled') <> (COUNT(a.ordinal) = 1) OR COUNT(a.ordinal) > 1 "
    "OR (b.status = 'settled') <> (b.chain_receipt_id IS NOT NULL) "
    "OR (b.status = 'settled') <> (b.settled_at IS NOT NULL)"
)
_DEBITED = text(
    "SELECT b.settlement_batch_id, CASE WHEN b.status = 'settled' THEN 1 ELSE 0 END, "
    "COUNT(t.transaction_number) FROM batches b "
    "LEFT JOIN ledger_transactions t ON t.subject = b.settlement_batch_id AND t.reason = 'batch_settled' "
    "GROUP BY b.batch_number, b.settlement_batch_id, b.status "
    "HAVING COUNT(t.transaction_number) <> CASE WHEN b.status = 'settled' THEN 1 ELSE 0 END"
)
_OUT = "SUM(CASE WHEN a.kind = 'clearing' AND a.owner_id = t.subject THEN -e.amount ELSE 0 END)"
_RECEIVED = (
    "SUM(CASE WHEN a.owner_scope = 'developer' AND a.owner_id = v.provider_id "
    "THEN e.amount ELSE 0 END)"
)
_FEE = "SUM(CASE WHEN a.owner_scope = 'platform' THEN e.amount ELSE 0 END)"
# Where there are two postings, it is ``buyers_are_debited_once`` that objects.
_PAID_OUT = text(
    "SELECT t.subject, p.gross || ': ' || (p.gross - p.fee) || ' and ' || p.fee, "  # noqa: S608
    f"{_OUT} || ': ' || {_RECEIVED} || ' and ' || {_FEE} FROM batches b "
    "JOIN periods p ON p.period_number = b.period_number "
    "JOIN providers v ON v.provider_number = p.provider_number "
    "JOIN ledger_transactions t ON t.subject = b.settlement_batch_id AND t.reason = 'batch_settled' "
    "JOIN ledger_entries e ON e.transaction_number = t.transaction_number "
    "JOIN ledger_accounts a ON a.account_number = e.account_number "
    "GROUP BY t.subject, p.gross, p.fee HAVING COUNT(DISTINCT t.transaction_number) = 1 "
    f"AND ({_OUT} <> p.gross OR {_RECEIVED} <> p.gross - p.fee OR {_FEE} <> p.fee)"
)
_BLIND = text(
    "SELECT b.settlement_batch_id || ' attempt ' || a.ordinal, 'a resolution first', 'none' "
    "FROM attempts a "
    "JOIN attempts p ON p.batch_number = a.batch_number AND p.ordinal = a.ordinal - 1 "
    "JOIN batches b ON b.batch_number = a.batch_number WHERE p.resolved_at IS NULL"
)
_CLEARING = text(
    "SELECT c.owner_id, CASE WHEN b.status = 'submitted' THEN a.in_flight ELSE 0 END, c.balance "
    "FROM ledger_accounts c JOIN batches b ON b.settlement_batch_id = c.owner_id "
    "LEFT JOIN attempts a ON a.batch_number = b.batch_number AND a.ordinal = b.attempt_count "
    "WHERE c.kind = 'clearing' "
    "AND c.balance <> CASE WHEN b.status = 'submitted' THEN a.in_flight ELSE 0 END"
)
_PERIOD_SUMS = text(
    "SELECT p.period_id, 'count ' || COUNT(u.usage_number) || ' gross ' "
    "|| COALESCE(SUM(u.gross), 0) || ' fee ' || COALESCE(SUM(u.fee), 0), "
    "'count ' || p.usage_count || ' gross ' || p.gross || ' fee ' || p.fee FROM periods p "
    "LEFT JOIN usage u ON u.period_number = p.period_number "
    "GROUP BY p.period_number, p.period_id, p.usage_count, p.gross, p.fee "
    "HAVING COUNT(u.usage_number) <> p.usage_count OR COALESCE(SUM(u.gross), 0) <> p.gross "
    "OR COALESCE(SUM(u.fee), 0) <> p.fee"
)
_LABEL_SUMS = text(
    "SELECT p.period_id, 'gross ' || p.gross, 'labels ' || COALESCE(SUM(l.gross), 0) "
    "FROM periods p LEFT JOIN period_labels l ON l.period_number = p.period_number "
    "GROUP BY p.period_number, p.period_id, p.usage_count, p.gross, p.fee "
    "HAVING COALESCE(SUM(l.usage_count), 0) <> p.usage_count "
    "OR COALESCE(SUM(l.gross), 0) <> p.gross OR COALESCE(SUM(l.fee), 0) <> p.fee"
)
_CHAIN = text(
    "SELECT p.period_id, p.digest, p.currency, u.metered_usage_id, u.created_at, u.gross, u.fee "
    "FROM usage u JOIN periods p ON p.period_number = u.period_number ORDER BY u.usage_number"
)
_EXPOSURE = text(
    "SELECT s.scope_number, COALESCE(SUM(p.gross), 0), s.exposure FROM scopes s "
    "LEFT JOIN (SELECT p.scope_number, p.gross FROM periods p "
    "LEFT JOIN batches b ON b.period_number = p.period_number "
    "WHERE b.status IS NULL OR b.status NOT IN ('settled', 'uncollectible', 'written_off')) p ON p.scope_number = s.scope_number "
    "GROUP BY s.scope_number, s.exposure HAVING COALESCE(SUM(p.gross), 0) <> s.exposure"
)
_PAUSES = text(
    "SELECT s.scope_number, COUNT(b.batch_number), s.paused_batches FROM scopes s "
    "LEFT JOIN batches b ON b.scope_number = s.scope_number "
    "AND b.execution_status IN ('failed_retryable', 'retrying', 'past_due') "
    "GROUP BY s.scope_number, s.paused_batches HAVING COUNT(b.batch_number) <> s.paused_batches"
)
_RESERVED = text(
    "SELECT u.buyer_id || ' ' || f.currency, COALESCE(SUM(o.owed), 0), f.reserved FROM funds f "
    "JOIN buyers u ON u.buyer_number = f.buyer_number "
    "LEFT JOIN (SELECT p.buyer_number, p.currency, "
    "p.gross - CASE WHEN b.status = 'submitted' THEN a.in_flight ELSE 0 END AS owed "
    "FROM periods p LEFT JOIN batches b ON b.period_number = p.period_number "
    "LEFT JOIN attempts a ON a.batch_number = b.batch_number AND a.ordinal = b.attempt_count "
    "WHERE b.status IS NULL OR b.status NOT IN ('settled', 'uncollectible', 'written_off')) o "
    "ON o.buyer_number = f.buyer_number AND o.currency = f.currency "
    "GROUP BY u.buyer_id, f.currency, f.reserved HAVING COALESCE(SUM(o.owed), 0) <> f.reserved"
)
_RECEIVABLE = text(
    "SELECT b.provider_number, p.currency, p.band, b.status, SUM(p.gross - p.fee) FROM batches b "
    "JOIN periods p ON p.period_number = b.period_number "
    "GROUP BY b.provider_number, p.currency, p.band, b.status"
)
_TOTALS = text("SELECT provider_number, currency, band, bucket, receivable FROM provider_totals")
