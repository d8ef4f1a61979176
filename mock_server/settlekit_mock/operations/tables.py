"""The operator's tables: payouts, adjustments, holds on wallets, and the audit log."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Table,
    Text,
    text,
)

from settlekit_mock.kernel.append_only import append_only
from settlekit_mock.kernel.tables import METADATA, Number
from settlekit_mock.ledger.tables import ACCOUNTS
from settlekit_mock.operations.rules.payouts import APPROVED, OPEN, Status

ADJUSTMENT_KINDS = ("adjustment", "refund", "chargeback")
ADJUSTMENT_REASONS = tuple(f"wallet_{kind}" for kind in ADJUSTMENT_KINDS)
"""The ledger's reasons, a kind each."""


def _in(statuses: tuple[Status, ...]) -> str:
    return f"status IN ({', '.join(repr(status.value) for status in statuses)})"


PAYOUTS = Table(
    "payouts",
    METADATA,
    Column("payout_number", Number, primary_key=True),
    Column("payout_id", Text, nullable=False, unique=True),
    Column("wallet_number", Number, ForeignKey(ACCOUNTS.c.account_number), nullable=False),
    Column("developer_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, CheckConstraint("amount > 0"), nullable=False),
    Column("status", Text, CheckConstraint(_in(tuple(Status))), nullable=False),
    Column("operator_note", Text),
    Column("reason", Text),
    Column("provider_payout_id", Text, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("approved_at", BigInteger),
    Column("paid_at", BigInteger),
    CheckConstraint(f"({_in(APPROVED)}) = (approved_at IS NOT NULL)"),
    CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)"),
    CheckConstraint("(status = 'paid') = (provider_payout_id IS NOT NULL)"),
    Index(
        "payouts_one_open",
        "developer_id",
        "currency",
        unique=True,
        sqlite_where=text(_in(OPEN)),
        postgresql_where=text(_in(OPEN)),
    ),
    Index("payouts_by_status", "status", "payout_number"),
    Index("payouts_by_time", "currency", "created_at", "payout_number"),
)
"""Money on its way out of a developer's wallet, from review to the end."""

ADJUSTMENTS = append_only(
    Table(
        "wallet_adjustments",
        METADATA,
        Column("adjustment_number", Number, primary_key=True),
        Column("adjustment_id", Text, nullable=False, unique=True),
        Column("wallet_number", Number, ForeignKey(ACCOUNTS.c.account_number), nullable=False),
        Column("kind", Text, CheckConstraint(f"kind IN {ADJUSTMENT_KINDS}"), nullable=False),
        Column("amount", BigInteger, CheckConstraint("amount <> 0"), nullable=False),
        Column("reason", Text),
        Column("idempotency_key", Text, unique=True),
        Column("created_at", BigInteger, nullable=False),
    )
)
"""What operators added to wallets (positive) or took out of them."""

HOLDS = Table(
    "reconciliation_holds",
    METADATA,
    Column("hold_number", Number, primary_key=True),
    Column("hold_id", Text, nullable=False, unique=True),
    Column("wallet_number", Number, ForeignKey(ACCOUNTS.c.account_number), nullable=False),
    Column("wallet_balance", BigInteger, nullable=False),
    Column("ledger_balance", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("released_at", BigInteger),
    Column("released_by", Text),
    Column("note", Text),
    CheckConstraint("(released_at IS NULL) = (note IS NULL)"),
    Index(
        "reconciliation_holds_one_active",
        "wallet_number",
        unique=True,
        sqlite_where=text("released_at IS NULL"),
        postgresql_where=text("released_at IS NULL"),
    ),
)
"""Wallets whose balance wasn't the sum of their entries, until an operator looked at them."""

AUDIT = append_only(
    Table(
        "audit",
        METADATA,
        Column("audit_number", Number, primary_key=True),
        Column("audit_id", Text, nullable=False, unique=True),
        Column("actor", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("resource", Text, nullable=False),
        Column("details", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Index("audit_by_resource", "resource", "audit_number"),
        Index("audit_by_action", "action", "audit_number"),
        Index("audit_by_actor", "actor", "audit_number"),
        Index("audit_by_time", "created_at", "audit_number"),
    )
)
"""Who did what to which resource, and when; never changed."""
