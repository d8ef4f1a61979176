"""A download as a value: the call, how its rows are read, how to tell that it is whole."""

from typing import Generic, TypeVar

import attrs

from settlekit._calls.call import Answer, Call
from settlekit._csv import RowFormat
from settlekit.models import SettlementBatch

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Download(Generic[T]):
    """A CSV file to stream; ``batch`` asks for the digest its rows must have."""

    call: Call[Answer]
    rows: RowFormat[T]
    batch: Call[SettlementBatch] | None = None


def download(path: str, rows: RowFormat[T], query: dict[str, str]) -> Download[T]:
    """Make a download, which is safe to repeat until its first row was read."""
    call = Call(
        method="GET",
        path=path,
        read=_as_it_is,
        query=query,
        headers={"accept": "text/csv"},
        repeatable=True,
    )
    return Download(call=call, rows=rows)


def _as_it_is(answer: Answer) -> Answer:
    return answer
