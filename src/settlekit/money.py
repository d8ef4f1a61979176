"""Money in minor units: bands, fees and decimal strings.

A one-time amount is a whole number of minor units (1 yen, 1 US cent). A metered amount
is a ``Decimal`` of minor units here and a decimal string on the wire; a float never
holds money.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from settlekit.errors import InvalidArgument

MAX_AMOUNT_MINOR: Final = 2**53 - 1
MAX_DECIMAL_LENGTH: Final = 64

TOKENS: Final[Mapping[str, str]] = MappingProxyType({"JPY": "JPYC", "USD": "USDC"})


class Band(StrEnum):
    """How a payment settles, chosen by its amount alone."""

    STANDARD = "standard"
    MICRO = "micro"
    NANO = "nano"


#: The last amount of the nano and of the micro band, in minor units.
BAND_LIMITS_MINOR: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {"JPY": (49, 500), "USD": (30, 300)}
)

METERED_FEE_MINOR: Final[Mapping[tuple[str, Band], Decimal]] = MappingProxyType(
    {
        ("JPY", Band.MICRO): Decimal(2),
        ("JPY", Band.NANO): Decimal("0.2"),
        ("USD", Band.MICRO): Decimal(1),
        ("USD", Band.NANO): Decimal("0.1"),
    }
)

# int() and Decimal() take other scripts' digits, underscores and white space.
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)


def check_amount_minor(amount_minor: int, field: str = "amount_minor") -> int:
    """Return a one-time amount in minor units, or raise InvalidArgument.

    An amount is an int from 1 to 2^53-1, the largest that every JSON reader keeps exact.
    """
    if type(amount_minor) is not int:
        raise InvalidArgument(field, "must be a whole number of minor units")
    if not 1 <= amount_minor <= MAX_AMOUNT_MINOR:
        raise InvalidArgument(field, f"must be from 1 to {MAX_AMOUNT_MINOR}")
    return amount_minor


def check_currency(currency: str, field: str = "currency") -> str:
    """Return a currency in its normal form, upper case, or raise InvalidArgument."""
    normal = _upper(currency)
    if normal not in TOKENS:
        raise InvalidArgument(field, "must be JPY or USD")
    return normal


def band_of(amount_minor: int, currency: str) -> Band:
    """Return the band of an amount in minor units; raise InvalidArgument for neither."""
    amount = check_amount_minor(amount_minor)
    nano_last, micro_last = BAND_LIMITS_MINOR[check_currency(currency)]
    if amount <= nano_last:
        return Band.NANO
    return Band.MICRO if amount <= micro_last else Band.STANDARD


def parse_minor(text: str, field: str = "amount_minor") -> Decimal:
    """Read a decimal string of minor units: ASCII digits, no exponent.

    Raises InvalidArgument for anything else, NaN and other scripts' digits included.
    """
    if not _is_decimal(text):
        raise InvalidArgument(field, "must be a decimal string of minor units")
    return Decimal(text)


def format_minor(value: Decimal) -> str:
    """Write minor units as a decimal string: no exponent, no trailing zeros ("0.2").

    Raises InvalidArgument for NaN and infinities.
    """
    if not value.is_finite():
        raise InvalidArgument("value", "must be finite")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _is_decimal(text: object) -> bool:
    if not isinstance(text, str) or len(text) > MAX_DECIMAL_LENGTH:
        return False
    return _DECIMAL.fullmatch(text) is not None


def _upper(text: object) -> str:
    return text.strip().upper() if isinstance(text, str) and text.isascii() else ""
