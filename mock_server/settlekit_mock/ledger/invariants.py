"""What must hold of the ledger at any time (docs/architecture.md, "Decisions")."""

from typing import Final

from sqlalchemy import Connection, func, or_, select
from sqlalchemy.sql.functions import Function

from settlekit_mock.kernel.invariants import (
    MOST,
    Invariant,
    Violation,
    no_amounts,
    strange_amounts,
    unguarded,
)
from settlekit_mock.ledger.service import NEVER_NEGATIVE
from settlekit_mock.ledger.tables import (
    ACCOUNTS,
    ENTRIES,
    TRANSACTIONS,
    exact_sum,
    joined,
    upper_half,
)

_HIGH, _LOW = exact_sum(ENTRIES.c.amount)
_IN_ALL_HIGH, _IN_ALL_LOW = exact_sum(ACCOUNTS.c.balance)


def transactions_sum_to_zero(connection: Connection) -> list[Violation]:
    """Hold the entries of each transaction to a sum of zero for each currency."""
    return [
        Violation(
            "transactions_sum_to_zero",
            f"transaction {number} {currency}",
            "0",
            str(joined(high, low)),
        )
        for number, currency, high, low in connection.execute(_UNBALANCED)
    ]


def accounts_sum_to_zero(connection: Connection) -> list[Violation]:
    """Hold all accounts together to a sum of zero for each currency."""
    return [
        Violation("accounts_sum_to_zero", currency, "0", str(joined(high, low)))
        for currency, high, low in connection.execute(_SUMS)
        if joined(high, low)
    ]


def balances_fold_entries(connection: Connection) -> list[Violation]:
    """Hold every stored balance to the sum of its account's entries."""
    found: list[Violation] = []
    for account_id, stored, high, low in connection.execute(_FOLDS):
        if stored != joined(high, low):
            found.append(
                Violation("balances_fold_entries", account_id, str(joined(high, low)), str(stored))
            )
    return found[:MOST]


def entries_chain(connection: Connection) -> list[Violation]:
    """Hold each entry to begin with the balance that the account's last one left."""
    return [
        Violation("entries_chain", f"entry {number}", f"{left} + {amount}", f"{before} -> {after}")
        for number, left, amount, before, after in connection.execute(_GAPS)
    ]


def amounts_are_canonical(connection: Connection) -> list[Violation]:
    """Hold every amount and balance to an integer of 63 bits."""
    return strange_amounts(connection, "amounts_are_canonical", _STRANGE)


def transactions_have_entries(connection: Connection) -> list[Violation]:
    """Hold every transaction to move something."""
    return [
        Violation("transactions_have_entries", transaction_id, "entries", "none")
        for (transaction_id,) in connection.execute(_EMPTY)
    ]


def debts_are_allowed(connection: Connection) -> list[Violation]:
    """Hold wallets and chain accounts at or above zero but where a posting said otherwise."""
    return [
        Violation("debts_are_allowed", f"{account_id} entry {number}", "0 or more", str(after))
        for account_id, number, after in connection.execute(_DEBTS)
    ]


def ledger_never_changes(connection: Connection) -> list[Violation]:
    """Hold the guards that refuse a change of transactions and entries."""
    return unguarded(connection, "ledger_never_changes", TRANSACTIONS, ENTRIES)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    transactions_sum_to_zero,
    accounts_sum_to_zero,
    balances_fold_entries,
    entries_chain,
    amounts_are_canonical,
    transactions_have_entries,
    debts_are_allowed,
    ledger_never_changes,
)

# The halves of a sum are zero together only after the low one's carry.
_UNBALANCED = (
    select(ENTRIES.c.transaction_number, ENTRIES.c.currency, _HIGH, _LOW)
    .group_by(ENTRIES.c.transaction_number, ENTRIES.c.currency)
    .having(or_(_LOW.bitwise_and(2**32 - 1) != 0, _HIGH + upper_half(_LOW) != 0))
    .limit(MOST)
)
_SUMS = select(ACCOUNTS.c.currency, _IN_ALL_HIGH, _IN_ALL_LOW).group_by(ACCOUNTS.c.currency)
_FOLDS = (
    select(ACCOUNTS.c.account_id, ACCOUNTS.c.balance, _HIGH, _LOW)
    .select_from(ACCOUNTS.outerjoin(ENTRIES, ENTRIES.c.account_number == ACCOUNTS.c.account_number))
    .group_by(ACCOUNTS.c.account_number)
)
_LEFT: Function[int] = func.lag(ENTRIES.c.balance_after, 1, 0)
_HISTORY = select(
    ENTRIES.c.entry_number,
    _LEFT.over(partition_by=ENTRIES.c.account_number, order_by=ENTRIES.c.entry_number).label(
        "left_balance"
    ),
    ENTRIES.c.amount,
    ENTRIES.c.balance_before,
    ENTRIES.c.balance_after,
).subquery()
_GAPS = (
    select(_HISTORY)
    .where(
        or_(
            _HISTORY.c.balance_before != _HISTORY.c.left_balance,
            _HISTORY.c.balance_before + _HISTORY.c.amount != _HISTORY.c.balance_after,
        )
    )
    .limit(MOST)
)
_EMPTY = (
    select(TRANSACTIONS.c.transaction_id)
    .where(
        ~select(ENTRIES.c.entry_number)
        .where(ENTRIES.c.transaction_number == TRANSACTIONS.c.transaction_number)
        .exists()
    )
    .limit(MOST)
)
_DEBTS = (
    select(ACCOUNTS.c.account_id, ENTRIES.c.entry_number, ENTRIES.c.balance_after)
    .join(ENTRIES, ENTRIES.c.account_number == ACCOUNTS.c.account_number)
    .join(TRANSACTIONS, TRANSACTIONS.c.transaction_number == ENTRIES.c.transaction_number)
    .where(
        ACCOUNTS.c.kind.in_(sorted(NEVER_NEGATIVE)),
        ENTRIES.c.amount < 0,
        ENTRIES.c.balance_after < 0,
        TRANSACTIONS.c.negative_allowed == 0,
    )
    .limit(MOST)
)
_STRANGE: Final = no_amounts(
    ACCOUNTS.c.balance,
    ENTRIES.c.amount,
    ENTRIES.c.balance_before,
    ENTRIES.c.balance_after,
)
