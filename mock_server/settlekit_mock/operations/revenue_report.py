"""The revenue report: what each app sold, idle apps too."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from settlekit_mock.http.csv import guarded, lines
from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.tables import exact_sum, joined
from settlekit_mock.operations.apps import App, all_apps
from settlekit_mock.operations.reports import (
    AMOUNT_COLUMNS,
    Cells,
    Query,
    Span,
    currency_cell,
    currency_column,
    developer_email,
)
from settlekit_mock.operations.usage_tables import USAGE_RECORDS

APPS_AT_ONCE = 200


def revenue_csv(world: World, span: Span) -> Iterator[bytes]:
    """Write what each app sold in a span, the newest app first."""
    money = (f"{name}{span.suffix}" for name in AMOUNT_COLUMNS)
    named = ("public_app_id", "developer_id", "developer_email", "total_calls")
    yield lines([(*named, *currency_column(span), *money)])
    with world.snapshot() as connection:
        apps = all_apps(connection)
    for first in range(0, len(apps), APPS_AT_ONCE):
        chunk = apps[first : first + APPS_AT_ONCE]
        with world.snapshot() as connection:
            sold = _sold(connection, chunk, span)
        yield lines(_cells(app, sold.get(app.public_app_id, _NOTHING), span) for app in chunk)


def _sold(connection: Connection, apps: Sequence[App], span: Span) -> dict[str, tuple[int, ...]]:
    """Return calls and amounts in units, by app."""
    query = span.within(_SOLD, USAGE_RECORDS.c.created_at)
    given: dict[str, Any] = {
        "in_currency": span.currency,
        "apps": [app.public_app_id for app in apps],
    }
    rows: Iterable[Sequence[Any]] = connection.execute(query, given)
    return {row[0]: (row[1], *_amounts(row[2:])) for row in rows}


def _amounts(halves: Sequence[int]) -> Iterator[int]:
    return (joined(high, low) for high, low in zip(halves[::2], halves[1::2], strict=True))


def _cells(app: App, sold: Sequence[int], span: Span) -> Cells:
    calls, *amounts = sold
    return (
        guarded(app.public_app_id),
        guarded(app.developer_id),
        guarded(developer_email(app.developer_id)),
        str(calls),
        *currency_cell(span),
        *map(major_text, amounts),
    )


_NOTHING = (0, 0, 0, 0, 0)
_SOLD: Query = (
    select(
        USAGE_RECORDS.c.public_app_id,
        func.count(),
        *exact_sum(USAGE_RECORDS.c.upstream),
        *exact_sum(USAGE_RECORDS.c.retail),
        *exact_sum(USAGE_RECORDS.c.channel),
        *exact_sum(USAGE_RECORDS.c.platform),
    )
    .where(
        USAGE_RECORDS.c.currency == bindparam("in_currency"),
        USAGE_RECORDS.c.public_app_id.in_(bindparam("apps", expanding=True)),
    )
    .group_by(USAGE_RECORDS.c.public_app_id)
)
