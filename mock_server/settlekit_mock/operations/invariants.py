"""What must hold of the operator's rows at any time: payouts, the audit log, and money moved."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from settlekit_mock.kernel.invariants import MOST, Invariant, Violation, unguarded
from settlekit_mock.ledger.tables import ENTRIES, TRANSACTIONS
from settlekit_mock.operations.key_invariants import INVARIANTS as KEY_INVARIANTS
from settlekit_mock.operations.money_invariants import INVARIANTS as MONEY_INVARIANTS
from settlekit_mock.operations.operator_invariants import INVARIANTS as OPERATOR_INVARIANTS
from settlekit_mock.operations.payouts import PAID_REASON
from settlekit_mock.operations.rules.payouts import APPROVED, OPEN, Status
from settlekit_mock.operations.tables import AUDIT, PAYOUTS


def payouts_are_paid_once(connection: Connection) -> list[Violation]:
    """Hold a paid payout to one debit of its amount, and every other to none."""
    return [
        Violation(
            "payouts_are_paid_once", payout_id, f"{-amount if times else 0}", f"{moved} in {debits}"
        )
        for payout_id, amount, times, moved, debits in connection.execute(_WRONGLY_PAID)
    ]


def payouts_are_payouts_of_someone(connection: Connection) -> list[Violation]:
    """Hold every debit for a payout to a payout that is there."""
    return [
        Violation("payouts_are_payouts_of_someone", transaction_id, "a payout", subject)
        for transaction_id, subject in connection.execute(_STRAY_DEBITS)
    ]


def payouts_are_approved_first(connection: Connection) -> list[Violation]:
    """Hold a payout that is paid, failed or processing to an approval, before what followed."""
    return [
        Violation(
            "payouts_are_approved_first", payout_id, f"{status} after approval", str(approved_at)
        )
        for payout_id, status, approved_at in connection.execute(_UNAPPROVED)
    ]


def payouts_are_open_once(connection: Connection) -> list[Violation]:
    """Hold a developer to one open payout of a currency."""
    return [
        Violation("payouts_are_open_once", f"{developer_id} {currency}", "1", str(count))
        for developer_id, currency, count in connection.execute(_OPEN_TWICE)
    ]


def payout_steps_are_audited(connection: Connection) -> list[Violation]:
    """Hold every payout to an audit entry for each step that it took, and to no other."""
    found: list[Violation] = []
    for payout_id, status, *steps in connection.execute(_AUDITED):
        expected, got = _STEPS.get(status, "no such status"), " ".join(map(str, steps))
        if got != expected:
            found.append(Violation("payout_steps_are_audited", payout_id, expected, got))
    return found[:MOST]


def audit_never_changes(connection: Connection) -> list[Violation]:
    """Hold the guards that refuse a change of the audit log."""
    return unguarded(connection, "audit_never_changes", AUDIT)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    payouts_are_paid_once,
    payouts_are_payouts_of_someone,
    payouts_are_approved_first,
    payouts_are_open_once,
    payout_steps_are_audited,
    audit_never_changes,
    *MONEY_INVARIANTS,
    *KEY_INVARIANTS,
    *OPERATOR_INVARIANTS,
)

# How many audit entries of each step a payout in a status has: created, approved, ended.
_STEPS: Final[Mapping[str, str]] = {
    Status.PENDING: "1 0 0",
    Status.PROCESSING: "1 1 0",
    Status.PAID: "1 1 1",
    Status.FAILED: "1 1 1",
    Status.CANCELLED: "1 0 1",
}
_PAID = case((PAYOUTS.c.status == Status.PAID, 1), else_=0)
_MOVED = func.coalesce(func.sum(ENTRIES.c.amount), 0)
_DEBITS = func.count(ENTRIES.c.entry_number)
_WRONGLY_PAID = (
    select(PAYOUTS.c.payout_id, PAYOUTS.c.amount, _PAID, _MOVED, _DEBITS)
    .select_from(
        PAYOUTS.outerjoin(
            TRANSACTIONS,
            and_(
                TRANSACTIONS.c.subject == PAYOUTS.c.payout_id,
                TRANSACTIONS.c.reason == PAID_REASON,
            ),
        ).outerjoin(
            ENTRIES,
            and_(
                ENTRIES.c.transaction_number == TRANSACTIONS.c.transaction_number,
                ENTRIES.c.account_number == PAYOUTS.c.wallet_number,
            ),
        )
    )
    .group_by(PAYOUTS.c.payout_number)
    .having(or_(-PAYOUTS.c.amount * _PAID != _MOVED, _DEBITS != _PAID))
    .limit(MOST)
)
_STRAY_DEBITS = (
    select(TRANSACTIONS.c.transaction_id, TRANSACTIONS.c.subject)
    .where(
        TRANSACTIONS.c.reason == PAID_REASON,
        ~select(PAYOUTS.c.payout_id).where(PAYOUTS.c.payout_id == TRANSACTIONS.c.subject).exists(),
    )
    .limit(MOST)
)
_UNAPPROVED = (
    select(PAYOUTS.c.payout_id, PAYOUTS.c.status, PAYOUTS.c.approved_at)
    .where(
        PAYOUTS.c.status.in_(APPROVED),
        or_(PAYOUTS.c.approved_at.is_(None), PAYOUTS.c.approved_at > PAYOUTS.c.updated_at),
    )
    .limit(MOST)
)
_OPEN_TWICE = (
    select(PAYOUTS.c.developer_id, PAYOUTS.c.currency, func.count())
    .where(PAYOUTS.c.status.in_(OPEN))
    .group_by(PAYOUTS.c.developer_id, PAYOUTS.c.currency)
    .having(func.count() > 1)
    .limit(MOST)
)


def _times(*actions: str) -> ColumnElement[int]:
    names = [f"payout.{action}" for action in actions]
    return func.coalesce(func.sum(case((AUDIT.c.action.in_(names), 1), else_=0)), 0)


_AUDITED = (
    select(
        PAYOUTS.c.payout_id,
        PAYOUTS.c.status,
        _times("created"),
        _times(Status.PROCESSING),
        _times(Status.PAID, Status.FAILED, Status.CANCELLED),
    )
    .select_from(PAYOUTS.outerjoin(AUDIT, AUDIT.c.resource == PAYOUTS.c.payout_id))
    .group_by(PAYOUTS.c.payout_number)
)
