"""Whatever is read of the whole: nothing changes, pages cost the same, nonsense is refused."""

import pytest

from tests.settlekit_mock.console.conftest import LISTS, READS, Eventful
from tests.settlekit_mock.control.conftest import rows_of
from tests.settlekit_mock.settlement.test_cost import counting


@pytest.mark.sqlite
def test_to_look_changes_no_byte(eventful: Eventful) -> None:
    """A world that was looked at is the same image, byte for byte."""
    before = eventful.mock.world.image().content
    for path in READS:
        eventful.get(path)
    assert eventful.mock.world.image().content == before


@pytest.mark.both_databases
def test_to_look_changes_no_row(eventful: Eventful) -> None:
    """A world that was looked at has the same rows, and pages have each row once."""
    before = rows_of(eventful.mock.world)
    for path in READS:
        eventful.get(path)
    for path, most in LISTS.items():
        whole = eventful.walk(path, limit=most)
        for limit in (1, 7):
            assert eventful.walk(path, limit=limit) == whole
    assert rows_of(eventful.mock.world) == before


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_walked_once(town: Eventful, path: str) -> None:
    """There is more than one page of each list, and no row is on two of them."""
    whole = [str(item) for item in town.walk(path, limit=3)]
    assert len(whole) > 3
    assert len(set(whole)) == len(whole)


@pytest.mark.parametrize("path", READS)
def test_an_answer_costs_the_same_however_long(town: Eventful, path: str) -> None:
    """One row or all of them, filtered or not, are read by a few statements."""
    counts = set()
    for query in ({}, {"limit": 1}, {"limit": LISTS[path]}) if path in LISTS else ({},):
        with counting(town.mock) as counted:
            town.get(path, **query)
        counts.add(len(counted.statements))
    assert len(counts) == 1
    assert counts.pop() <= 8


@pytest.mark.parametrize("path", READS)
def test_no_usage_is_read(town: Eventful, path: str) -> None:
    """However many payments there are, none is looked at."""
    with counting(town.mock) as counted:
        town.get(path)
    assert [
        text for text in counted.statements if "FROM usage" in text or "JOIN usage" in text
    ] == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("batches", {"limit": 0}),
        ("batches", {"limit": 1001}),
        ("batches", {"limit": "many"}),
        ("batches", {"status": "lost"}),
        ("batches", {"currency": "EUR"}),
        ("batches", {"cursor": "nonsense-nonsense"}),
        ("batches", {"unheard_of": 1}),
        ("periods", {"limit": 1001}),
        ("periods", {"currency": "JPYC"}),
        ("revenue", {"by": "year"}),
        ("revenue", {"currency": "EUR"}),
        ("flow", {"currency": "jpy"}),
        ("deliveries", {"limit": 101}),
        ("deliveries", {"status": "lost"}),
        ("deliveries", {"cursor": "x"}),
        ("accounts", {"kind": "purse"}),
        ("accounts", {"limit": 1001}),
        ("accounts/<account_id>/entries", {"cursor": "x"}),
        ("accounts/<account_id>/entries", {"limit": 0}),
    ],
    ids=str,
)
def test_nonsense_is_refused(town: Eventful, path: str, query: dict[str, object]) -> None:
    """A limit, filter, step or cursor that isn't one is 422."""
    assert town.refused(path, **query) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_is_of_one_list(town: Eventful, path: str) -> None:
    """Another list, or the same one narrowed otherwise, refuses it."""
    cursor = town.get(path, limit=1)["next_cursor"]
    others = [other for other in LISTS if other != path]
    refused = {town.refused(other, cursor=cursor) for other in others}
    if path in ("batches", "accounts"):
        refused.add(town.refused(path, cursor=cursor, currency="JPY"))
    assert refused == {(422, "INVALID_REQUEST")}


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("batches/msb_none", {}, "SETTLEMENT_BATCH_NOT_FOUND"),
        ("batches", {"buyer": "nobody"}, "BUYER_NOT_FOUND"),
        ("batches", {"merchant": "nobody"}, "EXTERNAL_402_MERCHANT_NOT_FOUND"),
        ("periods", {"buyer": "nobody"}, "BUYER_NOT_FOUND"),
        ("periods", {"merchant": "nobody"}, "EXTERNAL_402_MERCHANT_NOT_FOUND"),
        ("accounts/wal_none/entries", {}, "ACCOUNT_NOT_FOUND"),
    ],
)
def test_what_is_not_there(town: Eventful, path: str, query: dict[str, str], code: str) -> None:
    """Who or what isn't there is 404, by its own code."""
    assert town.refused(path, **query) == (404, code)
