"""Calls that fail as asked: what each kind of fault answers, and what it leaves behind."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from settlekit.testing.transports import WsgiTransport
from settlekit_mock.http.application import Application
from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.faults import DOOR, Gate
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route, Stream
from settlekit_mock.http.server import Server
from settlekit_mock.http.wire import Answer
from settlekit_mock.kernel.faults import Fault, add_fault, faults_at
from settlekit_mock.kernel.journal import Entry, entries
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.world import World

ROWS = tuple(f"row {number},{'x' * 50}\r\n".encode() for number in range(1000))
WHOLE = b"".join(ROWS)


class Made(Answer, frozen=True, kw_only=True):
    """An answer with an effect behind it."""

    order_id: str


def make(request: Request) -> Made:
    with request.world.transaction() as tx:
        order_id = tx.new_id("ord")
        tx.record("order.made", order_id)
    return Made(order_id=order_id)


def refuse(_request: Request) -> Made:
    raise Conflict("taken", code="TAKEN")


ROUTES = (
    Route("POST", "/v1/orders", Role.ANYONE, make, Made, "Make an order", status=201),
    Route("POST", "/v1/orders/<order_id>", Role.ANYONE, make, Made, "Make one again"),
    Route("POST", "/v1/refused", Role.ANYONE, refuse, Made, "Refuse"),
    Route("POST", "/v1/admin/orders", Role.ANYONE, make, Made, "For operators", dialect=OPERATIONS),
    Route("POST", "/_mock/orders", Role.ANYONE, make, Made, "For tests"),
    Route(
        "GET",
        "/v1/rows",
        Role.ANYONE,
        lambda _request: Stream(iter(ROWS), "text/csv; charset=utf-8"),
        "text/csv",
        "Rows",
    ),
)


@pytest.fixture
def application(world: World) -> Application:
    return Application(world, ROUTES)


@contextmanager
def in_process(application: Application) -> Iterator[httpx.Client]:
    with httpx.Client(transport=WsgiTransport(application), base_url="http://mock") as http:
        yield http


@contextmanager
def over_sockets(application: Application) -> Iterator[httpx.Client]:
    with (
        Server(application) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=10) as http,
    ):
        yield http


@pytest.fixture
def http(application: Application) -> Iterator[httpx.Client]:
    """A client in this process."""
    with in_process(application) as client:
        yield client


@pytest.fixture(params=[in_process, over_sockets])
def either(request: pytest.FixtureRequest, application: Application) -> Iterator[httpx.Client]:
    """A client in this process, and one over sockets."""
    with request.param(application) as client:
        yield client


def ask(
    world: World,
    kind: str,
    *,
    match: str = "POST /v1/orders",
    times: int | None = None,
    rate: float | None = None,
    **options: Any,
) -> Fault:
    with world.transaction() as tx:
        return add_fault(tx, DOOR, kind, {"match": match, **options}, times=times, rate=rate)


def ask_in_vain(world: World) -> None:
    with world.transaction() as tx:
        add_fault(tx, DOOR, "status", {"match": "* /*", "status": 503}, times=None, rate=None)
        raise Conflict("no")


def journal(world: World, kind: str) -> list[Entry]:
    with world.snapshot() as connection:
        return entries(connection, kind=kind)


def orders(world: World) -> int:
    return len(journal(world, "order.made"))


def left(world: World) -> list[Fault]:
    with world.snapshot() as connection:
        return faults_at(connection, DOOR)


# -- kinds -------------------------------------------------------------------------------


def test_latency_waits_and_lets_the_call_through(world: World, http: httpx.Client) -> None:
    """A slow call takes as long as asked and has its effect."""
    ask(world, "latency", ms=50)
    began = time.monotonic()
    assert http.post("/v1/orders").status_code == 201
    assert time.monotonic() - began >= 0.05
    assert orders(world) == 1


@pytest.mark.parametrize(
    ("status", "retry_after", "code"),
    [
        (429, 7, "RATE_LIMITED"),
        (500, None, "INTERNAL"),
        (502, None, "BAD_GATEWAY"),
        (503, None, "SERVICE_UNAVAILABLE"),
        (503, 3, "SERVICE_UNAVAILABLE"),
    ],
)
def test_a_status_is_answered_with_its_code(
    world: World, http: httpx.Client, status: int, retry_after: int | None, code: str
) -> None:
    """A status comes with its code and Retry-After in the envelope, and nothing is done."""
    ask(world, "status", status=status, retry_after=retry_after)
    answer = http.post("/v1/orders")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
    assert orders(world) == 0


def test_an_operators_route_fails_in_its_own_dialect(world: World, http: httpx.Client) -> None:
    """The operator's routes answer a fault's status with their lower-case code."""
    ask(world, "status", match="POST /v1/admin/*", status=503)
    answer = http.post("/v1/admin/orders").json()
    assert answer["error"]["code"] == "service_unavailable"
    assert "meta" not in answer


def test_a_malformed_answer_is_half_a_body(world: World, either: httpx.Client) -> None:
    """A malformed answer has the right status, a length that holds, and half the JSON."""
    ask(world, "malformed")
    answer = either.post("/v1/orders")
    assert answer.status_code == 201
    assert int(answer.headers["Content-Length"]) == len(answer.content) > 10
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_malformed_answer_hides_an_effect(world: World, http: httpx.Client) -> None:
    """What a malformed answer was about has happened, once."""
    ask(world, "malformed")
    http.post("/v1/orders")
    assert orders(world) == 1


def test_a_cut_before_the_effect_leaves_none(world: World, either: httpx.Client) -> None:
    """A call that is cut before its effect breaks its connection and does nothing."""
    ask(world, "cut_before_effect")
    with pytest.raises(httpx.TransportError):
        either.post("/v1/orders", json={"amount_minor": 1})
    assert orders(world) == 0


def test_a_cut_after_the_effect_leaves_it(world: World, either: httpx.Client) -> None:
    """A call that is cut after its effect breaks its connection and has done its work once."""
    ask(world, "cut_after_effect")
    with pytest.raises(httpx.TransportError):
        either.post("/v1/orders", json={"amount_minor": 1})
    assert orders(world) == 1


@pytest.mark.parametrize("kind", ["cut_before_effect", "cut_after_effect"])
def test_a_cut_connection_carries_no_byte(
    world: World, application: Application, kind: str
) -> None:
    """A server closes a cut connection without a single byte of an answer."""
    ask(world, kind)
    with Server(application) as server:
        where = urlsplit(server.url)
        with socket.create_connection((where.hostname, where.port), timeout=10) as raw:
            raw.sendall(b"POST /v1/orders HTTP/1.1\r\nHost: mock\r\nContent-Length: 0\r\n\r\n")
            assert raw.recv(1) == b""


@pytest.mark.parametrize("kind", ["malformed", "cut_after_effect"])
def test_a_stream_breaks_off_in_its_middle(world: World, either: httpx.Client, kind: str) -> None:
    """A streamed answer gives its first half, then its connection breaks."""
    ask(world, kind, match="GET /v1/rows")
    got: list[bytes] = []
    with either.stream("GET", "/v1/rows") as answer, pytest.raises(httpx.TransportError):
        got.extend(answer.iter_bytes())
    assert answer.status_code == 200
    assert b"".join(got) == WHOLE[: len(WHOLE) // 2]


def test_a_stream_is_whole_again_afterwards(world: World, either: httpx.Client) -> None:
    """A stream that broke off once is whole when it is asked for again."""
    ask(world, "malformed", match="GET /v1/rows", times=1)
    with pytest.raises(httpx.TransportError):
        either.get("/v1/rows")
    assert either.get("/v1/rows").content == WHOLE


def test_a_refusal_can_be_lost_too(world: World, http: httpx.Client) -> None:
    """A refused call that is cut after its effect answers nothing either."""
    ask(world, "cut_after_effect", match="POST /v1/refused")
    with pytest.raises(httpx.TransportError):
        http.post("/v1/refused")


# -- how often ---------------------------------------------------------------------------


def test_a_fault_strikes_as_often_as_asked(world: World, http: httpx.Client) -> None:
    """A fault with times strikes so many calls in a row, and is gone then."""
    ask(world, "status", status=503, times=2)
    assert [http.post("/v1/orders").status_code for _ in range(4)] == [503, 503, 201, 201]
    assert left(world) == []


def test_a_fault_without_times_strikes_always(world: World, http: httpx.Client) -> None:
    """A fault with neither times nor rate strikes every call, and counts them."""
    fault = ask(world, "status", status=503)
    assert {http.post("/v1/orders").status_code for _ in range(5)} == {503}
    assert [(one.fault_id, one.seen, one.applied) for one in left(world)] == [
        (fault.fault_id, 5, 5)
    ]


def drawn(make_world: Callable[[str], World], seed: int, calls: int = 200) -> list[int]:
    world = make_world("sqlite://")
    with world.transaction() as tx:
        tx.state = type(tx.state)(seed, tx.state.frozen_at, 0, False, tx.state.next_number)
    ask(world, "status", status=503, rate=0.25)
    with in_process(Application(world, ROUTES)) as http:
        return [http.post("/v1/orders").status_code for _ in range(calls)]


def test_a_rate_strikes_the_same_calls_again(make_world: Callable[[str], World]) -> None:
    """The same seed and the same calls fail at the same calls; another seed at others."""
    assert drawn(make_world, 7) == drawn(make_world, 7)
    assert drawn(make_world, 7) != drawn(make_world, 8)


def test_a_rate_strikes_its_share(make_world: Callable[[str], World]) -> None:
    """A rate of a quarter strikes about a quarter of the calls."""
    assert 70 <= drawn(make_world, 7, calls=400).count(503) <= 130


def test_the_oldest_fault_that_fires_strikes_alone(world: World, http: httpx.Client) -> None:
    """Where two faults fit, the older strikes, and the younger keeps its times."""
    ask(world, "status", status=503, times=1)
    ask(world, "status", status=502, times=1)
    assert [http.post("/v1/orders").status_code for _ in range(3)] == [503, 502, 201]


def test_the_journal_tells_of_a_fault(world: World, http: httpx.Client) -> None:
    """Each call that a fault strikes is in the journal, with the fault and the call."""
    fault = ask(world, "status", status=503, times=1)
    http.post("/v1/orders")
    (entry,) = journal(world, "fault.applied")
    assert entry.subject == fault.fault_id
    assert json.loads(entry.data) == {"fault": "status", "method": "POST", "path": "/v1/orders"}


# -- which calls -------------------------------------------------------------------------


def test_control_routes_are_never_touched(world: World, http: httpx.Client) -> None:
    """A fault for everything leaves the control routes alone, so it can be taken away."""
    ask(world, "cut_before_effect", match="* /*")
    assert http.post("/_mock/orders").status_code == 200


def test_a_call_to_no_route_uses_no_fault_up(world: World, http: httpx.Client) -> None:
    """A call that no route takes is answered as ever, and the fault waits for another."""
    ask(world, "status", match="* /*", status=503, times=1)
    assert http.post("/v1/nowhere").json()["error"]["code"] == "ROUTE_NOT_FOUND"
    assert len(left(world)) == 1


# -- what it costs -----------------------------------------------------------------------


def test_nothing_asked_costs_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the gate saw that there are no faults, it doesn't look at the database again."""
    gate = Gate(world)
    assert gate.strike("POST", "/v1/orders") is None
    monkeypatch.setattr(world, "transaction", lambda: pytest.fail("looked again"))
    assert gate.strike("POST", "/v1/orders") is None


