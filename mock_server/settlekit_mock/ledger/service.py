"""Open accounts and post transactions: the only way by which money moves.

A posting reads its accounts' balances under a lock, checks everything, and only then
writes: one that is refused has written nothing, so its caller may go on.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    bindparam,
    insert,
    literal_column,
    select,
    update,
)

from settlekit_mock.kernel.money import LIMIT, major_text
from settlekit_mock.kernel.problems import Conflict, Invalid, PaymentRequired
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger.tables import ACCOUNT_KINDS, ACCOUNTS, ENTRIES, TRANSACTIONS

OUTSIDE: Final = "outside"
"""The owner of the accounts that stand for everything beyond the platform."""
NEVER_NEGATIVE: Final = frozenset({"wallet", "chain"})
"""Kinds of account that a posting may bring below zero only where it says so."""

_METADATA = msgspec.json.Encoder(order="sorted")


class Account(NamedTuple):
    """An account of one owner in one currency; only wallets have an ``owner_scope``."""

    number: int
    account_id: str
    kind: str
    owner_scope: str | None
    owner_id: str | None
    currency: str


class Leg(NamedTuple):
    """One line of a posting: signed units, a credit positive."""

    account: Account
    amount: int


class _Movement(NamedTuple):
    """What a leg does to its account."""

    leg: Leg
    before: int
    after: int


def wallet(tx: Transaction, *, owner_scope: str, owner_id: str, currency: str) -> Account:
    """Find an owner's wallet in a currency, or open it."""
    found = find_wallet(
        tx.connection, owner_scope=owner_scope, owner_id=owner_id, currency=currency
    )
    return found or _open(tx, "wallet", owner_scope, owner_id, currency)


def chain_account(tx: Transaction, buyer_id: str, currency: str) -> Account:
    """Find the account of a buyer's tokens (JPYC for JPY, USDC for USD), or open it."""
    return _found_or_opened(tx, "chain", buyer_id, currency)


def clearing_account(tx: Transaction, subject: str, currency: str) -> Account:
    """Find the account of money in flight for a subject, or open it."""
    return _found_or_opened(tx, "clearing", subject, currency)


def outside(tx: Transaction, currency: str) -> Account:
    """Find the account that money comes from and goes to, or open it; it may be negative."""
    return _found_or_opened(tx, "outside", OUTSIDE, currency)


def find_wallet(
    connection: Connection, *, owner_scope: str, owner_id: str, currency: str
) -> Account | None:
    """Return an owner's wallet in a currency, if it is open."""
    given = {"owner": owner_id, "scope": owner_scope, "in_currency": currency}
    row = connection.execute(_FIND_WALLET, given).first()
    return None if row is None else Account(*row)


def wallet_named(connection: Connection, wallet_id: str) -> Account | None:
    """Return the wallet with an id, if there is one."""
    row = connection.execute(_WALLET_NAMED, {"named": wallet_id}).first()
    return None if row is None else Account(*row)


def balance(connection: Connection, account_number: int) -> int:
    """Return an account's stored balance in units."""
    found: int = connection.execute(_BALANCE, {"number": account_number}).scalar_one()
    return found


def locked_balance(tx: Transaction, account: Account) -> int:
    """Return an account's balance, which nobody else moves until this transaction ends."""
    return _lock_balances(tx.connection, [account.number])[account.number]


def post(
    tx: Transaction,
    reason: str,
    legs: Sequence[Leg],
    *,
    subject: str,
    idempotency_key: str | None = None,
    metadata: Mapping[str, object] | None = None,
    allow_negative: bool = False,
) -> str:
    """Move money in one balanced, immutable transaction and return its id.

    Legs of zero are left out. Raises ``PaymentRequired`` where a wallet or chain account
    would fall below zero and ``allow_negative`` isn't said, ``Invalid`` where an account
    would hold more than 63 bits, ``Conflict`` for an idempotency key that posted before;
    nothing is written then. Legs that move nothing or don't sum to zero are a
    ``ValueError``.
    """
    moving = [leg for leg in legs if leg.amount]
    _check_balanced(moving)
    _check_key(tx.connection, idempotency_key)
    movements = _movements(tx.connection, moving, allow_negative)
    transaction_id = tx.new_id("ltx")
    row: dict[str, object] = {
        "transaction_id": transaction_id,
        "reason": reason,
        "subject": subject,
        "idempotency_key": idempotency_key,
        "metadata": _METADATA.encode(metadata or {}).decode(),
        "negative_allowed": int(allow_negative),
        "created_at": tx.now,
    }
    _write_entries(tx.connection, _write_transaction(tx.connection, row), movements)
    tx.record("ledger.posted", transaction_id, reason=reason, legs=_told(moving))
    return transaction_id


def _check_balanced(legs: Iterable[Leg]) -> None:
    sums: dict[str, int] = {}
    for leg in legs:
        sums[leg.account.currency] = sums.get(leg.account.currency, 0) + leg.amount
    if not sums:
        raise ValueError("a posting must move something")
    if any(sums.values()):
        raise ValueError(f"the legs of a posting must sum to zero for each currency, not {sums}")


def _check_key(connection: Connection, key: str | None) -> None:
    # Looked up, not left to the unique column: a statement that fails ends PostgreSQL's
    # transaction, and the caller may go on in it.
    if key is not None and connection.execute(_POSTED, {"under_key": key}).first() is not None:
        raise Conflict(f"the posting {key} was made before", code="already_posted")


def _movements(
    connection: Connection, legs: Iterable[Leg], allow_negative: bool
) -> list[_Movement]:
    """Work out each leg's effect; the accounts are locked in the order of their numbers."""
    balances = _lock_balances(connection, sorted({leg.account.number for leg in legs}))
    movements: list[_Movement] = []
    for leg in legs:
        before = balances[leg.account.number]
        after = balances[leg.account.number] = before + leg.amount
        _check_balance(leg, after, allow_negative)
        movements.append(_Movement(leg, before, after))
    return movements


