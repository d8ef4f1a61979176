"""Make the example month: the orders and customers of a small shop of sheet music and audio.

The same seed gives the same files, to the byte:

    python scripts/make_orders.py            # examples/data
    python scripts/make_orders.py --seed 8 --folder other-month
"""

import argparse
import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SEED = 7
MONTH_START = datetime(2026, 1, 1, tzinfo=UTC)
MONTH_END = datetime(2026, 2, 1, tzinfo=UTC)
SINGLE_ORDERS = 455
JPY_SHARE = 0.7
THRESHOLD_MINOR = 10_000
# A micro payment is settled within a week's period and 72 hours. A scope that was at the
# threshold takes nothing before, so its customer rests this long on both sides.
REST = timedelta(days=11)


@dataclass(frozen=True, slots=True)
class Item:
    """Something the shop sells, at a price in each currency's minor units."""

    name: str
    band: str
    jpy: int
    usd: int

    def price_minor(self, currency: str) -> int:
        """Return the price in minor units of JPY or USD."""
        return self.jpy if currency == "JPY" else self.usd


@dataclass(frozen=True, slots=True)
class Customer:
    """A returning customer, who pays in one currency and lives in one time zone."""

    customer: str
    timezone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Order:
    """One line of orders.csv."""

    order_id: str
    placed_at: str
    customer: str
    channel: str
    item: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An order before it has a number."""

    at: datetime
    customer: Customer
    channel: str
    item: Item


ITEMS = (
    Item("Drum loop pack", "standard", 1200, 900),
    Item("Field recordings, one-off pack", "standard", 980, 750),
    Item("Piano album, 12 pieces", "standard", 2400, 1900),
    Item("String quartet, score and parts", "standard", 1800, 1450),
    Item("Choir licence, 30 copies", "standard", 5400, 4200),
    Item("Score, page scan", "micro", 80, 60),
    Item("Sample, 30 seconds", "micro", 120, 90),
    Item("Part, one instrument", "micro", 150, 110),
    Item("Stem, one track", "micro", 320, 220),
    Item("Orchestral part, high resolution", "micro", 480, 295),
    Item("Key and tempo look-up", "nano", 3, 2),
    Item("Melody look-up", "nano", 5, 3),
    Item("Chord chart look-up", "nano", 12, 8),
    Item("Rights check", "nano", 20, 12),
    Item("Lyrics excerpt", "nano", 30, 20),
)
# How often each is bought within its band, in the order above.
POPULARITY = {
    "standard": (6, 7, 5, 3, 1),
    "micro": (9, 7, 6, 2, 1),
    "nano": (7, 9, 6, 3, 2),
}
BANDS = ("standard", "micro", "nano")
BAND_WEIGHTS = (23, 42, 35)
# Some people buy a single scan or sample on the page; the rest of micro and all of nano are agents.
MICRO_ON_THE_PAGE = 0.12

# Who buys most comes first.
CUSTOMERS = tuple(
    Customer(name, zone, currency)
    for currency, zone, names in (
        (
            "JPY",
            "Asia/Tokyo",
            (
                "aiko.tanaka kenji.mori hikari.studio yui.kobayashi sora.school haruto.ito mei.watanabe "
                "ren.suzuki nao.fujita takumi.abe rin.matsuda daiki.ono saki.hayashi"
            ),
        ),
        ("JPY", "Asia/Singapore", "junko.lim"),
        ("JPY", "Europe/Berlin", "emi.schneider"),
        ("JPY", "Pacific/Honolulu", "kai.nakamura"),
        ("JPY", "Asia/Tokyo", "yuto.ishii chika.endo mio.ueda"),
        ("USD", "America/New_York", "grace.miller"),
        ("USD", "America/Los_Angeles", "diego.ramos"),
        ("USD", "Europe/London", "oliver.hughes"),
        ("USD", "America/New_York", "nina.rossi"),
        ("USD", "Australia/Sydney", "ruby.walker"),
        ("USD", "America/Chicago", "marcus.hill"),
        ("USD", "America/Sao_Paulo", "beatriz.lima"),
        ("USD", "Europe/Paris", "camille.roux"),
        ("USD", "Asia/Kolkata", "arjun.mehta"),
        ("USD", "America/Denver", "hannah.reed"),
        ("USD", "Africa/Nairobi", "wanjiru.kamau"),
        ("USD", "America/New_York", "theo.grant"),
    )
    for name in names.split()
)
# Their agents fetch a whole work in one evening, and so reach the threshold: customer, day, items.
EVENINGS = (
    ("hikari.studio", 14, ("Orchestral part, high resolution",)),
    ("sora.school", 20, ("Stem, one track", "Orchestral part, high resolution")),
)

HOUR_WEIGHTS = (3, 1, 1, 1, 1, 1, 2, 4, 5, 5, 5, 6, 9, 7, 5, 5, 6, 8, 11, 15, 19, 20, 15, 8)
WEEKDAY_WEIGHTS = (10, 10, 10, 11, 13, 18, 17)


def make_orders(seed: int = SEED) -> list[Order]:
    """Make the month's orders, oldest first."""
    rng = random.Random(seed)
    bursts = [list(_evening(rng, *evening)) for evening in EVENINGS]
    drafts = [draft for burst in bursts for draft in burst]
    taken = {draft.at for draft in drafts}
    wanted = len(drafts) + SINGLE_ORDERS
    while len(drafts) < wanted:
        draft = _single(rng)
        if draft.at not in taken and not any(_disturbs(draft, burst) for burst in bursts):
            taken.add(draft.at)
            drafts.append(draft)
    return _numbered(drafts)


