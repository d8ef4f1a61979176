"""What must hold of recurring payments at any time, added up again from rows."""

from typing import Final

from sqlalchemy import Connection, TextClause, text

from settlekit_mock.kernel.invariants import MOST, Invariant, Violation, unguarded
from settlekit_mock.recurring.key_invariants import INVARIANTS as KEY_INVARIANTS
from settlekit_mock.recurring.tables import RUNS, SUBSCRIPTION_CHARGES


def _found(connection: Connection, name: str, query: TextClause) -> list[Violation]:
    """Turn rows of (subject, expected, got) into violations."""
    rows = connection.execute(query).fetchmany(MOST)
    return [
        Violation(name, str(subject), str(expected), str(got)) for subject, expected, got in rows
    ]


def subscriptions_equal_their_charges(connection: Connection) -> list[Violation]:
    """Hold every subscription to one charge a month, none left out."""
    return _found(connection, "subscriptions_equal_their_charges", _CHARGES)


def authorizations_equal_their_runs(connection: Connection) -> list[Violation]:
    """Hold every authorization to the runs it counted, numbered without a gap."""
    return _found(connection, "authorizations_equal_their_runs", _RUNS)


def runs_stay_within_their_number(connection: Connection) -> list[Violation]:
    """Hold every authorization to the runs its buyer approved; used up, it says so."""
    return _found(connection, "runs_stay_within_their_number", _MOST)


def recurring_charges_are_payments(connection: Connection) -> list[Violation]:
    """Hold every charge and run to a payment of its own buyer, merchant and amount."""
    return _found(connection, "recurring_charges_are_payments", _PAYMENTS)


def what_recurs_is_due(connection: Connection) -> list[Violation]:
    """Hold a subscription that goes on to its next charge, an authorization that ends to its end."""
    return [
        *_found(connection, "what_recurs_is_due", _NEXT_CHARGES),
        *_found(connection, "what_recurs_is_due", _ENDS),
    ][:MOST]


def recurring_charges_never_change(connection: Connection) -> list[Violation]:
    """Hold the database to refusing changes of what was charged."""
    return unguarded(connection, "recurring_charges_never_change", SUBSCRIPTION_CHARGES, RUNS)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    subscriptions_equal_their_charges,
    authorizations_equal_their_runs,
    runs_stay_within_their_number,
    recurring_charges_are_payments,
    what_recurs_is_due,
    recurring_charges_never_change,
    *KEY_INVARIANTS,
)

_CHARGES = text(
    "SELECT s.subscription_id, s.charge_count || ' up to ' || s.charge_count, "
    "COUNT(c.charge_number) || ' up to ' || COALESCE(MAX(c.ordinal), 0) "
    "FROM payment_subscriptions s "
    "LEFT JOIN subscription_charges c ON c.subscription_number = s.subscription_number "
    "GROUP BY s.subscription_number, s.subscription_id, s.charge_count "
    "HAVING COUNT(c.charge_number) <> s.charge_count "
    "OR COALESCE(MAX(c.ordinal), 0) <> s.charge_count"
)
_RUNS = text(
    "SELECT a.authorization_id, a.run_count || ' up to ' || a.run_count, "
    "COUNT(r.run_number) || ' up to ' || COALESCE(MAX(r.ordinal), 0) "
    "FROM scheduled_authorizations a "
    "LEFT JOIN scheduled_runs r ON r.authorization_number = a.authorization_number "
    "GROUP BY a.authorization_number, a.authorization_id, a.run_count "
    "HAVING COUNT(r.run_number) <> a.run_count OR COALESCE(MAX(r.ordinal), 0) <> a.run_count"
)
_MOST = text(
    "SELECT authorization_id, 'at most ' || max_runs || ', then exhausted', "
    "run_count || ', ' || status FROM scheduled_authorizations "
    "WHERE run_count > max_runs OR (run_count = max_runs) <> (status = 'exhausted') "
    "OR (max_runs IS NULL AND status = 'exhausted')"
)
_PAYMENTS = text(
    "SELECT p.charge_id, p.buyer_id || ' ' || p.amount_minor || ' ' || p.currency, "
    "COALESCE(q.buyer_id || ' ' || q.amount_minor || ' ' || q.currency, 'no payment') FROM ("
    "SELECT c.charge_id, c.requirement_id, s.buyer_id, s.merchant_number, s.amount_minor, "
    "s.currency FROM subscription_charges c "
    "JOIN payment_subscriptions s ON s.subscription_number = c.subscription_number UNION ALL "
    "SELECT r.run_id, r.requirement_id, a.buyer_id, a.merchant_number, a.amount_minor, "
    "a.currency FROM scheduled_runs r "
    "JOIN scheduled_authorizations a ON a.authorization_number = r.authorization_number) p "
    "LEFT JOIN requirements q ON q.requirement_id = p.requirement_id "
    "WHERE q.requirement_id IS NULL OR q.buyer_id <> p.buyer_id "
    "OR q.merchant_number <> p.merchant_number OR q.amount_minor <> p.amount_minor "
    "OR q.currency <> p.currency"
)
_NEXT_CHARGES = text(
    "SELECT s.subscription_id, s.status || ', ' || COALESCE(CAST(s.next_charge_at AS TEXT), 'never'), "
    "COUNT(d.at) || ' due at ' || COALESCE(CAST(MIN(d.at) AS TEXT), 'never') FROM payment_subscriptions s "
    "LEFT JOIN due d ON d.subject = s.subscription_id AND d.kind = 'subscription.renew' "
    "GROUP BY s.subscription_id, s.status, s.next_charge_at "
    "HAVING COUNT(d.at) <> CASE WHEN s.status = 'cancelled' THEN 0 ELSE 1 END "
    "OR COALESCE(MIN(d.at), 0) <> COALESCE(s.next_charge_at, 0)"
)
_ENDS = text(
    "SELECT a.authorization_id, a.status || ', ' || a.expires_at, "
    "COUNT(d.at) || ' due at ' || COALESCE(CAST(MIN(d.at) AS TEXT), 'never') FROM scheduled_authorizations a "
    "LEFT JOIN due d ON d.subject = a.authorization_id AND d.kind = 'authorization.expire' "
    "WHERE a.status = 'active' AND a.expires_at IS NOT NULL "
    "GROUP BY a.authorization_id, a.status, a.expires_at "
    "HAVING COUNT(d.at) <> 1 OR MIN(d.at) <> a.expires_at"
)
