"""The journal's route: pages, filters, and what a refused call leaves there."""

from typing import Any

import pytest

from settlekit_mock import MockServer
from tests.settlekit_mock.control.conftest import SHOP, START, Control


@pytest.fixture
def journal(mock: MockServer) -> list[dict[str, Any]]:
    """Fill the journal; return it whole."""
    mock.buyers.create(buyer_id="b1")
    mock.usage("b1", merchant=SHOP, amount_minor=100, currency="JPY", count=6)
    mock.clock.advance(days=30)
    found: list[dict[str, Any]] = Control(mock).get("events", limit=1000)[1]["items"]
    return found


def test_the_journal_is_oldest_first_and_numbered(journal: list[dict[str, Any]]) -> None:
    """Entries are numbered without a gap from 1, in the order they happened."""
    assert [entry["seq"] for entry in journal] == list(range(1, len(journal) + 1))
    assert [entry["at"] for entry in journal] == sorted(entry["at"] for entry in journal)
    assert set(journal[0]) == {"seq", "at", "kind", "subject", "data"}


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
def test_pages_together_are_the_journal(
    control: Control, journal: list[dict[str, Any]], limit: int
) -> None:
    """Going on behind ``next_after`` reads every entry once."""
    read, after = [], 0
    for _ in range(len(journal) // limit + 1):
        _, page = control.get("events", limit=limit, after=after)
        read += page["items"]
        after = page["next_after"]
    assert read == journal


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_pages_backwards_are_the_journal(
    control: Control, journal: list[dict[str, Any]], limit: int
) -> None:
    """Going on in front of a page's first entry reads every entry once, each page oldest first."""
    read: list[dict[str, Any]] = []
    before = 2**63 - 1
    while before > 1:
        page = control.get("events", limit=limit, before=before)[1]["items"]
        read = page + read
        before = page[0]["seq"]
    assert read == journal
    assert control.get("events", before=1) == (200, {"items": [], "next_after": 0})


def test_the_last_of_a_kind(control: Control, journal: list[dict[str, Any]]) -> None:
    """``before`` goes with a kind and a subject, not with ``after``."""
    wanted = [entry for entry in journal if entry["kind"] == "payment.accepted"][-2:]
    found = control.get("events", before=2**63 - 1, kind="payment.accepted", limit=2)[1]
    assert found == {"items": wanted, "next_after": wanted[-1]["seq"]}
    assert control.get("events", before=9, after=0) == (422, "INVALID_REQUEST")


def test_the_end_of_the_journal_can_be_asked_again(
    mock: MockServer, control: Control, journal: list[dict[str, Any]]
) -> None:
    """Behind the last entry there is nothing yet, and later there is what happened since."""
    last = journal[-1]["seq"]
    assert control.get("events", after=last) == (200, {"items": [], "next_after": last})
    mock.buyers.create(buyer_id="b2")
    assert control.get("events", after=last)[1]["items"][-1]["subject"] == "b2"


def test_entries_are_narrowed_by_kind_and_subject(
    control: Control, journal: list[dict[str, Any]]
) -> None:
    """``kind`` and ``subject`` leave the entries that are exactly so."""
    _, accepted = control.get("events", kind="payment.accepted")
    _, one = control.get("events", kind="payment.accepted", subject=accepted["items"][2]["subject"])
    assert accepted["items"] == [entry for entry in journal if entry["kind"] == "payment.accepted"]
    assert one["items"] == [accepted["items"][2]]
    assert control.get("events", kind="payment")[1]["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "all"},
        {"after": -1},
        {"after": 2**63},
        {"before": -1},
        {"before": 2**63},
        {"after": "1e3"},
        {"kind": "x" * 101},
        {"surprise": 1},
    ],
)
def test_a_wrong_query_is_422(control: Control, query: dict[str, Any]) -> None:
    """Limits, places and filters out of range, and parameters that nobody knows, are invalid."""
    assert control.get("events", **query) == (422, "INVALID_REQUEST")


def test_a_page_holds_a_hundred_unless_asked(mock: MockServer, control: Control) -> None:
    """The default limit is 100."""
    mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=1, currency="JPY", count=150)
    assert len(control.get("events")[1]["items"]) == 100


def test_reading_and_driving_leave_no_entries(mock: MockServer, control: Control) -> None:
    """Calls that read, and the clock's own, aren't in the journal."""
    before = control.get("events")[1]
    mock.clock.advance(days=1)
    mock.clock.freeze()
    control.get("buyers")
    control.get("clock")
    assert control.get("events")[1] == before


def test_entries_carry_the_time_they_happened(journal: list[dict[str, Any]]) -> None:
    """What happened before the clock moved is of its time then."""
    assert {entry["at"] for entry in journal if entry["kind"].startswith("payment")} == {START}
