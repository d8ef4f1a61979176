"""The ledger's tables: accounts with their balances, transactions and their entries.

Amounts are units of 10⁻⁸ of a major unit. The database itself refuses what must never be:
a changed row, an entry in another currency than its account's, an entry that doesn't carry
its balance on, an amount that isn't an integer of 63 bits.
"""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    cast,
    func,
    literal_column,
    text,
)

from settlekit_mock.kernel.append_only import append_only
from settlekit_mock.kernel.money import LIMIT
from settlekit_mock.kernel.tables import METADATA, Number


class OwnerScope(StrEnum):
    """Whose wallet: the platform's, its providers' cost, a developer's or an end user's."""

    PLATFORM = "platform"
    PROVIDER_COST = "provider_cost"
    DEVELOPER = "developer"
    END_USER = "end_user"


ACCOUNT_KINDS = ("wallet", "chain", "clearing", "outside")


def _amounts(*names: str) -> list[CheckConstraint]:
    """Refuse what isn't an integer of 63 bits; SQLite would keep any type in any column."""
    checks: list[CheckConstraint] = []
    for name in names:
        checks.append(CheckConstraint(f"{name} BETWEEN -{LIMIT} AND {LIMIT}"))
        checks.append(CheckConstraint(f"typeof({name}) = 'integer'").ddl_if(dialect="sqlite"))
    return checks


ACCOUNTS = Table(
    "ledger_accounts",
    METADATA,
    Column("account_number", Number, primary_key=True),
    Column("account_id", Text, nullable=False, unique=True),
    Column("kind", Text, CheckConstraint(f"kind IN {ACCOUNT_KINDS}"), nullable=False),
    Column(
        "owner_scope",
        Text,
        CheckConstraint(f"owner_scope IN {tuple(scope.value for scope in OwnerScope)}"),
    ),
    Column("owner_id", Text, nullable=False),
    Column("currency", Text, CheckConstraint("currency <> ''"), nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint("(kind = 'wallet') = (owner_scope IS NOT NULL)"),
    UniqueConstraint("account_number", "currency"),
    Index(
        "ledger_wallet_of_owner",
        "owner_id",
        "owner_scope",
        "currency",
        unique=True,
        sqlite_where=text("kind = 'wallet'"),
        postgresql_where=text("kind = 'wallet'"),
    ),
    Index(
        "ledger_account_of_owner",
        "owner_id",
        "kind",
        "currency",
        unique=True,
        sqlite_where=text("kind <> 'wallet'"),
        postgresql_where=text("kind <> 'wallet'"),
    ),
    *_amounts("balance"),
)
"""Who holds how much. ``balance`` moves with each entry, in the same transaction."""

TRANSACTIONS = append_only(
    Table(
        "ledger_transactions",
        METADATA,
        Column("transaction_number", Number, primary_key=True),
        Column("transaction_id", Text, nullable=False, unique=True),
        Column("reason", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("idempotency_key", Text, unique=True),
        Column("metadata", Text, nullable=False),
        Column("negative_allowed", Integer, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Index("ledger_transactions_by_subject", "subject"),
    )
)
"""Each movement of money: why, for what, and when."""

ENTRIES = append_only(
    Table(
        "ledger_entries",
        METADATA,
        Column("entry_number", Number, primary_key=True),
        Column(
            "transaction_number",
            Number,
            ForeignKey(TRANSACTIONS.c.transaction_number),
            nullable=False,
        ),
        Column("account_number", Number, nullable=False),
        Column("currency", Text, nullable=False),
        Column("amount", BigInteger, CheckConstraint("amount <> 0"), nullable=False),
        Column("balance_before", BigInteger, nullable=False),
        Column("balance_after", BigInteger, nullable=False),
        ForeignKeyConstraint(
            ["account_number", "currency"], [ACCOUNTS.c.account_number, ACCOUNTS.c.currency]
        ),
        CheckConstraint("balance_before + amount = balance_after"),
        *_amounts("amount", "balance_before", "balance_after"),
        Index("ledger_entries_of_transaction", "transaction_number", "currency", "amount"),
        # In the order of an account's own history, so that a rebuild reads nothing else and
        # a running sum never exceeds what the account once held.
        Index(
            "ledger_entries_of_account",
            "account_number",
            "entry_number",
            "amount",
            "balance_before",
            "balance_after",
        ),
    )
)
"""The lines of each transaction: credits are positive, debits negative."""

_HALF = 32


def exact_sum(amounts: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Sum amounts in two halves, which can't overflow where the sum would; see ``joined``."""
    low = (1 << _HALF) - 1
    return (_sum(upper_half(amounts)), _sum(amounts.bitwise_and(low)))


def upper_half(amounts: ColumnElement[int]) -> ColumnElement[int]:
    """Return what is above the lower 32 bits."""
    # PostgreSQL shifts by a plain integer alone, so the number is written, not bound.
    return amounts.op(">>", return_type=BigInteger())(literal_column(str(_HALF)))


def _sum(halves: ColumnElement[int]) -> ColumnElement[int]:
    # PostgreSQL's sums of 64 bits have another type, which knows no bits.
    return func.coalesce(cast(func.sum(halves), BigInteger), 0)


def joined(high: int, low: int) -> int:
    """Put the two halves of an ``exact_sum`` together."""
    return (int(high) << _HALF) + int(low)
