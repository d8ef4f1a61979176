"""Amounts and instants as text, strictly: Python's own readers take far more than the wire."""

import re
from datetime import UTC, datetime
from decimal import Decimal

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,63})(?:\.[0-9]{1,63})?", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def parse_decimal(text: str) -> Decimal:
    """Read a decimal string without an exponent, or raise ValueError."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"not a decimal string: {text[:40]!r}")
    return Decimal(text)


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant, always aware, or raise ValueError."""
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"not an RFC 3339 instant: {text[:40]!r}")
    return datetime.fromisoformat(text.upper())


def write_instant(value: datetime) -> str:
    """Write an instant in UTC with three fraction digits and Z."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
