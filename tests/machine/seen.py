"""What runs of the machine came across, so that none of it is foretold and never seen."""

import json
from collections import Counter
from typing import Any, Final

from sqlalchemy import Connection

from settlekit_mock.settlement.rules.batch_life import STATES, TRANSITIONS

JOURNAL: Final = (
    "batch.past_due",
    "batch.requeued",
    "batch.settled",
    "batch.terminal",
    "debit.failed",
    "debit.submitted",
    "debit.unknown",
    "notice.failed",
    "notice.recorded",
    "payment.accepted",
    "payment.refused",
    "payment.settled",
    "period.closed",
)
REFUSED: Final = ("BUDGET_EXCEEDED", "METERED_SETTLEMENT_PAST_DUE")
FAILED: Final = (
    "INSUFFICIENT_BALANCE",
    "INSUFFICIENT_ALLOWANCE",
    "BUDGET_VAULT_INACTIVE",
    "PAYOUT_CAP_EXCEEDED",
    "ONCHAIN_FAILURE",
)
TRIGGERS: Final = ("amount_threshold", "scheduled_close")
PAYOUTS: Final = ("created", "processing", "paid", "cancelled", "failed")

MUST_BE_SEEN: Final = frozenset(
    {
        *(f"state {status}, {execution}" for status, execution in STATES),
        *(f"move {row.move}" for row in TRANSITIONS),
        *(f"journal {kind}" for kind in JOURNAL),
        *(f"refused {code}" for code in REFUSED),
        *(f"failed {code}" for code in FAILED),
        *(f"trigger {trigger}" for trigger in TRIGGERS),
        *(f"payout.{step}" for step in PAYOUTS),
    }
)
"""Each of these comes about in fifty runs, or the machine has lost a way there."""

SEEN_OF_OPERATORS: Final = frozenset(
    {
        "journal batch.settled",
        "journal debit.failed",
        "journal payout.created",
        "journal wallet.adjusted",
        "journal balance.adjusted",
        "journal topup.credited",
        "journal payment_event.recorded",
        "journal usage.recorded",
    }
)
"""Each of these comes about in a few runs in which operators move money, too."""

_QUERIES: Final = (
    "SELECT 'state ' || from_status || ', ' || from_execution_status FROM batch_moves",
    "SELECT 'state ' || to_status || ', ' || to_execution_status FROM batch_moves",
    "SELECT 'move ' || move FROM batch_moves",
    "SELECT 'journal ' || kind FROM events",
    "SELECT action FROM audit",
)
_TOLD: Final = {
    "payment.refused": ("refused", "code"),
    "debit.failed": ("failed", "code"),
    "period.closed": ("trigger", "settlement_trigger"),
}
"""What of a journal entry's data counts, and as what."""
_ENTRIES: Final = (
    "SELECT kind, data FROM events "
    "WHERE kind IN ('payment.refused', 'debit.failed', 'period.closed')"
)


def seen_in(connection: Connection) -> Counter[str]:
    """Count what a run came across, by the rows that it leaves."""
    found: Counter[str] = Counter()
    for query in _QUERIES:
        rows: list[Any] = list(connection.exec_driver_sql(query).scalars())
        found.update(rows)
    for kind, data in connection.exec_driver_sql(_ENTRIES):
        prefix, name = _TOLD[kind]
        found[f"{prefix} {json.loads(data)[name]}"] += 1
    return found
