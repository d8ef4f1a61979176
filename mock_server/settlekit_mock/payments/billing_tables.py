"""Base fees: what each month costs a merchant on a paid plan, and whether it was paid."""

from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    select,
    update,
)

from settlekit_mock.kernel.tables import METADATA, Number
from settlekit_mock.ledger.tables import ACCOUNTS
from settlekit_mock.payments.tables import MERCHANTS

BASE_FEES = Table(
    "base_fees",
    METADATA,
    Column("base_fee_number", Number, primary_key=True),
    Column("base_fee_id", Text, nullable=False, unique=True),
    Column("merchant_number", BigInteger, ForeignKey(MERCHANTS.c.merchant_number), nullable=False),
    Column("month", Text, nullable=False),
    Column("billing_plan", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("failed_tries", Integer, nullable=False),
    Column("transaction_id", Text, unique=True),
    Column("paid_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("merchant_number", "month"),
)
"""``status``: unpaid, paid, or given_up once the last try failed."""


class BaseFee(NamedTuple):
    """One month's base fee."""

    base_fee_id: str
    merchant_number: int
    month: str
    amount_minor: int
    currency: str
    status: str
    failed_tries: int


def base_fee_with_id(connection: Connection, base_fee_id: str) -> BaseFee:
    """Return the fee that due work names."""
    return BaseFee(*connection.execute(_FEE, {"given": base_fee_id}).one())


def has_chain_account(connection: Connection, owner_id: str, currency: str) -> bool:
    """Say whether somebody's tokens are known already."""
    found = connection.execute(_ACCOUNT, {"of_owner": owner_id, "in_currency": currency})
    return found.first() is not None


_FEE = select(*(BASE_FEES.c[name] for name in BaseFee._fields)).where(
    BASE_FEES.c.base_fee_id == bindparam("given")
)
_ACCOUNT = select(ACCOUNTS.c.account_number).where(
    ACCOUNTS.c.kind == "chain",
    ACCOUNTS.c.owner_id == bindparam("of_owner"),
    ACCOUNTS.c.currency == bindparam("in_currency"),
)
INSERT_FEE = insert(BASE_FEES)
UPDATE_FEE = update(BASE_FEES).where(BASE_FEES.c.base_fee_id == bindparam("given"))