def test_a_used_up_fault_lets_the_gate_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last fault is used up and one more call, the gate rests again."""
    gate = Gate(world)
    ask(world, "latency", ms=0, times=1)
    assert gate.strike("POST", "/v1/orders") is not None
    assert gate.strike("POST", "/v1/orders") is None
    monkeypatch.setattr(world, "transaction", lambda: pytest.fail("looked again"))
    assert gate.strike("POST", "/v1/orders") is None


def test_a_resting_gate_wakes_for_a_new_fault(world: World) -> None:
    """A fault that another thread asks for strikes the very next call."""
    gate = Gate(world)
    assert gate.strike("POST", "/v1/orders") is None
    asking = threading.Thread(target=ask, args=(world, "status"), kwargs={"status": 503})
    asking.start()
    asking.join()
    assert gate.strike("POST", "/v1/orders") is not None


def test_a_fault_that_was_rolled_back_never_strikes(world: World) -> None:
    """A fault whose transaction failed isn't there."""
    gate = Gate(world)
    with pytest.raises(Conflict):
        ask_in_vain(world)
    assert gate.strike("POST", "/v1/orders") is None


@pytest.mark.sqlite
def test_a_restored_world_brings_its_faults_back(world: World) -> None:
    """A gate that rests wakes when a copy with faults in it is restored."""
    gate = Gate(world)
    ask(world, "status", status=503, times=1)
    image = world.image()
    gate.strike("POST", "/v1/orders")
    assert gate.strike("POST", "/v1/orders") is None
    world.restore(image)
    assert gate.strike("POST", "/v1/orders") is not None


def test_threads_share_the_times_of_a_fault(world_on_file: World) -> None:
    """Ten threads that call at once meet a fault exactly as often as it was asked for."""
    ask(world_on_file, "latency", ms=0, times=25)
    gate, struck = Gate(world_on_file), []

    def call() -> None:
        struck.extend(gate.strike("POST", "/v1/orders") is not None for _ in range(5))

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert struck.count(True) == 25
