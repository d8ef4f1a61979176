"""The routes of the reports."""

from collections.abc import Callable, Iterator
from typing import Final

from settlekit_mock.http.csv import MEDIA_TYPE
from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route, Stream
from settlekit_mock.kernel.world import World
from settlekit_mock.operations.paging import span_of
from settlekit_mock.operations.reports import Span, payouts_csv, usage_csv
from settlekit_mock.operations.revenue_report import revenue_csv
from settlekit_mock.operations.wire import ReportQuery

Write = Callable[[World, Span], Iterator[bytes]]


def _report(name: str, write: Write, summary: str) -> Route:
    def run(request: Request) -> Stream:
        query: ReportQuery = request.query
        span = Span(query.currency, *span_of(query))
        return Stream(write(request.world, span), MEDIA_TYPE, filename=f"{name}.csv")

    return Route(
        "GET",
        f"/v1/admin/reports/{name}.csv",
        Role.ADMIN,
        run,
        "text/csv",
        summary,
        query=ReportQuery,
        dialect=OPERATIONS,
    )


REPORT_ROUTES: Final = (
    _report("usage", usage_csv, "Report each use of a model as CSV, newest first"),
    _report("revenue", revenue_csv, "Report what each app sold as CSV, idle apps too"),
    _report("payouts", payouts_csv, "Report the payouts of a currency as CSV, newest first"),
)
