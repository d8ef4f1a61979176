"""The tables of metered settlement.

A usage row points at its period and never changes; a batch points at its period. So a
batch of ten thousand rows settles by updating one row, and a usage row's status is read
off its batch. Sums run along: per period, per scope and per provider, so that nothing is
ever added up over usage.

Amounts are units (10⁻⁸ of a major unit); ``*_at`` are instants.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from settlekit_mock.kernel.append_only import append_only
from settlekit_mock.kernel.tables import METADATA, Number

BUYERS = Table(
    "buyers",
    METADATA,
    Column("buyer_number", Number, primary_key=True),
    Column("buyer_id", Text, nullable=False, unique=True),
    Column("timezone", Text, nullable=False),
    Column("weekly_weekday", Integer, nullable=False),
    Column("weekly_hour", Integer, nullable=False),
    Column("weekly_minute", Integer, nullable=False),
    Column("monthly_day", Integer, nullable=False),
    Column("monthly_hour", Integer, nullable=False),
    Column("monthly_minute", Integer, nullable=False),
    Column("vault_active", Integer, nullable=False),
    Column("cap_per_payment", BigInteger),
    Column("cap_day", BigInteger),
    Column("cap_month", BigInteger),
    Column("created_at", BigInteger, nullable=False),
)
"""Caps are whole minor units, of whichever currency a payment has; null is no cap."""

FUNDS = Table(
    "funds",
    METADATA,
    Column("buyer_number", Number, ForeignKey("buyers.buyer_number"), primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("chain_account", BigInteger, nullable=False),
    Column("allowance", BigInteger, CheckConstraint("allowance >= 0"), nullable=False),
    Column("reserved", BigInteger, CheckConstraint("reserved >= 0"), nullable=False),
    Column("spending_day", Text, nullable=False),
    Column("day_spent", BigInteger, nullable=False),
    Column("month_spent", BigInteger, nullable=False),
)
"""What a buyer may spend in a currency, beside the balance, which the ledger keeps.

``day_spent`` and ``month_spent`` count for the local day ``spending_day`` and its month.
"""

PROVIDERS = Table(
    "providers",
    METADATA,
    Column("provider_number", Number, primary_key=True),
    Column("provider_id", Text, nullable=False, unique=True),
    Column("billing_currency", Text, nullable=False, server_default="JPY"),
)

LABELS = Table(
    "labels",
    METADATA,
    Column("label_number", Number, primary_key=True),
    Column("merchant", Text, nullable=False),
    Column("listing_id", Text, nullable=False),
    Column("product_listing_id", Text, nullable=False),
    Column("capability_key", Text, nullable=False),
    Column("operation_key", Text, nullable=False),
    UniqueConstraint(
        "merchant", "listing_id", "product_listing_id", "capability_key", "operation_key"
    ),
)
"""What was sold; usage rows share few of these."""

SCOPES = Table(
    "scopes",
    METADATA,
    Column("scope_number", Number, primary_key=True),
    Column("buyer_number", Number, ForeignKey("buyers.buyer_number"), nullable=False),
    Column("provider_number", Number, ForeignKey("providers.provider_number"), nullable=False),
    Column("currency", Text, nullable=False),
    Column("band", Text, nullable=False),
    Column("exposure", BigInteger, CheckConstraint("exposure >= 0"), nullable=False),
    Column("paused_batches", Integer, CheckConstraint("paused_batches >= 0"), nullable=False),
    Column("open_period", BigInteger),
    Column("last_period_end", BigInteger),
    UniqueConstraint("buyer_number", "provider_number", "currency", "band"),
    Index("scopes_by_provider", "provider_number"),
)
"""Buyer + provider + token + band: what accrues, settles and pauses together."""

PERIODS = Table(
    "periods",
    METADATA,
    Column("period_number", Number, primary_key=True),
    Column("period_id", Text, nullable=False, unique=True),
    Column("scope_number", Number, ForeignKey("scopes.scope_number"), nullable=False),
    Column("buyer_number", BigInteger, nullable=False),
    Column("provider_number", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("band", Text, nullable=False),
    Column("buyer_period_ref", Text, nullable=False),
    Column("period_start", BigInteger, nullable=False),
    Column("period_end", BigInteger, nullable=False),
    Column("close_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("settlement_trigger", Text, nullable=False),
    Column("threshold_reached_at", BigInteger),
    Column("usage_count", BigInteger, nullable=False),
    Column("gross", BigInteger, CheckConstraint("gross >= 0"), nullable=False),
    Column("fee", BigInteger, CheckConstraint("fee >= 0"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
)
Index(
    "open_periods_by_provider",
    PERIODS.c.provider_number,
    sqlite_where=PERIODS.c.closed_at.is_(None),
    postgresql_where=PERIODS.c.closed_at.is_(None),
)
Index(
    "open_periods_by_buyer",
    PERIODS.c.buyer_number,
    sqlite_where=PERIODS.c.closed_at.is_(None),
    postgresql_where=PERIODS.c.closed_at.is_(None),
)

PERIOD_LABELS = Table(
    "period_labels",
    METADATA,
    Column("period_number", Number, ForeignKey("periods.period_number"), primary_key=True),
    Column("label_number", Number, ForeignKey("labels.label_number"), primary_key=True),
    Column("usage_count", BigInteger, nullable=False),
    Column("gross", BigInteger, nullable=False),
    Column("fee", BigInteger, nullable=False),
)
"""A period's sums by what was sold, so that a filtered summary reads no usage."""

