"""The ledger's accounts, and the entries of each."""

from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import Connection, bindparam, select

from settlekit_mock.console.pages import cut
from settlekit_mock.http.cursors import read_cursor
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import (
    Answer,
    Currency,
    Listing,
    MajorText,
    ShortText,
    StrictBody,
    Timestamp,
)
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.times import to_text
from settlekit_mock.ledger.tables import ACCOUNTS, ENTRIES, TRANSACTIONS, OwnerScope

AccountKind = Literal["wallet", "chain", "clearing", "outside"]
Limit = Annotated[int, Meta(ge=1, le=1000)]


class AccountsQuery(StrictBody, frozen=True, kw_only=True):
    """Which accounts; ``owner`` is an owner's id."""

    kind: AccountKind | None = None
    owner: ShortText | None = None
    currency: Currency | None = None
    cursor: ShortText | None = None
    limit: Limit = 100


class LedgerAccount(Answer, frozen=True, kw_only=True):
    """An account of the ledger; only a wallet has an ``owner_scope``."""

    account_id: str
    kind: AccountKind
    owner_scope: OwnerScope | None
    owner_id: str
    currency: Currency
    balance: MajorText
    created_at: Timestamp


class LedgerAccounts(Listing, frozen=True, kw_only=True):
    """A page of accounts, oldest first."""

    items: list[LedgerAccount]


class EntriesQuery(StrictBody, frozen=True, kw_only=True):
    """Which page of an account's entries."""

    cursor: ShortText | None = None
    limit: Limit = 100


class LedgerEntry(Answer, frozen=True, kw_only=True):
    """One movement of an account; a credit's amount is positive."""

    transaction_id: str
    at: Timestamp
    reason: str
    subject: str
    amount: MajorText
    balance_before: MajorText
    balance_after: MajorText
    idempotency_key: str | None


class LedgerEntries(Listing, frozen=True, kw_only=True):
    """A page of an account's entries, newest first."""

    items: list[LedgerEntry]


def list_accounts(request: Request) -> LedgerAccounts:
    """Answer a page of accounts."""
    asked: AccountsQuery = request.query
    narrowed = (asked.kind, asked.owner, asked.currency)
    listing = f"accounts:{narrowed}"
    query = select(ACCOUNTS).order_by(ACCOUNTS.c.account_number).limit(asked.limit + 1)
    columns = (ACCOUNTS.c.kind, ACCOUNTS.c.owner_id, ACCOUNTS.c.currency)
    for column, wanted in zip(columns, narrowed, strict=True):
        if wanted is not None:
            query = query.where(column == wanted)
    after = read_cursor(listing, asked.cursor)
    if after is not None:
        query = query.where(ACCOUNTS.c.account_number > after)
    with request.world.snapshot() as connection:
        found = connection.execute(query).all()
    rows, cursor = cut(found, asked.limit, listing, ACCOUNTS.c.account_number.name)
    return LedgerAccounts(items=[_account(row) for row in rows], next_cursor=cursor)


def list_entries(request: Request) -> LedgerEntries:
    """Answer a page of an account's entries."""
    asked: EntriesQuery = request.query
    account_id = request.path["account_id"]
    listing = f"entries:{account_id}"
    before = read_cursor(listing, asked.cursor)
    query = _ENTRIES.limit(asked.limit + 1)
    if before is not None:
        query = query.where(ENTRIES.c.entry_number < before)
    with request.world.snapshot() as connection:
        number = _number_of(connection, account_id)
        found = connection.execute(query, {"of_account": number}).all()
    rows, cursor = cut(found, asked.limit, listing, ENTRIES.c.entry_number.name)
    return LedgerEntries(items=[_entry(row) for row in rows], next_cursor=cursor)


def _number_of(connection: Connection, account_id: str) -> int:
    number: int | None = connection.execute(_NUMBER, {"named": account_id}).scalar()
    if number is None:
        raise NotFound(f"no account {account_id!r}", code="ACCOUNT_NOT_FOUND")
    return number


def _account(row: AnyRow) -> LedgerAccount:
    return LedgerAccount(
        account_id=row.account_id,
        kind=row.kind,
        owner_scope=row.owner_scope,
        owner_id=row.owner_id,
        currency=row.currency,
        balance=major_text(row.balance),
        created_at=to_text(row.created_at),
    )


def _entry(row: AnyRow) -> LedgerEntry:
    return LedgerEntry(
        transaction_id=row.transaction_id,
        at=to_text(row.created_at),
        reason=row.reason,
        subject=row.subject,
        amount=major_text(row.amount),
        balance_before=major_text(row.balance_before),
        balance_after=major_text(row.balance_after),
        idempotency_key=row.idempotency_key,
    )


_NUMBER = select(ACCOUNTS.c.account_number).where(ACCOUNTS.c.account_id == bindparam("named"))
_ENTRIES = (
    select(
        ENTRIES.c.entry_number,
        ENTRIES.c.amount,
        ENTRIES.c.balance_before,
        ENTRIES.c.balance_after,
        TRANSACTIONS.c.transaction_id,
        TRANSACTIONS.c.created_at,
        TRANSACTIONS.c.reason,
        TRANSACTIONS.c.subject,
        TRANSACTIONS.c.idempotency_key,
    )
    .join(TRANSACTIONS, TRANSACTIONS.c.transaction_number == ENTRIES.c.transaction_number)
    .where(ENTRIES.c.account_number == bindparam("of_account"))
    .order_by(ENTRIES.c.entry_number.desc())
)
