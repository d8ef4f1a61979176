"""The tables of money paid in: payment events, and top-ups by card."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text

from settlekit_mock.kernel.append_only import append_only
from settlekit_mock.kernel.tables import METADATA, Number
from settlekit_mock.ledger.tables import ACCOUNTS, TRANSACTIONS

PROVIDERS = ("stripe", "clickpesa")

PAYMENT_EVENTS = append_only(
    Table(
        "payment_events",
        METADATA,
        Column("event_number", Number, primary_key=True),
        Column("buyer_id", Text, nullable=False),
        Column("external_ref", Text, nullable=False),
        Column("amount_cents", BigInteger, CheckConstraint("amount_cents > 0"), nullable=False),
        Column("currency", Text, nullable=False),
        Column("provider", Text, CheckConstraint(f"provider IN {PROVIDERS}"), nullable=False),
        Column(
            "transaction_id",
            Text,
            ForeignKey(TRANSACTIONS.c.transaction_id),
            nullable=False,
            unique=True,
        ),
        Column("created_at", BigInteger, nullable=False),
        Index("payment_events_once", "provider", "external_ref", unique=True),
        Index("payment_events_of_buyer", "buyer_id", "event_number", "amount_cents"),
    )
)
"""What buyers paid, in US cents whatever the currency; ``transaction_id`` credited it."""

TOP_UPS = Table(
    "top_ups",
    METADATA,
    Column("top_up_number", Number, primary_key=True),
    Column("top_up_id", Text, nullable=False, unique=True),
    Column("session_id", Text, nullable=False, unique=True),
    Column("wallet_number", Number, ForeignKey(ACCOUNTS.c.account_number), nullable=False),
    Column("buyer_id", Text, nullable=False),
    Column("amount_cents", BigInteger, CheckConstraint("amount_cents > 0"), nullable=False),
    Column("checkout_url", Text, nullable=False),
    Column("success_url", Text, nullable=False),
    Column("cancel_url", Text, nullable=False),
    Column("event_id", Text, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("credited_at", BigInteger),
    CheckConstraint("(event_id IS NULL) = (credited_at IS NULL)"),
)
"""Credits that buyers began to buy by card; ``event_id`` is the processor's that credited one."""
