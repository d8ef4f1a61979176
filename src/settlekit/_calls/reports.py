"""Usage of models, what it earned, and the operator's reports as CSV."""

from datetime import datetime
from typing import TypeVar

from settlekit._calls import arguments
from settlekit._calls.call import stated
from settlekit._calls.download import Download, download
from settlekit._csv import RowFormat
from settlekit._report_rows import report_rows
from settlekit.models import PayoutRow, RevenueReportRow, UsageReportRow

T = TypeVar("T")

REPORTS = "/admin/reports"


def usage_report(
    *, from_: datetime | str | None, to: datetime | str | None, currency: str | None
) -> Download[UsageReportRow]:
    """Ask for each use of a model, newest first."""
    return _report("usage", UsageReportRow, from_, to, currency)


def revenue_report(
    *, from_: datetime | str | None, to: datetime | str | None, currency: str | None
) -> Download[RevenueReportRow]:
    """Ask for each app's calls and revenue, of idle apps too."""
    return _report("revenue", RevenueReportRow, from_, to, currency)


def payouts_report(
    *, from_: datetime | str | None, to: datetime | str | None, currency: str | None
) -> Download[PayoutRow]:
    """Ask for payouts, newest first."""
    return _report("payouts", PayoutRow, from_, to, currency)


def _report(
    name: str,
    kind: type[T],
    from_: datetime | str | None,
    to: datetime | str | None,
    currency: str | None,
) -> Download[T]:
    normal = arguments.currency(currency)
    query = stated({**arguments.span(from_, to), "currency": normal})
    rows: RowFormat[T] = report_rows(kind, normal)
    return download(f"{REPORTS}/{name}.csv", rows, query)
