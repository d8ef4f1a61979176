"""What must hold of keys that came again: a challenge or a slot has one effect and its answer."""

from typing import Any, Final

from sqlalchemy import Connection, text

from settlekit_mock.kernel.idempotency import payload_hash
from settlekit_mock.kernel.invariants import MOST, Invariant, Violation


def redeemed_challenges_have_one_effect(connection: Connection) -> list[Violation]:
    """Hold a redeemed challenge to one subscription or authorization, which its answer names."""
    name = "redeemed_challenges_have_one_effect"
    return [
        Violation(name, row.key, "one effect, and its answer", amiss)
        for row in connection.execute(_REDEEMED)
        if (amiss := _amiss_in_redeemed(row))
    ][:MOST]


def _amiss_in_redeemed(row: Any) -> str:
    effects = [one for one in (row.subscription_id, row.authorization_id) if one is not None]
    if len(effects) != 1:
        return " and ".join(effects) or "no effect"
    if row.subscription_id is None:
        named = bytes(row.answer) == effects[0].encode()
    else:
        named = f'"subscription_id":"{effects[0]}"'.encode() in bytes(row.answer)
        if bytes(row.payload_hash) != payload_hash(["subscription", row.buyer_id]):
            return f"the payload of somebody else than {row.buyer_id}"
    return "" if named else f"an answer that isn't of {effects[0]}"


def slots_have_one_effect(connection: Connection) -> list[Violation]:
    """Hold a slot that was answered to one run, which its answer names."""
    name = "slots_have_one_effect"
    return [
        Violation(name, f"{row.scope} {row.key}", row.run_id or "a run", "another answer")
        for row in connection.execute(_SLOTS)
        if row.run_id is None or f'"run_id":"{row.run_id}"'.encode() not in bytes(row.answer)
    ][:MOST]


def effects_keep_their_answer(connection: Connection) -> list[Violation]:
    """Hold every subscription, authorization and run to one kept answer."""
    return [
        Violation("effects_keep_their_answer", effect, "1", str(kept))
        for effect, kept in connection.execute(_UNANSWERED).fetchmany(MOST)
    ]


INVARIANTS: Final[tuple[Invariant, ...]] = (
    redeemed_challenges_have_one_effect,
    slots_have_one_effect,
    effects_keep_their_answer,
)

_REDEEMED = text(
    "SELECT i.key, i.payload_hash, i.answer, s.subscription_id, s.buyer_id, a.authorization_id "
    "FROM idempotency i LEFT JOIN payment_subscriptions s ON s.challenge_hash = i.key "
    "LEFT JOIN scheduled_authorizations a ON a.challenge_hash = i.key "
    "WHERE i.scope = 'recurring_challenge'"
)
_SLOTS = text(
    "SELECT i.scope, i.key, i.answer, r.run_id FROM idempotency i "
    "LEFT JOIN scheduled_authorizations a ON a.authorization_id = substr(i.scope, 11) "
    "LEFT JOIN scheduled_runs r ON r.authorization_number = a.authorization_number "
    "AND r.slot_id = i.key WHERE substr(i.scope, 1, 10) = 'scheduled:'"
)
_UNANSWERED = text(
    "SELECT e.effect, COUNT(i.key) FROM ("
    "SELECT subscription_id AS effect, 'recurring_challenge' AS scope, challenge_hash AS key "
    "FROM payment_subscriptions UNION ALL "
    "SELECT authorization_id, 'recurring_challenge', challenge_hash "
    "FROM scheduled_authorizations UNION ALL "
    "SELECT r.run_id, 'scheduled:' || a.authorization_id, r.slot_id FROM scheduled_runs r "
    "JOIN scheduled_authorizations a ON a.authorization_number = r.authorization_number) e "
    "LEFT JOIN idempotency i ON i.scope = e.scope AND i.key = e.key "
    "GROUP BY e.effect HAVING COUNT(i.key) <> 1"
)
