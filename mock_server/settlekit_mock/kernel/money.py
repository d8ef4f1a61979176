"""Money as integers.

An amount is an ``int`` of *units*: 10⁻⁸ of a major unit (or of a credit), beside its
currency. A float never holds money. Amounts fit 63 bits.
"""

import re
from typing import Final

PLACES: Final = 8
MAJOR: Final = 10**PLACES
"""Units in one major unit: one yen, one dollar, one credit."""
LIMIT: Final = 2**63 - 1
"""The largest amount the database holds."""

_MAJOR_TEXT: Final = re.compile(r"(\d{1,11})(?:\.(\d{1,8}))?", re.ASCII)


def major_text(units: int) -> str:
    """Write units as a decimal string of major units with eight places: ``"2.50000000"``."""
    whole, part = divmod(abs(units), MAJOR)
    return f"{'-' if units < 0 else ''}{whole}.{part:08d}"


def units_from_major(text: str) -> int:
    """Read a positive decimal string of major units with up to eight places.

    Raises ``ValueError`` for zero, a sign, an exponent, more places, or more than the
    ledger can hold.
    """
    found = _MAJOR_TEXT.fullmatch(text)
    if found is None:
        raise ValueError('expected a decimal string with up to eight places, such as "2.50"')
    whole, part = found.groups(default="")
    units = int(whole) * MAJOR + int(part.ljust(PLACES, "0"))
    if not 0 < units <= LIMIT:
        raise ValueError("an amount is greater than zero and at most 92233720368.54775807")
    return units
