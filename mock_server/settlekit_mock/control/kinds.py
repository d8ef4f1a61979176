"""Every kind of journal entry, so that nobody waits for one that never comes."""

from difflib import get_close_matches
from typing import Final

from settlekit_mock.kernel.problems import Invalid


def _kinds(subject: str, *steps: str) -> frozenset[str]:
    return frozenset(f"{subject}.{step}" for step in steps)


KINDS: Final = frozenset[str]().union(
    _kinds("allowance", "raised"),
    _kinds("authorization", "created", "executed", "run_refused", "revoked", "expired"),
    _kinds("authorization", "exhausted"),
    _kinds("balance", "adjusted"),
    _kinds("batch", "settled", "past_due", "requeued", "terminal"),
    _kinds("billing", "active", "past_due", "suspended", "fee_collected", "fee_failed"),
    _kinds("buyer", "created", "changed"),
    _kinds("capability", "executed"),
    _kinds("checkout", "opened", "authenticated", "paid", "expired", "cancelled", "failed"),
    _kinds("debit", "submitted", "failed", "unknown"),
    _kinds("fault", "applied"),
    _kinds("hold", "placed", "released"),
    _kinds("ledger", "posted", "misstated"),
    _kinds("merchant", "created", "changed"),
    _kinds("notice", "recorded", "failed", "sent"),
    _kinds("payment", "accepted", "refused", "settled"),
    _kinds("payment_event", "recorded"),
    _kinds("payout", "created", "processing", "paid", "failed", "cancelled"),
    _kinds("period", "opened", "closed"),
    _kinds("requirement", "created", "confirmed", "spent", "expired"),
    _kinds("simulation", "begun", "ended"),
    _kinds("subscription", "created", "renewed", "charge_failed", "cancelled"),
    _kinds("token", "created"),
    _kinds("topup", "created", "credited"),
    _kinds("wallet", "adjusted"),
    _kinds("usage", "recorded"),
    _kinds("webhook", "delivered", "failed"),
    _kinds("webhook_fault", "applied"),
    _kinds("webhook_subscription", "created", "changed", "paused", "resumed", "secret_rotated"),
    _kinds("webhook_test", "requested"),
)


def known(kind: str, field: str) -> str:
    """Return a kind that there is; raise ``Invalid`` naming the field, the nearest and all."""
    if kind in KINDS:
        return kind
    near = get_close_matches(kind, sorted(KINDS), n=1)
    meant = f"; did you mean {near[0]}?" if near else "."
    raise Invalid(f"{field}: no kind {kind!r}{meant} There are: {', '.join(sorted(KINDS))}")