def _evening(
    rng: random.Random, name: str, day: int, item_names: tuple[str, ...]
) -> Iterator[Draft]:
    """Yield one agent's purchases until their sum has reached the threshold."""
    customer = next(each for each in CUSTOMERS if each.customer == name)
    items = [item for item in ITEMS if item.name in item_names]
    at = datetime(2026, 1, day, 19, 4, tzinfo=ZoneInfo(customer.timezone)).astimezone(UTC)
    total_minor = 0
    while total_minor < THRESHOLD_MINOR:
        item = rng.choice(items)
        total_minor += item.price_minor(customer.currency)
        at += timedelta(seconds=rng.randint(70, 540))
        yield Draft(at, customer, "agent", item)


def _single(rng: random.Random) -> Draft:
    """Draw one order: currency, customer, band, item, then a likely time where they live."""
    currency = "JPY" if rng.random() < JPY_SHARE else "USD"
    customers = [each for each in CUSTOMERS if each.currency == currency]
    weights = [1 / rank for rank in range(1, len(customers) + 1)]
    customer = rng.choices(customers, weights)[0]
    band = rng.choices(BANDS, BAND_WEIGHTS)[0]
    item = rng.choices([each for each in ITEMS if each.band == band], POPULARITY[band])[0]
    return Draft(_time(rng, customer), customer, _channel(rng, band), item)


def _channel(rng: random.Random, band: str) -> str:
    on_the_page = band == "standard" or (band == "micro" and rng.random() < MICRO_ON_THE_PAGE)
    return "web" if on_the_page else "agent"


def _time(rng: random.Random, customer: Customer) -> datetime:
    """Draw an instant of the month by the customer's own weekday and hour."""
    zone = ZoneInfo(customer.timezone)
    days = [MONTH_START + timedelta(days=number) for number in range(31)]
    while True:
        day = rng.choices(days, [WEEKDAY_WEIGHTS[each.weekday()] for each in days])[0]
        hour = rng.choices(range(24), HOUR_WEIGHTS)[0]
        local = day.replace(hour=hour, minute=rng.randrange(60), second=rng.randrange(60))
        at = local.replace(tzinfo=zone).astimezone(UTC)
        if MONTH_START <= at < MONTH_END:
            return at


def _disturbs(draft: Draft, burst: Sequence[Draft]) -> bool:
    """Tell whether an order's scope would still be filling, or paused, around a burst."""
    same_scope = draft.customer == burst[0].customer and draft.item.band == burst[0].item.band
    return same_scope and burst[0].at - REST < draft.at < burst[-1].at + REST


def _numbered(drafts: Sequence[Draft]) -> list[Order]:
    return [
        Order(
            order_id=f"ord-{number:04}",
            placed_at=draft.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            customer=draft.customer.customer,
            channel=draft.channel,
            item=draft.item.name,
            amount_minor=draft.item.price_minor(draft.customer.currency),
            currency=draft.customer.currency,
        )
        for number, draft in enumerate(sorted(drafts, key=lambda draft: draft.at), start=1)
    ]


def as_csv(rows: Sequence[Order] | Sequence[Customer]) -> str:
    """Write rows of one kind as CSV with a header and plain line feeds."""
    text = io.StringIO()
    names = [field.name for field in fields(rows[0])]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return text.getvalue()


def main() -> None:
    """Write orders.csv and customers.csv."""
    parser = argparse.ArgumentParser(description="Make the example month of orders.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--folder", type=Path, default=Path("examples/data"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "orders.csv").write_text(as_csv(make_orders(options.seed)), "utf-8")
    (options.folder / "customers.csv").write_text(as_csv(CUSTOMERS), "utf-8")


if __name__ == "__main__":
    main()
