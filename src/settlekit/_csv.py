"""CSV ⇄ rows, without I/O: bytes in as they come, typed rows out, nothing kept.

A body that was cut is never taken for a whole one: the last record must end with a line
feed, and every record has all columns.
"""

import csv
from collections.abc import Callable, Iterable
from datetime import datetime
from io import StringIO
from typing import Final, Generic, TypeVar

import attrs

from settlekit._scalars import Memo, parse_decimal, parse_instant
from settlekit.digest import SEED, extend, render
from settlekit.errors import DecodeError
from settlekit.models.rows import UsageRow
from settlekit.models.states import PlanType, SettlementCadence, UsageStatus

T = TypeVar("T")

MAX_RECORD_BYTES: Final = 1 << 20


def parse_optional_instant(text: str) -> datetime | None:
    """Read an instant, or an empty cell."""
    return parse_instant(text) if text else None


_decimal = Memo(parse_decimal)
_period = Memo(parse_optional_instant)
_plan_type = Memo(PlanType)
_cadence = Memo(SettlementCadence)
_usage_status = Memo(UsageStatus)


def usage_row(cells: list[str]) -> UsageRow:
    """Read one accepted payment."""
    return UsageRow(
        cells[0],
        parse_instant(cells[1]),
        _plan_type[cells[2]],
        _cadence[cells[3]],
        _period[cells[4]],
        _period[cells[5]],
        cells[6] or None,
        cells[7] or None,
        cells[8] or None,
        cells[9],
        cells[10],
        _decimal[cells[11]],
        _decimal[cells[12]],
        _decimal[cells[13]],
        _decimal[cells[14]],
        _decimal[cells[15]],
        _decimal[cells[16]],
        _decimal[cells[17]],
        _usage_status[cells[18]],
        cells[19] or None,
        cells[20] or None,
    )


def usage_digest(state: bytes, records: Iterable[list[str]]) -> bytes:
    """Add a batch's rows to the hash chain, their cells as they are on the wire."""
    for cells in records:
        state = extend(
            state,
            metered_usage_id=cells[0],
            created_at=cells[1],
            provider_gross_amount_minor=cells[11],
            protocol_fee_minor=cells[14],
        )
    return state


@attrs.frozen(kw_only=True)
class RowFormat(Generic[T]):
    """A file's columns and how a row is read; ``chain`` hashes the rows, where they are."""

    columns: tuple[str, ...]
    parse: Callable[[list[str]], T]
    chain: Callable[[bytes, Iterable[list[str]]], bytes] | None = None


USAGE_ROWS: Final = RowFormat(
    columns=tuple(field.name for field in attrs.fields(UsageRow)),
    parse=usage_row,
    chain=usage_digest,
)


class RowReader(Generic[T]):
    """Takes a file's bytes piece by piece and gives its rows; keeps the unfinished record."""

    def __init__(self, row_format: RowFormat[T]) -> None:
        self.row_count = 0
        self._format = row_format
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._quoted = False
        self._order: list[int] | None = None
        self._started = False
        self._width = len(row_format.columns)
        self._state = SEED

    @property
    def digest(self) -> str:
        """The usage digest of the rows so far."""
        return render(self._state)

    def rows(self, piece: bytes) -> list[T]:
        """Return the rows that are complete with this piece."""
        first = self.row_count
        parse = self._format.parse
        read: list[T] = []
        try:
            for cells in self.records(piece):
                read.append(parse(cells))  # noqa: PERF401  (its length says which one failed)
        except ValueError as error:
            raise _broken(str(error), first + len(read)) from error
        return read

    def records(self, piece: bytes) -> list[list[str]]:
        """Return the records that are complete with this piece, as cells."""
        whole = self._whole(piece)
        if self._kept_bytes > MAX_RECORD_BYTES:
            raise _broken("a record without an end", self.row_count)
        records = self._cells(whole) if whole else []
        if records and not self._started:
            self._open(records.pop(0))
        self._check_width(records)
        records = self._arranged(records)
        self.row_count += len(records)
        if self._format.chain is not None:
            self._state = self._format.chain(self._state, records)
        return records

    def finish(self) -> None:
        """Raise DecodeError unless the file ended where a record ends."""
        if self._kept_bytes:
            raise _broken("the file is cut in the middle of a record", self.row_count)
        if not self._started:
            raise _broken("the file has no header", 0)

    def _whole(self, piece: bytes) -> bytes:
        """Return the bytes of all complete records, and keep those of the last one."""
        # Each byte is looked at once: what was kept holds no end, however small the pieces are.
        end = _end_of_records(piece, quoted=self._quoted)
        self._quoted ^= bool(piece.count(b'"') % 2)
        if not end:
            self._kept.append(piece)
            self._kept_bytes += len(piece)
            return b""
        whole = b"".join((*self._kept, piece[:end]))
        self._kept = [piece[end:]]
        self._kept_bytes = len(piece) - end
        return whole

    def _cells(self, whole: bytes) -> list[list[str]]:
        try:
            text = whole.decode("utf-8" if self._started else "utf-8-sig")
            # StringIO alone leaves a quoted carriage return as it is.
            return [cells for cells in csv.reader(StringIO(text, ""), strict=True) if cells]
        except (UnicodeDecodeError, csv.Error) as error:
            raise _broken(str(error), self.row_count) from error

    def _open(self, header: list[str]) -> None:
        missing = [name for name in self._format.columns if name not in header]
        if missing:
            raise _broken(f"missing column {missing[0]}", 0)
        self._started = True
        self._width = len(header)
        if tuple(header) != self._format.columns:
            self._order = [header.index(name) for name in self._format.columns]

    def _check_width(self, records: list[list[str]]) -> None:
        for index, cells in enumerate(records):
            if len(cells) != self._width:
                problem = f"{len(cells)} cells where {self._width} belong"
                raise _broken(problem, self.row_count + index)

    def _arranged(self, records: list[list[str]]) -> list[list[str]]:
        if self._order is None:
            return records
        return [[cells[index] for index in self._order] for cells in records]


def _broken(problem: str, rows_before: int) -> DecodeError:
    return DecodeError((f"{problem} @ row {rows_before + 1}",))


def _end_of_records(body: bytes, *, quoted: bool) -> int:
    """Return where the last complete record ends: a line feed outside quotes.

    ``quoted`` says whether the bytes begin inside quotes.
    """
    end = body.rfind(b"\n") + 1
    quotes = quoted + body.count(b'"', 0, end)
    while end and quotes % 2:
        shorter = body.rfind(b"\n", 0, end - 1) + 1
        quotes -= body.count(b'"', shorter, end)
        end = shorter
    return end
