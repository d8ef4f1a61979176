"""Where clocks are put back an hour comes twice, and a slot in it once."""

from typing import Final

import pytest

from settlekit_mock import MockServer
from settlekit_mock.settlement.rules import slots
from settlekit_mock.settlement.rules.local_time import local_time, zone_named
from tests.settlekit_mock.control.conftest import SHOP

ZONE: Final = "America/New_York"
SLOT: Final = {"weekday": 6, "hour": 1, "minute": 30}
DAY_BEFORE: Final = "2026-10-31T12:00:00Z"
FIRST_TIME: Final = "2026-11-01T05:30:00.000Z"
"""Half past one in New York; it comes again an hour later."""


def slot_fired_twice(patch: pytest.MonkeyPatch) -> None:
    """A slot in a repeated hour closes at both of its times."""
    close = slots.next_close

    def wrong(after: int, slot: slots.Slot, timezone: str) -> int:
        zone = zone_named(timezone)
        shown = slot.on_or_after(local_time(after, zone).date())
        again = int(shown.replace(tzinfo=zone, fold=1).timestamp()) * 1000
        found = close(after, slot, timezone)
        return min(again, found) if again > after else found

    patch.setattr(slots, "next_close", wrong)


def closes() -> list[str]:
    """Pay every twenty minutes through the night of the change; return when periods closed."""
    with MockServer(seed=7, freeze_at=DAY_BEFORE) as mock:
        mock.buyers.create(buyer_id="b1", timezone=ZONE, weekly_slot=SLOT)
        mock.usage("b1", merchant=SHOP, amount_minor=60, currency="JPY", count=72, over="P1D")
        return [entry.at for entry in mock.events(kind="period.closed")]


def test_a_slot_in_a_repeated_hour_closes_once() -> None:
    """Half past one comes twice that night, and the week ends at the first of them alone."""
    assert closes() == [FIRST_TIME]


def test_a_slot_fired_twice_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """With both of its times taken for the slot, two periods end within that hour."""
    slot_fired_twice(monkeypatch)
    assert len(closes()) == 2
