"""The journal, live: over sockets, in process, bounded, and ended when it must be."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from werkzeug.test import Client as WsgiClient

from settlekit_mock import MockServer
from settlekit_mock.control import stream
from settlekit_mock.driver import ControlError, Driver
from settlekit_mock.kernel.problems import Problem
from settlekit_mock.kernel.streams import MOST

PATH = "/_mock/events/stream"


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer(seed=7) as made:
        yield made


@pytest.fixture
def http(mock: MockServer) -> Iterator[httpx.Client]:
    """A client of the mock over sockets."""
    with (
        mock.serve() as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=10) as made,
    ):
        yield made


def raw(mock: MockServer, headers: dict[str, str] | None = None, **query: Any) -> Any:
    """Open the stream in this process."""
    return WsgiClient(mock.app).get(
        PATH,
        query_string=query,
        headers=headers,
        base_url="http://localhost",
        environ_base={"REMOTE_ADDR": "127.0.0.1"},
    )


def mark(mock: MockServer, subject: str) -> None:
    """Write an entry."""
    with mock.world.transaction() as tx:
        tx.record("test.mark", subject)


def free(mock: MockServer) -> int:
    """How many streams could be opened now."""
    places = []
    while len(places) < MOST:
        try:
            places.append(mock.world.streams.enter())
        except Problem:
            break
    for place in places:
        place.leave()
    return len(places)


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


# -- what it says ------------------------------------------------------------------------


def test_the_stream_is_the_journal(mock: MockServer) -> None:
    """From the beginning on, the stream brings what the journal lists, entry by entry."""
    mock.buyers.create()
    listed = list(mock.events())
    assert list(mock.follow(after=0, limit=len(listed))) == listed


def test_an_event_has_its_number_and_one_line_of_json(mock: MockServer) -> None:
    """On the wire an entry is an id and a data line, after a comment that opens the stream."""
    answer = raw(mock, after=0, limit=1)
    opening, event, end = answer.get_data().split(b"\n\n")
    number, data = event.split(b"\n")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert (opening, number, end) == (b": the journal", b"id: 1", b"")
    assert json.loads(data.removeprefix(b"data: "))["seq"] == 1


def test_without_after_the_stream_begins_now(mock: MockServer) -> None:
    """A stream that isn't told where to begin brings only what is written from now on."""
    seen = mock.follow(limit=1)
    starting = threading.Timer(0.3, mark, args=(mock, "late"))
    starting.start()
    assert next(seen).subject == "late"
    starting.join()


@pytest.mark.parametrize("after", [0, 2, 5])
def test_the_stream_goes_on_behind_an_entry(mock: MockServer, after: int) -> None:
    """``after`` names the last entry that is known; the next one comes first."""
    for _ in range(5):
        mock.buyers.create()
    assert next(mock.follow(after=after)).seq == after + 1


def test_a_browser_goes_on_where_it_was(mock: MockServer) -> None:
    """Last-Event-ID, which a browser sends when it comes back, goes before ``after``."""
    mock.buyers.create()
    answer = raw(mock, {"Last-Event-ID": "2"}, after=0, limit=1)
    assert b"id: 3\n" in answer.get_data()


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "٣", "9" * 19])
def test_a_last_event_id_that_is_no_number_is_refused(mock: MockServer, last: str) -> None:
    """A Last-Event-ID that this server never gave is 422, and takes no place."""
    answer = raw(mock, {"Last-Event-ID": last}, limit=1)
    assert answer.status_code == 422
    assert free(mock) == MOST


@pytest.mark.parametrize("query", [{"after": "1e3"}, {"after": "null"}, {"limit": "2.0"}])
def test_a_place_or_limit_that_is_no_whole_number_is_refused(
    mock: MockServer, query: dict[str, str]
) -> None:
    """What only looks like a number is 422, though the parameter may be left out."""
    assert raw(mock, **query).status_code == 422
    assert free(mock) == MOST


def test_kind_and_subject_narrow_the_stream(mock: MockServer) -> None:
    """Only entries of the kind and subject come, and between them nothing is missed."""
    for name in ("a", "b", "c"):
        mock.buyers.create(buyer_id=name)
    (found,) = mock.follow(after=0, kind="buyer.created", subject="b", limit=1)
    assert (found.kind, found.subject) == ("buyer.created", "b")


