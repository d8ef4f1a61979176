"""What must hold of an adjustment's key: one adjustment, the payload it came with, its answer."""

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from settlekit_mock.kernel.idempotency import payload_hash
from settlekit_mock.kernel.invariants import MOST, Invariant, Violation


def adjustment_keys_have_one_effect(connection: Connection) -> list[Violation]:
    """Hold a kept answer to the one adjustment that its key made; no key is of anything else."""
    name = "adjustment_keys_have_one_effect"
    return [
        Violation(name, f"{row.scope} {row.key}", row.adjustment_id or "an adjustment", amiss)
        for row in connection.execute(_KEPT)
        if (amiss := _amiss(row))
    ][:MOST]


def _amiss(row: Any) -> str:
    if row.adjustment_id is None or row.scope != "adjustment":
        return "none"
    asked = [row.account_id, row.kind, row.currency, row.amount, row.reason, row.key]
    if bytes(row.payload_hash) != payload_hash(asked):
        return "another payload"
    try:
        told = msgspec.json.decode(row.answer)["id"]
    except (msgspec.DecodeError, KeyError, TypeError):
        told = "no answer"
    return "" if told == row.adjustment_id else str(told)


def keyed_adjustments_keep_their_answer(connection: Connection) -> list[Violation]:
    """Hold an adjustment that came with a key to one kept answer."""
    return [
        Violation("keyed_adjustments_keep_their_answer", adjustment_id, "1", str(kept))
        for adjustment_id, kept in connection.execute(_UNANSWERED).fetchmany(MOST)
    ]


INVARIANTS: Final[tuple[Invariant, ...]] = (
    adjustment_keys_have_one_effect,
    keyed_adjustments_keep_their_answer,
)

# The other scopes are those of recurring payments, which look after their own.
_KEPT = text(
    "SELECT i.scope, i.key, i.payload_hash, i.answer, a.adjustment_id, w.account_id, a.kind, "
    "w.currency, a.amount, a.reason FROM idempotency i "
    "LEFT JOIN wallet_adjustments a ON a.idempotency_key = i.key "
    "LEFT JOIN ledger_accounts w ON w.account_number = a.wallet_number "
    "WHERE i.scope <> 'recurring_challenge' AND substr(i.scope, 1, 10) <> 'scheduled:'"
)
_UNANSWERED = text(
    "SELECT a.adjustment_id, COUNT(i.key) FROM wallet_adjustments a "
    "LEFT JOIN idempotency i ON i.scope = 'adjustment' AND i.key = a.idempotency_key "
    "WHERE a.idempotency_key IS NOT NULL "
    "GROUP BY a.adjustment_id HAVING COUNT(i.key) <> 1"
)
