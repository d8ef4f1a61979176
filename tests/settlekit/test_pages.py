import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from settlekit import AsyncClient, AsyncPage, Client, DecodeError, Page
from settlekit.models import UsageEvent
from tests.settlekit import wire

BASE = "http://localhost:8787/v1"
EVENTS = f"{BASE}/sdrp/metered/provider/usage-events"


def serving(sizes: list[int]) -> httpx.MockTransport:
    """Serve pages of these sizes; a cursor is the number of the page."""

    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("cursor", "0"))
        first = sum(sizes[:number])
        items = [wire.usage_event(first + offset) for offset in range(sizes[number])]
        following = str(number + 1) if number + 1 < len(sizes) else None
        return httpx.Response(200, content=wire.page(items, following))

    return httpx.MockTransport(answer)


def client_of(sizes: list[int]) -> Client:
    return Client(token="t", base_url=BASE, http=httpx.Client(transport=serving(sizes)))


def async_client_of(sizes: list[int]) -> AsyncClient:
    return AsyncClient(token="t", base_url=BASE, http=httpx.AsyncClient(transport=serving(sizes)))


def ids(count: int) -> list[str]:
    return [f"mu_{number:012d}" for number in range(count)]


def ids_of(events: list[UsageEvent]) -> list[str]:
    return [event.metered_usage_id for event in events]


@given(sizes=st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_iterating_gives_every_item_once(sizes: list[int]) -> None:
    """All items of all pages in order, empty pages included; and again when asked again."""
    page = client_of(sizes).provider_statements.usage_events()
    assert ids_of(list(page)) == ids(sum(sizes))
    assert ids_of(page.all()) == ids(sum(sizes))
    assert [len(each.items) for each in page.pages()] == sizes


def test_a_page_is_itself_alone_too() -> None:
    """Its items, its cursor and its metadata are those of one answer."""
    page = client_of([2, 1]).provider_statements.usage_events(limit=2)
    assert isinstance(page, Page)
    assert ids_of(list(page.items)) == ids(2)
    assert page.next_cursor == "1"
    assert page.response.request_id == "req_1"
    following = page.next_page()
    assert following is not None
    assert following.next_cursor is None
    assert following.next_page() is None
    assert repr(page) == "<Page: 2 items, more follow>"
    assert repr(following) == "<Page: 1 item, the last page>"


def test_the_first_page_is_asked_for_at_once_and_the_next_when_needed() -> None:
    """Listing asks once; a loop that stops early asks no more."""
    with respx.mock() as server:
        server.get(EVENTS).respond(content=wire.page([wire.usage_event()], "more"))
        page = Client(token="t", base_url=BASE).provider_statements.usage_events()
        assert server.calls.call_count == 1
        next(iter(page))
        assert server.calls.call_count == 1


def test_filters_stay_on_every_page() -> None:
    """The next page is asked for with the same query and the new cursor."""
    with respx.mock() as server:
        server.get(EVENTS).side_effect = [
            httpx.Response(200, content=wire.page([], "c2")),
            httpx.Response(200, content=wire.page([])),
        ]
        client = Client(token="t", base_url=BASE)
        client.provider_statements.usage_events(plan_type="micro", limit=5, cursor="c1").all()
        queries = [dict(call.request.url.params) for call in server.calls]
    assert queries == [
        {"plan_type": "micro", "cursor": "c1", "limit": "5"},
        {"plan_type": "micro", "cursor": "c2", "limit": "5"},
    ]


@pytest.mark.parametrize("cursors", [["a", "a"], ["a", "b", "a"]])
def test_cursors_that_go_in_a_circle_are_noticed(cursors: list[str]) -> None:
    """A server that repeats a cursor ends in an error, not in an endless loop."""
    with respx.mock() as server:
        answers = [httpx.Response(200, content=wire.page([], cursor)) for cursor in cursors]
        server.get(EVENTS).side_effect = answers
        page = Client(token="t", base_url=BASE).provider_statements.usage_events()
        with pytest.raises(DecodeError, match="circle"):
            page.all()


@pytest.mark.anyio
async def test_awaiting_gives_a_page_and_looping_gives_all() -> None:
    """One call does for both, and for pages and all."""
    client = async_client_of([2, 0, 1])
    events = client.provider_statements.usage_events
    page = await events()
    assert isinstance(page, AsyncPage)
    assert ids_of(list(page.items)) == ids(2)
    assert ids_of([event async for event in events()]) == ids(3)
    assert ids_of([event async for event in page]) == ids(3)
    assert [len(each.items) async for each in events().pages()] == [2, 0, 1]
    assert ids_of(await events().all()) == ids(3)
    assert ids_of(await page.all()) == ids(3)


@pytest.mark.anyio
async def test_an_async_list_asks_nothing_until_it_is_awaited() -> None:
    """Making the call costs no request."""
    with respx.mock(assert_all_called=False) as server:
        server.get(EVENTS).respond(content=wire.page([]))
        AsyncClient(token="t", base_url=BASE).provider_statements.usage_events()
        assert server.calls.call_count == 0
