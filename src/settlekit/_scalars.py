"""Amounts and instants as text, strictly: Python's own readers take far more than the wire."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Generic, TypeVar

from settlekit._redaction import redact

K = TypeVar("K")
V = TypeVar("V")

MAX_REMEMBERED: Final = 4096

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,63})(?:\.[0-9]{1,63})?", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def parse_decimal(text: str) -> Decimal:
    """Read a decimal string without an exponent, or raise ValueError."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"not a decimal string: {_shown(text)}")
    return Decimal(text)


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant, always aware, or raise ValueError."""
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"not an RFC 3339 instant: {_shown(text)}")
    instant = datetime.fromisoformat(text.upper())
    if text[-1] not in "Zz":
        _check_in_utc(instant)
    return instant


def _shown(text: str) -> str:
    # A column that slipped may have put anything here.
    return repr(redact(text)[:40])


def _check_in_utc(instant: datetime) -> None:
    try:
        instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("not an instant of the years 1 to 9999 of UTC") from None


def write_instant(value: datetime) -> str:
    """Write an instant in UTC with three fraction digits and Z."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Memo(dict[K, V], Generic[K, V]):
    """The values of texts that repeat, each made once; it forgets all when it grows too big."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: K) -> V:
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        value = self[text] = self._make(text)
        return value