USAGE = append_only(
    Table(
        "usage",
        METADATA,
        Column("usage_number", Number, primary_key=True),
        Column("metered_usage_id", Text, nullable=False, unique=True),
        Column("period_number", BigInteger, nullable=False),
        Column("provider_number", BigInteger, nullable=False),
        Column("buyer_number", BigInteger, nullable=False),
        Column("label_number", BigInteger, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("gross", BigInteger, CheckConstraint("gross > 0"), nullable=False),
        Column("fee", BigInteger, CheckConstraint("fee >= 0"), nullable=False),
        Column("outcome", Text),
        Index("usage_by_period", "period_number", "usage_number"),
        Index("usage_by_provider", "provider_number", "usage_number"),
        Index("usage_by_buyer", "buyer_number", "usage_number"),
    )
)
"""One accepted payment a row. ``outcome`` is ``failed_chargeable`` or null."""

BATCHES = Table(
    "batches",
    METADATA,
    Column("batch_number", Number, primary_key=True),
    Column("settlement_batch_id", Text, nullable=False, unique=True),
    Column(
        "period_number", Number, ForeignKey("periods.period_number"), nullable=False, unique=True
    ),
    Column("scope_number", Number, ForeignKey("scopes.scope_number"), nullable=False),
    Column("buyer_number", BigInteger, nullable=False),
    Column("provider_number", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("execution_status", Text, nullable=False),
    Column("failed_notices", Integer, nullable=False),
    Column("noticed_at", BigInteger),
    Column("not_before_attempt_at", BigInteger, nullable=False),
    Column("scheduled_debit_at", BigInteger),
    Column("attempt_count", Integer, nullable=False),
    Column("run_attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger),
    Column("latest_attempt_status", Text),
    Column("chain_receipt_id", Text, unique=True),
    Column("settled_at", BigInteger),
    Column("terminal_marked_at", BigInteger),
    Column("terminal_reason_code", Text),
    Column("failure_reason_code", Text),
    Column("support_reference", Text),
    Index("batches_by_provider", "provider_number", "batch_number"),
    Index("batches_by_buyer", "buyer_number", "batch_number"),
)
Index(
    "paused_batches_by_buyer",
    BATCHES.c.buyer_number,
    sqlite_where=BATCHES.c.execution_status.in_(("failed_retryable", "retrying", "past_due")),
    postgresql_where=BATCHES.c.execution_status.in_(("failed_retryable", "retrying", "past_due")),
)

MOVES = append_only(
    Table(
        "batch_moves",
        METADATA,
        Column("move_number", Number, primary_key=True),
        Column("batch_number", Number, ForeignKey("batches.batch_number"), nullable=False),
        Column("move", Text, nullable=False),
        Column("from_status", Text, nullable=False),
        Column("from_execution_status", Text, nullable=False),
        Column("to_status", Text, nullable=False),
        Column("to_execution_status", Text, nullable=False),
        Column("moved_at", BigInteger, nullable=False),
        Index("batch_moves_by_batch", "batch_number", "move_number"),
    )
)
"""Every move that a batch made."""

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("attempt_number", Number, primary_key=True),
    Column("batch_number", Number, ForeignKey("batches.batch_number"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("run_ordinal", Integer, nullable=False),
    Column("submitted_at", BigInteger, nullable=False),
    Column("in_flight", BigInteger, nullable=False),
    Column("expected", Text),
    Column("outcome", Text),
    Column("resolved_at", BigInteger),
    UniqueConstraint("batch_number", "ordinal"),
)
"""Every debit attempt. ``in_flight`` is what it moved into clearing, 0 where it couldn't;
``expected`` is the failure code that the chain will give, ``unknown``, or null for success."""

NOTICES = append_only(
    Table(
        "notices",
        METADATA,
        Column("notice_number", Number, primary_key=True),
        Column("notice_id", Text, nullable=False, unique=True),
        Column("audience", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("buyer_number", BigInteger, nullable=False),
        Column("provider_number", BigInteger, nullable=False),
        Column("period_number", BigInteger, nullable=False),
        Column("sent_at", BigInteger, nullable=False),
        Column("subject", Text, nullable=False),
        Column("text", Text, nullable=False),
        Index("notices_by_period", "period_number"),
    )
)

PROVIDER_TOTALS = Table(
    "provider_totals",
    METADATA,
    Column("provider_number", BigInteger, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("band", Text, primary_key=True),
    Column("bucket", Text, primary_key=True),
    Column("receivable", BigInteger, nullable=False),
)
"""Receivable of closed periods by bucket; open periods are added when a summary is read."""

SIMULATIONS = Table(
    "simulations",
    METADATA,
    Column("simulation_number", Number, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("buyer_id", Text, nullable=False),
    Column("remaining", Integer, CheckConstraint("remaining > 0")),
    Column("detail", Text, nullable=False),
    UniqueConstraint("kind", "subject", "buyer_id"),
)
"""What a test has asked to happen; ``remaining`` null goes on until it is ended."""
