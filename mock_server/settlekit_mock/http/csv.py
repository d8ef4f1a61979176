"""CSV that a spreadsheet can open without running what a stranger wrote into it."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
RUN_BY_SPREADSHEETS: Final = frozenset("=+-@\t\r\n＝＋－＠")
"""What begins a formula; East Asian spreadsheets take the full-width forms too."""


def guarded(cell: str) -> str:
    """Make a caller-given cell harmless: an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if cell and cell[0] in RUN_BY_SPREADSHEETS else cell


def lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as CSV in UTF-8, quoted where needed, each ended by CR LF (RFC 4180)."""
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