def test_more_than_a_group_comes_whole(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that don't fit one reading of the journal come in the next, none twice."""
    monkeypatch.setattr(stream, "GROUP", 2)
    for _ in range(7):
        mock.buyers.create()
    listed = list(mock.events(kind="buyer.created"))
    assert list(mock.follow(after=0, kind="buyer.created", limit=len(listed))) == listed


def test_silence_is_filled_with_comments(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing happens, comments say that the stream is alive."""
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0)
    pieces = raw(mock).iter_encoded()
    assert [next(pieces) for _ in range(3)] == [
        b": the journal\n\n",
        b": heartbeat\n\n",
        b": heartbeat\n\n",
    ]


def test_the_stream_is_live_over_sockets(mock: MockServer, http: httpx.Client) -> None:
    """What is written while a stream is open arrives within moments, over a socket too."""
    with http.stream("GET", PATH) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": the journal"
        mark(mock, "late")
        found = next(line for line in lines if line.startswith("data: "))
    assert json.loads(found[6:])["subject"] == "late"


# -- how it ends -------------------------------------------------------------------------


def test_a_server_that_stops_ends_its_streams(mock: MockServer) -> None:
    """A server stops at once however many streams are open, and each ends whole."""
    with mock.serve() as server, httpx.Client(base_url=server.url, trust_env=False) as http:
        answer = http.send(http.build_request("GET", f"{PATH}?after=0"), stream=True)
        lines = answer.iter_lines()
        next(lines)
        began = time.monotonic()
        stopping = threading.Thread(target=server.stop)
        mock.world.streams.end()
        stopping.start()
        list(lines)
        stopping.join(10)
        assert time.monotonic() - began < 4
        answer.close()


def test_leaving_the_block_of_serve_ends_streams(mock: MockServer) -> None:
    """A mock that is taken off its socket doesn't wait for streams."""
    began: list[float] = []
    with mock.serve() as server:
        http = httpx.Client(base_url=server.url, trust_env=False)
        answer = http.send(http.build_request("GET", PATH), stream=True)
        began.append(time.monotonic())
    assert time.monotonic() - began[0] < 4
    answer.close()
    http.close()


def test_a_world_that_is_reset_ends_its_streams(mock: MockServer) -> None:
    """After a reset the numbers begin again, so the stream ends and says no more."""
    seen = mock.follow(after=0)
    next(seen)
    mock.reset()
    assert len(list(seen)) <= 10
    assert free(mock) == MOST


@pytest.mark.sqlite
def test_a_world_that_is_restored_ends_its_streams(mock: MockServer) -> None:
    """After a restore the numbers go on from before, so the stream ends and says no more."""
    mock.snapshots.take("before")
    seen = mock.follow(after=0)
    next(seen)
    mock.snapshots.restore("before")
    assert len(list(seen)) <= 10
    assert free(mock) == MOST


def test_a_busy_stream_ends_too(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that always has more to say ends as soon as it is told to."""
    monkeypatch.setattr(stream, "GROUP", 1)
    pieces = raw(mock, after=0).iter_encoded()
    assert [next(pieces)[:5] for _ in range(2)] == [b": the", b"id: 1"]
    mock.world.streams.end()
    assert list(pieces) == []


def test_a_number_of_a_replaced_world_begins_at_the_end(mock: MockServer) -> None:
    """Who comes back with a number that the new world hasn't reached gets its next entry."""
    mock.buyers.create()
    seen = mock.follow(after=10**6, limit=1)
    starting = threading.Timer(0.3, mark, args=(mock, "late"))
    starting.start()
    assert next(seen).subject == "late"
    starting.join()


# -- how many ----------------------------------------------------------------------------


def test_streams_are_bounded(mock: MockServer) -> None:
    """As many streams as there may be, then 503 with Retry-After."""
    opened = [raw(mock) for _ in range(MOST)]
    refused = raw(mock)
    assert (refused.status_code, refused.json["error"]["code"]) == (503, "TOO_MANY_STREAMS")
    assert refused.headers["Retry-After"] == "1"
    for answer in opened:
        answer.close()
    assert free(mock) == MOST


def test_streams_leave_threads_for_other_calls(mock: MockServer, http: httpx.Client) -> None:
    """With every stream open over sockets, the server answers other calls."""
    opened = [http.send(http.build_request("GET", PATH), stream=True) for _ in range(MOST)]
    assert http.get("/_mock/clock").status_code == 200
    for answer in opened:
        answer.close()


def test_a_stream_that_ends_by_its_limit_makes_room(mock: MockServer) -> None:
    """Streams that brought as many entries as asked take no place any more."""
    for _ in range(2 * MOST):
        list(mock.follow(after=0, limit=1))
    assert free(mock) == MOST


def test_a_stream_that_is_given_up_makes_room(mock: MockServer) -> None:
    """A reader in process that stops in the middle gives its place back."""
    seen = mock.follow(after=0)
    next(seen)
    seen.close()  # type: ignore[attr-defined]
    assert free(mock) == MOST


def test_a_head_request_takes_no_place(mock: MockServer) -> None:
    """HEAD asks for no body, and keeps no stream open."""
    WsgiClient(mock.app).head(
        PATH, base_url="http://localhost", environ_base={"REMOTE_ADDR": "127.0.0.1"}
    ).close()
    assert free(mock) == MOST


def test_a_reader_that_is_gone_makes_room(
    mock: MockServer, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was closed at its other end is noticed by the next comment."""
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    answer = http.send(http.build_request("GET", PATH), stream=True)
    assert free(mock) == MOST - 1
    answer.close()
    assert eventually(lambda: free(mock) == MOST)


def test_a_refused_stream_is_a_control_error(mock: MockServer) -> None:
    """The driver raises what the server refuses a stream with."""
    with pytest.raises(ControlError, match="422"):
        next(mock.follow(after=-1))


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_the_driver_reads_lines_however_they_are_cut(mock: MockServer, size: int) -> None:
    """Pieces of any size that arrive from a network are put together to whole entries."""
    whole = raw(mock, after=0, limit=5).get_data()

    @contextmanager
    def listen(_path: str) -> Iterator[tuple[int, list[bytes]]]:
        yield 200, [whole[start : start + size] for start in range(0, len(whole), size)]

    driver = Driver(lambda *_: (500, b""), listen)
    assert list(driver.follow()) == list(mock.events())[:5]


def test_a_driver_without_ears_says_so() -> None:
    """A driver that was given no way to listen raises instead of waiting."""
    with pytest.raises(TypeError, match="no way to listen"):
        next(Driver(lambda *_: (500, b"")).follow())
