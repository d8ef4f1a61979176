"""Calls that fail as asked leave a whole effect or none, and can be sent again."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from settlekit_mock import MockServer
from settlekit_mock.control.check import check_all
from settlekit_mock.kernel.faults import FAULTS
from settlekit_mock.kernel.tables import EVENTS
from settlekit_mock.kernel.world import Image
from tests.settlekit_mock.control.conftest import START, rows_of
from tests.settlekit_mock.writing import WRITES, Call, said, send

pytestmark = pytest.mark.sqlite
REFUSALS = [
    (429, "RATE_LIMITED"),
    (500, "INTERNAL"),
    (502, "BAD_GATEWAY"),
    (503, "SERVICE_UNAVAILABLE"),
]


class Ready(NamedTuple):
    """A mock in which a call can be sent, and what comes of sending it once."""

    mock: MockServer
    image: Image
    call: Call
    first: bytes
    once: dict[str, list[Any]]

    def ask(self, kind: Any, **given: Any) -> None:
        """Let the call's route fail once."""
        self.mock.faults.create(f"POST {self.call.path}", kind, times=1, **given)

    def send(self) -> httpx.Response:
        return send(self.mock, self.call)

    def rows(self) -> dict[str, list[Any]]:
        return rows_of(self.mock.world, EVENTS, FAULTS)

    def whole(self) -> bool:
        """Send the call, and say whether answer and rows are what they are of one sent once."""
        return said(self.send()) == self.first and self.rows() == self.once


@pytest.fixture(scope="module", params=WRITES)
def made(request: pytest.FixtureRequest) -> Iterator[Ready]:
    """A mock for each route."""
    with MockServer(seed=7, freeze_at=START) as mock:
        call = WRITES[request.param](mock)
        ready = Ready(mock, mock.world.image(), call, b"", {})
        # This fault never strikes: it takes up the id that the others' faults take up.
        mock.faults.create("POST /v1/nowhere", "cut_before_effect", times=1)
        first = said(ready.send())
        yield ready._replace(first=first, once=ready.rows())


@pytest.fixture
def ready(made: Ready) -> Iterator[Ready]:
    """The mock as it was before the call; every invariant holds at the end."""
    made.mock.world.restore(made.image)
    yield made
    with made.mock.world.snapshot() as connection:
        assert check_all(connection) == []


def test_a_call_sent_twice_has_one_effect(ready: Ready) -> None:
    """The same key or challenge answers the first bytes, and writes nothing more."""
    first, once = said(ready.send()), ready.rows()
    assert said(ready.send()) == first
    assert ready.rows() == once


@pytest.mark.parametrize(("status", "code"), REFUSALS)
def test_a_refused_call_has_no_effect(ready: Ready, status: int, code: str) -> None:
    """A status that was asked for leaves every row; sent again the call has its whole effect."""
    ready.ask("status", status=status)
    before = ready.rows()
    answer = ready.send()
    assert (answer.status_code, answer.json()["error"]["code"].upper()) == (status, code)
    assert ready.rows() == before
    assert ready.whole()


def test_a_call_cut_before_its_effect_has_none(ready: Ready) -> None:
    """A connection cut before the effect leaves every row; sent again it has the whole effect."""
    ready.ask("cut_before_effect")
    before = ready.rows()
    with pytest.raises(httpx.TransportError):
        ready.send()
    assert ready.rows() == before
    assert ready.whole()


def test_a_cut_after_the_effect_hides_a_whole_one(ready: Ready) -> None:
    """A connection cut after the effect had all of it; sent again it tells the first bytes."""
    ready.ask("cut_after_effect")
    with pytest.raises(httpx.TransportError):
        ready.send()
    assert ready.rows() == ready.once
    assert ready.whole()


def test_a_malformed_answer_hides_a_whole_effect(ready: Ready) -> None:
    """Half an answer had its whole effect; sent again it tells the first bytes."""
    ready.ask("malformed")
    with pytest.raises(json.JSONDecodeError):
        ready.send().json()
    assert ready.rows() == ready.once
    assert ready.whole()


def test_a_slow_call_has_its_effect_once(ready: Ready) -> None:
    """A call that was kept waiting does what it does at other times."""
    ready.ask("latency", ms=1)
    assert ready.whole()
