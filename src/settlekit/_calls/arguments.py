"""Arguments checked before anything is sent; each refusal names its field."""

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, cast
from urllib.parse import SplitResult, quote, urlsplit

from settlekit._scalars import parse_instant, write_instant
from settlekit.errors import InvalidArgument
from settlekit.money import MAX_AMOUNT_MINOR, check_amount_minor, check_currency

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_USAGE_EVENTS: Final = 500
MAX_BATCHES: Final = 200
MAX_DELIVERIES: Final = 100
MAX_NOTE: Final = 1000

_STATUS = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?", re.ASCII)

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


def choice(value: object, field: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidArgument(field, f"must be {' or '.join(choices)}")
    return str(value)


def optional_choice(value: str | None, field: str, choices: tuple[str, ...]) -> str | None:
    """Return one of the choices, or None where there is none."""
    return None if value is None else choice(value, field, choices)


def bounded(value: str | None, field: str, most: int) -> str | None:
    """Return a text of 1 to ``most`` characters, or None where there is none."""
    text = optional(value, field)
    if text is not None and len(text) > most:
        raise InvalidArgument(field, f"must have at most {most} characters")
    return text


def texts(values: Sequence[str] | None, field: str) -> list[str] | None:
    """Return texts that aren't empty, at least one, or None where there are none."""
    if values is None:
        return None
    if not is_list(values) or not values:
        raise InvalidArgument(field, "must be a list with at least one text")
    return [required(value, field) for value in values]


def is_list(values: object) -> bool:
    """Say whether these are several values: a text is one, and a mapping is no list."""
    return isinstance(values, Collection) and not isinstance(values, str | bytes | Mapping)


def currency(value: str | None, field: str = "currency") -> str | None:
    """Return a currency in its normal form, or None where there is none."""
    return None if value is None else check_currency(value, field)


def amount_minor(value: int | None, field: str) -> int | None:
    """Return an amount of minor units, from 1 to 2^53-1, or None where there is none."""
    return None if value is None else check_amount_minor(value, field)


def count(value: object, field: str, least: int = 1) -> int | None:
    """Return a whole number from ``least`` to 2^53-1, or None where there is none."""
    if value is None:
        return None
    if type(value) is not int or not least <= value <= MAX_AMOUNT_MINOR:
        raise InvalidArgument(field, f"must be a whole number from {least} to {MAX_AMOUNT_MINOR}")
    return value


def flag(value: object, field: str) -> bool | None:
    """Return true or false, or None where it isn't said."""
    if value is not None and type(value) is not bool:
        raise InvalidArgument(field, "must be True or False")
    return value


def status(value: object, field: str = "status") -> str | None:
    """Return a state's name; one that this version doesn't know is for the server to judge."""
    if value is not None and (not isinstance(value, str) or not _STATUS.fullmatch(value)):
        raise InvalidArgument(field, "must be a state's name, such as settled")
    return None if value is None else str(value)


def major_units(value: object, field: str) -> str | None:
    """Return a positive amount of major units, with at most eight places, as text."""
    text = _major_text(value)
    if text is not None and not Decimal(text or "0"):
        raise InvalidArgument(field, "must be a positive amount with at most eight places")
    return text


def part(value: object, field: str) -> str | None:
    """Return a part of a price in major units, zero or more, as text."""
    text = _major_text(value)
    if text == "":
        raise InvalidArgument(field, "must be an amount, zero or more, with at most eight places")
    return text


def _major_text(value: object) -> str | None:
    """Return an amount as text, empty where it is none."""
    if value is None:
        return None
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return text if _MAJOR_UNITS.fullmatch(text) and type(value) is not float else ""


def instant(value: datetime | str | None, field: str) -> str | None:
    """Return an aware instant as RFC 3339."""
    if value is None:
        return None
    try:
        aware = parse_instant(value) if isinstance(value, str) else value
        if not isinstance(aware, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidArgument(field, "must be a datetime or an RFC 3339 instant")
        if aware.tzinfo is None:
            raise InvalidArgument(field, "must be aware of its time zone")
        return write_instant(aware)
    except OverflowError:
        raise InvalidArgument(field, "must lie in the years 1 to 9999 of UTC") from None
    except InvalidArgument:
        raise
    except ValueError:
        raise InvalidArgument(field, "must be an RFC 3339 instant") from None


def span(from_: datetime | str | None, to: datetime | str | None) -> dict[str, str | None]:
    """Return a half-open span of time as a query: ``to`` itself is left out."""
    return {"from": instant(from_, "from_"), "to": instant(to, "to")}


def plan_type(value: str | None) -> str | None:
    """Return a metered plan type."""
    return optional_choice(value, "plan_type", ("micro", "nano"))


def token_symbol(value: str | None, field: str = "token_symbol") -> str | None:
    """Return a token's symbol."""
    return optional_choice(value, field, ("JPYC", "USDC"))


def limit(value: object, most: int) -> int | None:
    """Return a page's size, from 1 to ``most``."""
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= most:
        raise InvalidArgument("limit", f"must be a whole number from 1 to {most}")
    return value


def seconds(value: Any, field: str) -> float:
    """Return a duration in seconds, finite and not negative."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
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


def origins(values: Sequence[str] | None, field: str) -> list[str] | None:
    """Return origins in normal form, without repeats: lower case, no default port."""
    if values is None:
        return None
    if not is_list(values):
        raise InvalidArgument(field, "must be a list of origins")
    return list(dict.fromkeys(_origin(value, field) for value in values))


def _origin(value: object, field: str) -> str:
    text = web_url(value, field)
    parts = split_url(text, field)
    if parts.path not in {"", "/"} or "?" in text or "#" in text:
        raise InvalidArgument(field, "must be origins: no path, query or fragment")
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    usual = parts.port in {None, {"https": 443, "http": 80}[scheme]}
    return f"{scheme}://{host}" if usual else f"{scheme}://{host}:{parts.port}"


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
        # dict() would take an empty text, and a list of pairs.
        if not isinstance(cast(object, value), Mapping):
            raise TypeError
        text = json.dumps(dict(value), allow_nan=False, ensure_ascii=False)
        copied: dict[str, Any] = json.loads(text.encode())
    except (TypeError, ValueError, RecursionError):
        raise InvalidArgument(field, "must be an object that JSON can hold") from None
    return copied


def headers(values: Mapping[Any, Any]) -> dict[str, str]:
    """Return headers that can travel; a refused one isn't repeated in the error."""
    for name, value in values.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise InvalidArgument("headers", "must have names of letters, digits and hyphens")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise InvalidArgument("headers", f"must have visible ASCII text in {name}")
    return dict(values)
