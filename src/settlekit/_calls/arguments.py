"""Arguments checked before anything is sent; each refusal names its field."""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

from settlekit._scalars import parse_instant, write_instant
from settlekit.errors import InvalidArgument
from settlekit.money import check_currency

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_USAGE_EVENTS: Final = 500
MAX_BATCHES: Final = 200

_MAJOR_UNITS = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,8})?", re.ASCII)


def path_segment(value: str, field: str) -> str:
    """Return an id as one segment of a path."""
    text = required(value, field)
    if text in {".", ".."}:
        raise InvalidArgument(field, "must be an id")
    return quote(text, safe="")


def required(value: object, field: str) -> str:
    """Return a text that isn't empty, trimmed."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidArgument(field, "is required")
    return encodable(value.strip(), field)


def optional(value: str | None, field: str) -> str | None:
    """Return a text that isn't empty, or None where there is none."""
    return None if value is None else required(value, field)


def encodable(text: str, field: str) -> str:
    """Return a text that can travel as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(field, "must be valid Unicode") from None
    return text


def choice(value: str | None, field: str, choices: tuple[str, ...]) -> str | None:
    """Return one of the choices, or None where there is none."""
    if value is not None and value not in choices:
        raise InvalidArgument(field, f"must be {' or '.join(choices)}")
    return None if value is None else str(value)


def bounded(value: str | None, field: str, most: int) -> str | None:
    """Return a text of 1 to ``most`` characters, or None where there is none."""
    text = optional(value, field)
    if text is not None and len(text) > most:
        raise InvalidArgument(field, f"must have at most {most} characters")
    return text


def currency(value: str | None) -> str | None:
    """Return a currency in its normal form, or None where there is none."""
    return None if value is None else check_currency(value)


def major_units(value: object, field: str) -> str | None:
    """Return a positive amount of major units, with at most eight places, as text."""
    if value is None:
        return None
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if not _MAJOR_UNITS.fullmatch(text) or type(value) is float or not Decimal(text):
        raise InvalidArgument(field, "must be a positive amount with at most eight places")
    return text


def instant(value: datetime | str | None, field: str) -> str | None:
    """Return an aware instant as RFC 3339."""
    if value is None:
        return None
    try:
        aware = parse_instant(value) if isinstance(value, str) else value
    except ValueError:
        raise InvalidArgument(field, "must be an RFC 3339 instant") from None
    if aware.tzinfo is None:
        raise InvalidArgument(field, "must be aware of its time zone")
    return write_instant(aware)


def plan_type(value: str | None) -> str | None:
    """Return a metered plan type."""
    return choice(value, "plan_type", ("micro", "nano"))


def token_symbol(value: str | None) -> str | None:
    """Return a token's symbol."""
    return choice(value, "token_symbol", ("JPYC", "USDC"))


def limit(value: object, most: int) -> int | None:
    """Return a page's size, from 1 to ``most``."""
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= most:
        raise InvalidArgument("limit", f"must be a whole number from 1 to {most}")
    return value


def seconds(value: float, field: str) -> float:
    """Return a duration in seconds, finite and not negative."""
    if not math.isfinite(value) or value < 0:
        raise InvalidArgument(field, "must be a finite number of seconds, not negative")
    return float(value)


def web_url(value: object, field: str) -> str:
    """Return an absolute URL: https, or http on a loopback name; no userinfo."""
    text = required(value, field)
    parts = split_url(text, field)
    if parts.scheme.lower() not in {"https", "http"} or not parts.hostname:
        raise InvalidArgument(field, "must be an absolute https URL")
    if parts.username is not None or parts.password is not None:
        raise InvalidArgument(field, "must not carry a user name or password")
    if parts.scheme.lower() == "http" and parts.hostname not in LOOPBACK_NAMES:
        raise InvalidArgument(field, "must be https, or http on localhost, 127.0.0.1 or [::1]")
    return text


def split_url(text: str, field: str) -> SplitResult:
    """Split a URL whose host and port can be read."""
    if any(ord(mark) <= 0x20 or ord(mark) == 0x7F for mark in text) or "\\" in text:
        raise InvalidArgument(field, "must be a URL without spaces or backslashes")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise InvalidArgument(field, "must be a URL") from None
    return parts


def metadata(value: Mapping[str, Any] | None, field: str = "metadata") -> dict[str, Any] | None:
    """Return an object that JSON can hold."""
    if value is None:
        return None
    try:
        text = json.dumps(dict(value), allow_nan=False, ensure_ascii=False)
        copied: dict[str, Any] = json.loads(text.encode())
    except (TypeError, ValueError, RecursionError):
        raise InvalidArgument(field, "must be an object that JSON can hold") from None
    return copied
