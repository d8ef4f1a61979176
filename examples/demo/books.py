"""The shop's own books: what the orders must come to, worked out from the file alone.

Nothing here asks the library or the mock: bands, fees and sums are the documented rules,
written down once more, so that the demo's figures are checked by somebody else's.
"""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

BANDS = ("standard", "micro", "nano")
LAST_NANO_MINOR = {"JPY": 49, "USD": 30}
LAST_MICRO_MINOR = {"JPY": 500, "USD": 300}
FIXED_FEE_MINOR = {
    ("JPY", "micro"): Decimal(2),
    ("JPY", "nano"): Decimal("0.2"),
    ("USD", "micro"): Decimal(1),
    ("USD", "nano"): Decimal("0.1"),
}
# The launch plan: 1.8 %, at least 30 yen or 20 cents.
STANDARD_FEE_BPS = 180
LEAST_STANDARD_FEE_MINOR = {"JPY": Decimal(30), "USD": Decimal(20)}


@dataclass(frozen=True, slots=True)
class Sum:
    """What some orders come to, in minor units."""

    count: int = 0
    gross_minor: Decimal = Decimal(0)
    fee_minor: Decimal = Decimal(0)

    @property
    def receivable_minor(self) -> Decimal:
        """What the shop gets."""
        return self.gross_minor - self.fee_minor

    def __repr__(self) -> str:
        return f"{self.count} for {self.gross_minor:f}, fee {self.fee_minor:f}"

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            self.count + other.count,
            self.gross_minor + other.gross_minor,
            self.fee_minor + other.fee_minor,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, as it must be booked."""

    order_id: str
    customer: str
    channel: str
    currency: str
    band: str
    amount: Sum


def band_of(amount_minor: int, currency: str) -> str:
    """Return the band of an amount."""
    if amount_minor <= LAST_NANO_MINOR[currency]:
        return "nano"
    return "micro" if amount_minor <= LAST_MICRO_MINOR[currency] else "standard"


def fee_of(amount_minor: int, currency: str, band: str) -> Decimal:
    """Return the fee of one order in minor units."""
    if band != "standard":
        return FIXED_FEE_MINOR[currency, band]
    share = Decimal(amount_minor * STANDARD_FEE_BPS) / 10_000
    return max(share.quantize(Decimal(1), ROUND_HALF_UP), LEAST_STANDARD_FEE_MINOR[currency])


def read_lines(orders_path: Path, refused: Collection[str] = ()) -> Iterator[Line]:
    """Yield the lines of the file, but for the orders that were refused."""
    with orders_path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = [name.strip() for name in next(reader)]
        for cells in filter(None, reader):
            row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
            if row["order_id"] not in refused:
                yield _line(row)


def _line(row: dict[str, str]) -> Line:
    amount_minor, currency = int(row["amount_minor"]), row["currency"]
    band = band_of(amount_minor, currency)
    fee_minor = fee_of(amount_minor, currency, band)
    return Line(
        order_id=row["order_id"],
        customer=row["customer"],
        channel=row["channel"],
        currency=currency,
        band=band,
        amount=Sum(1, Decimal(amount_minor), fee_minor),
    )


def sums_by_band(lines: Collection[Line]) -> dict[tuple[str, str], Sum]:
    """Add lines up by currency and band; bands without an order are left out."""
    sums: dict[tuple[str, str], Sum] = {}
    for line in lines:
        key = (line.currency, line.band)
        sums[key] = sums.get(key, Sum()) + line.amount
    return {key: sums[key] for key in sorted(sums, key=lambda key: (key[0], BANDS.index(key[1])))}
