"""Amounts of metered and standard payments: units, wire strings, fees and plans.

Sources: docs/platform.md, "Money and bands", "Standard plans" and "Amounts of metered rows
and batches"; docs/decisions.md, "Money and plans".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from settlekit.money import METERED_FEE_MINOR, TOKENS, Band, band_of, parse_minor

UNITS_PER_MINOR: Final[Mapping[str, int]] = MappingProxyType({"JPY": 100_000_000, "USD": 1_000_000})

LARGEST_AMOUNT_MINOR: Final[Mapping[str, int]] = MappingProxyType(
    {"JPY": 92_233_720_368, "USD": 9_223_372_036_800}
)
"""92,233,720,368 major units: the largest whole number of them that 63 bits of units hold."""

CURRENCIES_BY_TOKEN: Final[Mapping[str, str]] = MappingProxyType(
    {token: currency for currency, token in TOKENS.items()}
)

# Decimal places of a minor unit that units can tell apart.
_PLACES: Final[Mapping[str, int]] = MappingProxyType({"JPY": 8, "USD": 6})


def units_of(amount_minor: int, currency: str) -> int:
    """Turn whole minor units into units."""
    return amount_minor * UNITS_PER_MINOR[currency]


def wire_minor(amount: int, currency: str) -> str:
    """Write units as a decimal string of minor units: ``"98"``, ``"0.2"``.

    Exact, without an exponent or trailing zeros.
    """
    whole, part = divmod(abs(amount), UNITS_PER_MINOR[currency])
    text = str(whole) if not part else f"{whole}.{part:0{_PLACES[currency]}d}".rstrip("0")
    return text if amount >= 0 else f"-{text}"


def units_from_wire(text: str, currency: str) -> int:
    """Read a decimal string of minor units as units.

    Raises ``InvalidArgument``, which is a ``ValueError``, where it isn't one, and
    ``ValueError`` where it is finer than a unit.
    """
    scaled = parse_minor(text).as_integer_ratio()
    amount, finer = divmod(scaled[0] * UNITS_PER_MINOR[currency], scaled[1])
    if finer:
        raise ValueError(f"an amount has at most {_PLACES[currency]} places of a minor unit")
    return amount


def _units_of_fee(fee_minor: Decimal, currency: str) -> int:
    return int(fee_minor * UNITS_PER_MINOR[currency])


METERED_FEE: Final[Mapping[tuple[str, Band], int]] = MappingProxyType(
    {key: _units_of_fee(fee_minor, key[0]) for key, fee_minor in METERED_FEE_MINOR.items()}
)
"""The fixed fee of a metered payment in units, by currency and band."""


class MeteredSplit(NamedTuple):
    """How one metered payment divides, in units: gross = fee + receivable, exactly.

    Every fee is smaller than the smallest price of its band, so a receivable is positive.
    """

    band: Band
    gross: int
    fee: int
    receivable: int


def split_metered(amount_minor: int, currency: str) -> MeteredSplit:
    """Divide a micro or nano price into fee and receivable.

    Raises ``ValueError`` for an amount of the standard band.
    """
    band = band_of(amount_minor, currency)
    if band is Band.STANDARD:
        raise ValueError(f"{amount_minor} {currency} settles per payment: it isn't metered")
    gross, fee = units_of(amount_minor, currency), METERED_FEE[currency, band]
    return MeteredSplit(band, gross, fee, gross - fee)


@dataclass(frozen=True, slots=True)
class Plan:
    """A merchant's plan: the fee of standard payments and the base fee of a month."""

    name: str
    settlement_fee_bps: int
    monthly_fee_minor: Mapping[str, int]


def _plan(name: str, settlement_fee_bps: int, jpy: int, usd: int) -> Plan:
    return Plan(name, settlement_fee_bps, MappingProxyType({"JPY": jpy, "USD": usd}))


PLANS: Final[Mapping[str, Plan]] = MappingProxyType(
    {
        "launch": _plan("launch", 180, 0, 0),
        "starter": _plan("starter", 100, 980, 600),
        "growth": _plan("growth", 70, 2980, 1800),
        "pro": _plan("pro", 50, 9800, 6000),
    }
)
LEGACY_PLAN_NAMES: Final[Mapping[str, str]] = MappingProxyType({"free": "launch"})
SETTLEMENT_FEE_MIN_MINOR: Final[Mapping[str, int]] = MappingProxyType({"JPY": 30, "USD": 20})


def plan_named(name: str) -> Plan:
    """Return a plan by its name, or by a legacy one; raise ``ValueError`` for neither."""
    plan = PLANS.get(LEGACY_PLAN_NAMES.get(name, name))
    if plan is None:
        raise ValueError(f"a billing plan is one of {', '.join(PLANS)}")
    return plan


def standard_fee_minor(amount_minor: int, currency: str, plan: Plan) -> int:
    """Return the fee of a standard payment in whole minor units.

    The plan's basis points round half up to a whole minor unit; then the minimum applies.
    """
    by_rate = (amount_minor * plan.settlement_fee_bps + 5_000) // 10_000
    return max(by_rate, SETTLEMENT_FEE_MIN_MINOR[currency])
