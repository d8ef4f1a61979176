"""CSV that a spreadsheet can open without running what a stranger wrote into it."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
_RUN_BY_SPREADSHEETS: Final = re.compile(
    "(?:[^\\S\t\r\n]|[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff])*[=+\\-@\t\r\n＝＋－＠]"
)
"""What begins a formula, also behind blanks that show and such as don't: some programs trim
them. East Asian spreadsheets take the full-width forms too."""


def guarded(cell: str) -> str:
    """Make a caller-given cell harmless: an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if _RUN_BY_SPREADSHEETS.match(cell) else cell


def lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as CSV in UTF-8, quoted where needed, each ended by CR LF (RFC 4180)."""
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
