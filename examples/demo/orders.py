"""Read the files of a month: its orders, and where its customers live.

Whatever is wrong with a file is said in one line that names the file and the line in it.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from settlekit.money import TOKENS, Band, band_of

ORDER_COLUMNS = (
    "order_id",
    "placed_at",
    "customer",
    "channel",
    "item",
    "amount_minor",
    "currency",
)
CUSTOMER_COLUMNS = ("customer", "timezone")
CHANNELS = ("web", "agent")
LONGEST_TEXT = 100
YEARS = (2000, 2100)
# The mock's ledger holds 92,233,720,368 major units; every sum of the demo stays below.
LARGEST_TOTAL_MINOR = {"JPY": 90_000_000_000, "USD": 9_000_000_000_000}

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,16}", re.ASCII)


class BadFile(Exception):
    """A file that can't be played; its text is one line that says where and why."""


@dataclass(frozen=True, slots=True)
class Order:
    """One line of the orders, its instant in UTC."""

    order_id: str
    placed_at: datetime
    customer: str
    channel: str
    item: str
    amount_minor: int
    currency: str

    @property
    def band(self) -> Band:
        """The band, which the amount alone decides."""
        return band_of(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True)
class Month:
    """The orders, oldest first, and each customer's time zone."""

    orders: tuple[Order, ...]
    timezones: dict[str, str]
    sorted_count: int
    """How many lines came before an older one."""

    @property
    def customers(self) -> list[str]:
        """Who buys, in the order of their first purchase."""
        return list(dict.fromkeys(order.customer for order in self.orders))

    @property
    def currencies(self) -> list[str]:
        """The currencies in use."""
        return sorted({order.currency for order in self.orders})

    @property
    def starts_at(self) -> datetime:
        """The first instant of the first order's month."""
        first = self.orders[0].placed_at
        return datetime(first.year, first.month, 1, tzinfo=UTC)


def read_month(orders_path: Path, customers_path: Path | None = None) -> Month:
    """Read the orders, and the customers beside them unless another file is named."""
    given = _read_orders(orders_path)
    beside = orders_path.with_name("customers.csv")
    if customers_path is None and beside.is_file():
        customers_path = beside
    zones = {} if customers_path is None else _read_timezones(customers_path)
    orders = tuple(sorted(given, key=lambda order: order.placed_at))
    return Month(
        orders=orders,
        timezones={order.customer: zones.get(order.customer, "UTC") for order in orders},
        sorted_count=sum(later.placed_at < earlier.placed_at for earlier, later in pairwise(given)),
    )


# -- orders ------------------------------------------------------------------------------


def _read_orders(path: Path) -> list[Order]:
    found: list[Order] = []
    first_lines: dict[str, int] = {}
    totals_minor: dict[str, int] = defaultdict(int)
    for line, cells in _records(path, ORDER_COLUMNS):
        try:
            order = _order(cells)
            if order.order_id in first_lines:
                raise ValueError(
                    f"order_id {order.order_id!r} was used in line {first_lines[order.order_id]}"
                )
            totals_minor[order.currency] += order.amount_minor
            if totals_minor[order.currency] > LARGEST_TOTAL_MINOR[order.currency]:
                raise ValueError(f"the {order.currency} orders come to more than the mock holds")
        except ValueError as problem:
            raise BadFile(f"{path}, line {line}: {problem}") from None
        first_lines[order.order_id] = line
        found.append(order)
    if not found:
        raise BadFile(f"{path}: there is no order in it")
    return found


def _order(cells: dict[str, str]) -> Order:
    order = Order(
        order_id=_text(cells, "order_id"),
        placed_at=_instant(cells["placed_at"]),
        customer=_text(cells, "customer"),
        channel=_one_of(cells, "channel", CHANNELS),
        item=_text(cells, "item"),
        amount_minor=_amount(cells["amount_minor"]),
        currency=_one_of(cells, "currency", tuple(TOKENS)),
    )
    if ":" in order.order_id:
        raise ValueError(f"order_id {order.order_id!r} has a colon")
    if order.channel == "agent" and order.band is Band.STANDARD:
        raise ValueError(
            f"amount_minor {order.amount_minor} {order.currency} is a standard amount: "
            "it goes through web, agents pay micro and nano"
        )
    return order


def _text(cells: dict[str, str], column: str) -> str:
    text = cells[column].strip()
    if not text:
        raise ValueError(f"{column} is empty")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"{column} is longer than {LONGEST_TEXT} characters")
    if not text.isprintable():
        raise ValueError(f"{column} {text!r} has characters that can't be printed")
    return text


def _one_of(cells: dict[str, str], column: str, choices: Sequence[str]) -> str:
    text = cells[column].strip()
    if text not in choices:
        raise ValueError(f"{column} {text[:40]!r} is neither {' nor '.join(choices)}")
    return text


def _amount(text: str) -> int:
    text = text.strip()
    if _AMOUNT.fullmatch(text) is None or not 1 <= int(text) < 2**53:
        raise ValueError(
            f"amount_minor {text[:40]!r} isn't a whole, positive number of minor units"
        )
    return int(text)


def _instant(text: str) -> datetime:
    text = text.strip()
    try:
        if _INSTANT.fullmatch(text) is None:
            raise ValueError
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"placed_at {text[:40]!r} isn't an instant such as 2026-01-14T10:06:27Z"
        ) from None
    if not YEARS[0] <= at.year < YEARS[1]:
        raise ValueError(f"placed_at {text} isn't between {YEARS[0]} and {YEARS[1]}")
    # The mock's clock ticks in milliseconds.
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


# -- customers ---------------------------------------------------------------------------


def _read_timezones(path: Path) -> dict[str, str]:
    zones: dict[str, str] = {}
    for line, cells in _records(path, CUSTOMER_COLUMNS):
        customer, zone = cells["customer"].strip(), cells["timezone"].strip()
        if not _is_zone(zone):
            raise BadFile(f"{path}, line {line}: timezone {zone[:40]!r} isn't an IANA name")
        if zones.setdefault(customer, zone) != zone:
            raise BadFile(f"{path}, line {line}: {customer!r} has another time zone above")
    return zones


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):  # an unknown name is a KeyError, which OSError isn't
        return False
    except KeyError:
        return False
    return True


# -- files -------------------------------------------------------------------------------


def _records(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each record with the line it ends on; blank lines are passed over."""
    reader = csv.reader(io.StringIO(_content(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, columns)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise BadFile(
                    f"{path}, line {reader.line_num}: it has {len(cells)} cells, "
                    f"the header {len(header)}"
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise BadFile(f"{path}, line {reader.line_num}: it isn't CSV ({error})") from None


def _check_header(path: Path, header: list[str], columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in header]
    if missing:
        raise BadFile(
            f"{path}, line 1: the header lacks {', '.join(missing)}; it needs the columns "
            f"{', '.join(columns)}, in any order, with commas between them"
        )
    doubled = [name for name in columns if header.count(name) > 1]
    if doubled:
        raise BadFile(f"{path}, line 1: the header has {doubled[0]} twice")


def _content(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path}: it can't be read ({error.strerror})") from None
    if not raw.strip():
        raise BadFile(f"{path}: it is empty; it needs the columns and an order a line")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile(
            f"{path}, line {line}: byte {raw[error.start]:#04x} isn't UTF-8; save the file as UTF-8"
        ) from None
