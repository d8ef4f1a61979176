"""Pages of the operator's lists."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from settlekit_mock.http.cursors import write_cursor
from settlekit_mock.http.wire import instant
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.operations.wire import SpanQuery


class Numbered(Protocol):
    """A row with its number."""

    @property
    def number(self) -> int:
        """The row's key, which grows with time."""
        ...


Row = TypeVar("Row", bound=Numbered)


def page_of(rows: Sequence[Row], limit: int, listing: str) -> tuple[Sequence[Row], str | None]:
    """Cut a page from rows read with one row to spare; return it and the next cursor."""
    page = rows[:limit]
    return page, write_cursor(listing, page[-1].number) if len(rows) > limit else None


def span_of(query: SpanQuery) -> tuple[int | None, int | None]:
    """Read a span of time, or raise ``Invalid``."""
    since = None if query.since is None else instant(query.since, "from")
    until = None if query.until is None else instant(query.until, "to")
    if since is not None and until is not None and since > until:
        raise Invalid("from: must not be later than to")
    return since, until
