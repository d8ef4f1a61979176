"""What the story found out, and the shape of a check of it."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from examples.demo.books import Line, read_lines
from examples.demo.money import Step
from examples.demo.orders import Month
from examples.demo.shop_books import ShopEvent
from examples.demo.shopping import Outcome
from examples.demo.statements import Statements
from examples.shop_parts.tables import Order
from settlekit.models import Payout

LONGEST_DIFFERENCE = 300


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the story found out."""

    orders_path: Path
    month: Month
    outcome: Outcome
    standard_payments: list[tuple[str, Decimal, Decimal]]
    statements: Statements
    shop_orders: list[Order]
    shop_events: list[ShopEvent]
    shop_deliveries: int
    """How many deliveries the shop accepted, repeats among them."""
    redelivered: int
    """How many events were asked for again."""
    shop_digests: dict[str, str]
    """The digest that each batch's webhook brought."""
    before_payout: Step
    after_payout: Step
    payouts: list[Payout]
    report_paths: dict[str, Path]
    mismatch_count: int

    @property
    def lines(self) -> list[Line]:
        """The file's lines, without the orders that were refused."""
        return list(read_lines(self.orders_path, self.outcome.refused))


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so: what was expected, and what was found."""

    title: str
    expected: object
    found: object

    @property
    def difference(self) -> str | None:
        """What differs, or None."""
        if self.expected == self.found:
            return None
        expected, found = _apart(self.expected, self.found)
        return f"expected {_short(expected)}, found {_short(found)}"


def _apart(expected: object, found: object) -> tuple[object, object]:
    """Leave out what two collections have in common."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return (
            {key: value for key, value in expected.items() if found.get(key) != value},
            {key: value for key, value in found.items() if expected.get(key) != value},
        )
    if isinstance(expected, list) and isinstance(found, list) and len(expected) != len(found):
        wanted, got = Counter(expected), Counter(found)
        return list((wanted - got).elements()), list((got - wanted).elements())
    return expected, found


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_DIFFERENCE else f"{text[:LONGEST_DIFFERENCE]}…"