def _lock_balances(connection: Connection, numbers: Sequence[int]) -> dict[int, int]:
    # The read locks the rows where the database locks rows; SQLite's writer is alone anyway.
    given = {f"number_{index}": number for index, number in enumerate(numbers)}
    return {row[0]: row[1] for row in connection.execute(_locking(len(numbers)), given)}


@cache
def _locking(count: int) -> Select[int, int]:
    # With a place for each number; a list of any length is written out anew each time.
    places: list[BindParameter[int]] = [bindparam(f"number_{index}") for index in range(count)]
    return (
        select(ACCOUNTS.c.account_number, ACCOUNTS.c.balance)
        .where(ACCOUNTS.c.account_number.in_(places))
        .order_by(ACCOUNTS.c.account_number)
        .with_for_update()
    )


def _check_balance(leg: Leg, after: int, allow_negative: bool) -> None:
    account, amount = leg
    guarded = account.kind in NEVER_NEGATIVE and not allow_negative
    if guarded and amount < 0 and after < 0:
        raise PaymentRequired(
            f"{account.account_id} holds {major_text(after - amount)} {account.currency}, "
            f"less than {major_text(-amount)}"
        )
    if not (-LIMIT <= after <= LIMIT and -LIMIT <= amount <= LIMIT):
        if account.kind == "outside":
            raise Invalid(
                f"all the {account.currency} in this server together is at most {major_text(LIMIT)}"
            )
        raise Invalid(f"{account.account_id} can't hold more than {major_text(LIMIT)}")


def _write_transaction(connection: Connection, row: dict[str, object]) -> int:
    number: int = connection.execute(_INSERT_TRANSACTION, row).scalar_one()
    return number


def _write_entries(
    connection: Connection, transaction_number: int, movements: Iterable[_Movement]
) -> None:
    entries: list[dict[str, Any]] = [
        {
            "transaction_number": transaction_number,
            "account_number": leg.account.number,
            "currency": leg.account.currency,
            "amount": leg.amount,
            "balance_before": before,
            "balance_after": after,
        }
        for leg, before, after in movements
    ]
    moves = [{"number": entry["account_number"], "by": entry["amount"]} for entry in entries]
    connection.execute(_MOVE_BALANCE, moves)
    connection.execute(_INSERT_ENTRY, entries)


def _told(legs: Iterable[Leg]) -> list[dict[str, str]]:
    return [
        {"account_id": leg.account.account_id, "amount": major_text(leg.amount)} for leg in legs
    ]


def _found_or_opened(tx: Transaction, kind: str, owner_id: str, currency: str) -> Account:
    given = {"owner": owner_id, "in_currency": currency}
    row = tx.connection.execute(_FIND_OTHER[kind], given).first()
    return _open(tx, kind, None, owner_id, currency) if row is None else Account(*row)


def _open(
    tx: Transaction, kind: str, owner_scope: str | None, owner_id: str, currency: str
) -> Account:
    account_id = tx.new_id("wal" if kind == "wallet" else "acc")
    row = {
        "account_id": account_id,
        "kind": kind,
        "owner_scope": owner_scope,
        "owner_id": owner_id,
        "currency": currency,
        "balance": 0,
        "created_at": tx.now,
    }
    number: int = tx.connection.execute(_INSERT_ACCOUNT, row).scalar_one()
    return Account(number, account_id, kind, owner_scope, owner_id, currency)


_ACCOUNT = select(
    ACCOUNTS.c.account_number,
    ACCOUNTS.c.account_id,
    ACCOUNTS.c.kind,
    ACCOUNTS.c.owner_scope,
    ACCOUNTS.c.owner_id,
    ACCOUNTS.c.currency,
)
_IN_CURRENCY = ACCOUNTS.c.currency == bindparam("in_currency")
_OF_OWNER = ACCOUNTS.c.owner_id == bindparam("owner")
# Literals, so that the partial indexes apply.
_IS_WALLET = ACCOUNTS.c.kind == literal_column("'wallet'")
_IS_OTHER = ACCOUNTS.c.kind != literal_column("'wallet'")
_FIND_WALLET = _ACCOUNT.where(
    _IS_WALLET, _OF_OWNER, ACCOUNTS.c.owner_scope == bindparam("scope"), _IN_CURRENCY
)
# One for each kind: were it bound, SQLite would plan anew each time, for the partial index.
_FIND_OTHER = {
    kind: _ACCOUNT.where(
        _IS_OTHER, _OF_OWNER, ACCOUNTS.c.kind == literal_column(f"'{kind}'"), _IN_CURRENCY
    )
    for kind in ACCOUNT_KINDS
}
_WALLET_NAMED = _ACCOUNT.where(ACCOUNTS.c.account_id == bindparam("named"), _IS_WALLET)
_INSERT_ACCOUNT = insert(ACCOUNTS).returning(ACCOUNTS.c.account_number)
_POSTED = select(TRANSACTIONS.c.transaction_number).where(
    TRANSACTIONS.c.idempotency_key == bindparam("under_key")
)
_INSERT_TRANSACTION = insert(TRANSACTIONS).returning(TRANSACTIONS.c.transaction_number)
_INSERT_ENTRY = insert(ENTRIES)
_MOVE_BALANCE = (
    update(ACCOUNTS)
    .where(ACCOUNTS.c.account_number == bindparam("number"))
    .values(balance=ACCOUNTS.c.balance + bindparam("by"))
)
_BALANCE = select(ACCOUNTS.c.balance).where(ACCOUNTS.c.account_number == bindparam("number"))
