"""What must hold of events and their deliveries."""

from typing import Final

from sqlalchemy import Connection, TextClause, text

from settlekit_mock.kernel.invariants import MOST, Invariant, Violation, unguarded
from settlekit_mock.webhooks.rules import MAX_ATTEMPTS
from settlekit_mock.webhooks.tables import EVENTS


def _found(
    connection: Connection, name: str, query: TextClause, **values: object
) -> list[Violation]:
    """Turn rows of (subject, expected, got) into violations."""
    rows = connection.execute(query, values).fetchmany(MOST)
    return [
        Violation(name, str(subject), str(expected), str(got)) for subject, expected, got in rows
    ]


def bodies_name_their_event(connection: Connection) -> list[Violation]:
    """Hold an event's bytes to its id and type: every delivery of it says the same ones."""
    name = "bodies_name_their_event"
    return [
        Violation(name, event_id, beginning, bytes(body[:120]).decode(errors="replace"))
        for event_id, event_type, body in connection.execute(_BODIES)
        if not bytes(body).startswith(
            (beginning := f'{{"id":"{event_id}","type":"{event_type}"').encode()
        )
    ][:MOST]


def deliveries_carry_their_event(connection: Connection) -> list[Violation]:
    """Hold a delivery to its event's owner and type, and to its subscription's owner."""
    return _found(connection, "deliveries_carry_their_event", _STRAYED)


def attempts_are_within_bounds(connection: Connection) -> list[Violation]:
    """Hold a delivery to nine attempts, none while it is queued."""
    return _found(connection, "attempts_are_within_bounds", _ATTEMPTS, most=MAX_ATTEMPTS)


def delivered_is_final(connection: Connection) -> list[Violation]:
    """Hold a delivered one to a 2xx, a time and no further attempt; others to neither."""
    return _found(connection, "delivered_is_final", _FINAL)


def waiting_deliveries_are_due(connection: Connection) -> list[Violation]:
    """Hold a delivery that has a next attempt to one due row at that time, others to none."""
    return _found(connection, "waiting_deliveries_are_due", _DUE)


def held_deliveries_are_paused(connection: Connection) -> list[Violation]:
    """Hold an unfinished delivery without a next attempt to a subscription that is paused."""
    return _found(connection, "held_deliveries_are_paused", _HELD, most=MAX_ATTEMPTS)


def attempts_equal_the_journal(connection: Connection) -> list[Violation]:
    """Hold a delivery's attempts to the journal's, and its arrival to one entry."""
    return _found(connection, "attempts_equal_the_journal", _JOURNAL)


def events_never_change(connection: Connection) -> list[Violation]:
    """Hold the guards of events in place."""
    return unguarded(connection, "events_never_change", EVENTS)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    bodies_name_their_event,
    deliveries_carry_their_event,
    attempts_are_within_bounds,
    delivered_is_final,
    waiting_deliveries_are_due,
    held_deliveries_are_paused,
    attempts_equal_the_journal,
    events_never_change,
)

_BODIES = text("SELECT event_id, event_type, body FROM webhook_events")
_STRAYED = text(
    "SELECT d.delivery_id, e.owner || ' ' || e.event_type || ' ' || s.owner, "
    "d.owner || ' ' || d.event_type FROM webhook_deliveries d "
    "JOIN webhook_events e ON e.event_id = d.event_id "
    "JOIN webhook_subscriptions s ON s.subscription_id = d.subscription_id "
    "WHERE d.owner <> e.owner OR d.event_type <> e.event_type OR d.owner <> s.owner"
)
_ATTEMPTS = text(
    "SELECT delivery_id, 'nine at most, none while queued', "
    "delivery_status || ' after ' || attempt_count FROM webhook_deliveries "
    "WHERE attempt_count NOT BETWEEN 0 AND :most "
    "OR (delivery_status = 'queued') <> (attempt_count = 0)"
)
_FINAL = text(
    "SELECT delivery_id, delivery_status, 'status ' || COALESCE(response_status, 0) "
    "|| ' delivered at ' || COALESCE(delivered_at, 0) FROM webhook_deliveries "
    "WHERE (delivery_status = 'delivered') <> (COALESCE(response_status, 0) BETWEEN 200 AND 299) "
    "OR (delivery_status = 'delivered') <> (delivered_at IS NOT NULL) "
    "OR (delivery_status = 'delivered' AND next_attempt_at IS NOT NULL)"
)
_DUE = text(
    "SELECT d.delivery_id, COALESCE(CAST(d.next_attempt_at AS TEXT), 'none'), "
    "COALESCE(CAST(MIN(q.at) AS TEXT), 'none') "
    "FROM webhook_deliveries d "
    "LEFT JOIN due q ON q.subject = d.delivery_id AND q.kind = 'webhook.deliver' "
    "GROUP BY d.delivery_id, d.next_attempt_at "
    "HAVING COUNT(q.at) <> CASE WHEN d.next_attempt_at IS NULL THEN 0 ELSE 1 END "
    "OR MIN(q.at) <> d.next_attempt_at"
)
_HELD = text(
    "SELECT d.delivery_id, 'a next attempt', 'none after ' || d.attempt_count "
    "FROM webhook_deliveries d "
    "JOIN webhook_subscriptions s ON s.subscription_id = d.subscription_id "
    "WHERE d.delivery_status <> 'delivered' AND d.next_attempt_at IS NULL "
    "AND d.attempt_count < :most AND s.status <> 'paused'"
)
_JOURNAL = text(
    "SELECT d.delivery_id, COUNT(j.seq) || ' attempts, ' || SUM(CASE j.kind WHEN "
    "'webhook.delivered' THEN 1 ELSE 0 END) || ' arrived', "
    "d.attempt_count || ' ' || d.delivery_status "
    "FROM webhook_deliveries d LEFT JOIN events j ON j.subject = d.delivery_id "
    "AND j.kind IN ('webhook.delivered', 'webhook.failed') "
    "GROUP BY d.delivery_id, d.attempt_count, d.delivery_status "
    "HAVING COUNT(j.seq) <> d.attempt_count OR SUM(CASE j.kind WHEN 'webhook.delivered' "
    "THEN 1 ELSE 0 END) <> CASE d.delivery_status WHEN 'delivered' THEN 1 ELSE 0 END"
)
