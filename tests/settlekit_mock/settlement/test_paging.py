"""Pages of statements: limits, order, and cursors that hold while rows are added."""

import pytest

from settlekit_mock import MockServer
from tests.settlekit_mock.settlement.conftest import MINE, PROVIDER, Buyer, Provider, Shop

USAGE = f"{PROVIDER}/usage-events"
BATCHES = f"{PROVIDER}/settlement-batches"
LISTS = [(USAGE, 500), (BATCHES, 200), (f"{MINE}-usage-events", 500)]
LISTS += [(f"{MINE}-settlement-batches", 200)]


def reader_of(path: str, provider: Provider, buyer: Buyer) -> Provider | Buyer:
    return provider if path.startswith(PROVIDER) else buyer


WRONG_LIMITS = ("0", "-1", "1.5", "ten", "１", "1e1")


@pytest.mark.parametrize(("path", "most"), LISTS)
def test_a_limit_has_its_bounds(buyer: Buyer, provider: Provider, path: str, most: int) -> None:
    """A page holds 1 to 500 events or 1 to 200 batches; anything else is 422."""
    reader = reader_of(path, provider, buyer)
    right = [reader.call(path, limit=limit).status_code for limit in (1, most)]
    wrong = [reader.call(path, limit=limit).status_code for limit in (*WRONG_LIMITS, most + 1)]
    assert (set(right), set(wrong)) == ({200}, {422})


@pytest.mark.parametrize("path", [path for path, _ in LISTS])
@pytest.mark.parametrize(
    "query",
    [
        {"plan_type": "standard"},
        {"plan_type": "MICRO"},
        {"token_symbol": "JPY"},
        {"status": "paid"},
        {"cursor": "nonsense"},
        {"cursor": "A" * 40},
    ],
)
def test_unknown_values_are_422(
    buyer: Buyer, provider: Provider, path: str, query: dict[str, str]
) -> None:
    """A plan, token, status or cursor that there is none of is invalid, not ignored."""
    assert reader_of(path, provider, buyer).call(path, **query).status_code == 422


@pytest.mark.both_databases
def test_lists_are_newest_first(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """Usage events and batches come in the order opposite to that of acceptance."""
    first, second = shop.sell(100).first_usage_id, shop.sell(100).first_usage_id
    assert [event["metered_usage_id"] for event in provider.usage()] == [second, first]


def test_a_page_holds_fifty_unless_asked(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """The default limit is 50."""
    shop.sell(100, 51)
    page = provider.read(USAGE)
    assert (len(page["items"]), page["next_cursor"] is None) == (50, False)


@pytest.mark.both_databases
@pytest.mark.parametrize("limit", [1, 3, 4, 11, 12, 13])
def test_pages_hold_everything_once(
    shop: Shop, buyer: Buyer, provider: Provider, limit: int
) -> None:
    """However long the pages are, together they are the list, without gap or repetition."""
    shop.sell(100, 12)
    assert provider.usage(limit=limit) == provider.usage(limit=500)
    assert buyer.usage(limit=limit) == buyer.usage(limit=500)


@pytest.mark.parametrize(("limit", "more"), [(11, True), (12, False), (13, False)])
def test_the_last_page_has_no_cursor(
    shop: Shop, buyer: Buyer, provider: Provider, limit: int, more: bool
) -> None:
    """A page that ends with the last row says that there is no more."""
    shop.sell(100, 12)
    assert (provider.read(USAGE, limit=limit)["next_cursor"] is not None) is more


@pytest.mark.both_databases
def test_a_cursor_holds_while_rows_are_added(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """The pages behind a cursor are the same, whatever is accepted meanwhile."""
    shop.sell(100, 6)
    page = provider.read(USAGE, limit=2)
    before = provider.read(USAGE, limit=2, cursor=page["next_cursor"])
    shop.sell(100, 6)
    assert provider.read(USAGE, limit=2, cursor=page["next_cursor"]) == before


def test_batches_are_paged_like_usage(
    shop: Shop, buyer: Buyer, provider: Provider, mock: MockServer
) -> None:
    """A cursor of batches holds while new ones are made."""
    for _ in range(4):
        shop.sell(100)
        mock.clock.advance(weeks=1)
    page = provider.read(BATCHES, limit=2)
    shop.sell(100)
    mock.clock.advance(weeks=1)
    rest = provider.read(BATCHES, limit=2, cursor=page["next_cursor"])
    assert page["items"] + rest["items"] == provider.batches(limit=3)[1:]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (USAGE, {"plan_type": "micro"}),
        (USAGE, {"listing_id": "l1"}),
        (USAGE, {"status": "pending_settlement"}),
        (BATCHES, {}),
        (f"{MINE}-usage-events", {}),
    ],
)
def test_a_cursor_is_good_for_its_own_list(
    shop: Shop, buyer: Buyer, provider: Provider, path: str, query: dict[str, str]
) -> None:
    """A cursor of another list, reader or filter is 422."""
    shop.sell(100, 3)
    cursor = provider.read(USAGE, limit=1)["next_cursor"]
    reader = reader_of(path, provider, buyer)
    assert reader.refused(path, cursor=cursor, **query) == (422, "INVALID_REQUEST")


def test_a_cursor_is_good_for_its_own_provider(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """Another provider can't go on in somebody's list."""
    other = shop.mock.merchants.create("other")
    assert other.token is not None
    shop.sell(100, 3)
    shop.sell(100, 3, merchant="other")
    cursor = provider.read(USAGE, limit=1)["next_cursor"]
    assert Provider(shop.mock, other.token).call(USAGE, cursor=cursor).status_code == 422
