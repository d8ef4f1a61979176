"""Pages of the console's lists, and what they are narrowed to."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table

from settlekit_mock.http.cursors import write_cursor
from settlekit_mock.http.wire import Currency, ShortText, StrictBody
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.payments.tables import merchant_named, merchants_of
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.settlement.providers import find_provider
from settlekit_mock.settlement.tables import PERIODS

NOBODY_YET = 0
"""The number of a provider who hasn't sold anything: no row has it."""


class PartiesQuery(StrictBody, frozen=True, kw_only=True):
    """Whose: a buyer's, a merchant's (its key, or its provider's id), in which currency."""

    buyer: ShortText | None = None
    merchant: ShortText | None = None
    currency: Currency | None = None


def between(connection: Connection, query: Any, asked: PartiesQuery, table: Table) -> Any:
    """Narrow a query on a table and its periods to who pays whom in which currency.

    Raises ``NotFound`` for a buyer or a merchant that isn't there.
    """
    if asked.buyer is not None:
        number = buyer_with_id(connection, asked.buyer).buyer_number
        query = query.where(table.c.buyer_number == number)
    if asked.merchant is not None:
        query = query.where(table.c.provider_number == _seller(connection, asked.merchant))
    if asked.currency is not None:
        query = query.where(PERIODS.c.currency == asked.currency)
    return query


def _seller(connection: Connection, name: str) -> int:
    """Return the number of a provider: a scope is a person's, whichever merchant of theirs sold."""
    merchant = merchant_named(connection, name.strip().lower())
    provider_id = name if merchant is None else merchant.merchant_user_id
    provider = find_provider(connection, provider_id)
    if provider is not None:
        return provider.provider_number
    if merchant is None and not merchants_of(connection, provider_id):
        raise NotFound(f"no merchant or provider {name!r}", code="EXTERNAL_402_MERCHANT_NOT_FOUND")
    return NOBODY_YET


def cut(
    rows: Sequence[AnyRow], limit: int, listing: str, number: str
) -> tuple[Sequence[AnyRow], str | None]:
    """Cut a page from rows read with one to spare; return it and the next cursor."""
    page = rows[:limit]
    more = len(rows) > limit
    return page, write_cursor(listing, getattr(page[-1], number)) if more else None
