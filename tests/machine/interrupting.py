"""A call in whose midst something happens: its process dies, or another call comes first."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple

import httpx
import pytest
from sqlalchemy import Connection

from settlekit_mock import MockServer
from settlekit_mock.control.check import check_all
from settlekit_mock.driver import ControlError
from settlekit_mock.kernel.tables import EVENTS
from settlekit_mock.kernel.world import Image
from settlekit_mock.webhooks.install import mounts_of
from settlekit_mock.webhooks.sender import Outcome
from tests.settlekit_mock.control.conftest import START, rows_of
from tests.settlekit_mock.writing import WRITES, Call, said, send

SHOP_ORIGIN: Final = "http://localhost:3000"
Happening = Callable[[], None]


class Killed(BaseException):
    """The process dies here: nothing in it goes on."""


def die() -> None:
    raise Killed


class Ready(NamedTuple):
    """A mock in which a call can be sent, and what comes of it when nothing interrupts it."""

    mock: MockServer
    image: Image
    call: Call
    told: list[bytes]
    """The bodies that the merchant was sent, since the mock was set back."""

    def set_back(self) -> None:
        """Make the mock what it was before the call."""
        self.mock.world.restore(self.image)
        self.told.clear()

    def send(self) -> httpx.Response:
        return send(self.mock, self.call)

    def left(self) -> tuple[dict[str, list[Any]], set[bytes]]:
        """Return every row but the journal's, and each event that the merchant saw."""
        return rows_of(self.mock.world, EVENTS), set(self.told)


@contextmanager
def made_ready(name: str) -> Iterator[Ready]:
    """Make a mock in which a route's call can be sent."""
    with MockServer(seed=7, freeze_at=START, webhook_url=f"{SHOP_ORIGIN}/hook") as mock:
        told: list[bytes] = []

        def receive(_url: str, _headers: object, body: bytes) -> Outcome:
            told.append(body)
            return Outcome(200)

        mounts_of(mock.world).mount(SHOP_ORIGIN, receive)
        call = WRITES[name](mock)
        yield Ready(mock, mock.world.image(), call, told)


@contextmanager
def interrupted(mock: MockServer, at: int, happening: Happening) -> Iterator[list[str]]:
    """Let something happen at one of the places where a call can be interrupted.

    The places are before each transaction, before its commit and after it; yields the list
    of those that were passed, which is shorter than ``at`` where nothing happened.
    """
    passed: list[str] = []
    write = mock.world.database.write

    def place(name: str) -> None:
        passed.append(name)
        if len(passed) == at:
            happening()

    @contextmanager
    def writing() -> Generator[Connection, None, None]:
        place("before")
        with write() as connection:
            yield connection
            place("within")
        place("after")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mock.world.database, "write", writing)
        yield passed


def survives_its_death(ready: Ready) -> None:
    """Kill a call at each place, in turn: what is left is sound, and sent again it is whole."""
    ready.set_back()
    first, once = said(ready.send()), ready.left()
    for at in range(1, 1_000):
        ready.set_back()
        with interrupted(ready.mock, at, die) as passed, suppress(Killed):
            ready.send()
        _is_sound(ready)
        ready.mock.world.due.settle()
        assert said(ready.send()) == first
        assert ready.left() == once
        if len(passed) < at:
            return


def stands_its_double(ready: Ready) -> None:
    """Send a call again in the midst of itself, between transactions: it has one effect."""
    ready.set_back()
    first, once = said(ready.send()), ready.left()
    for at in range(1, 1_000):
        ready.set_back()
        doubled: list[bytes] = []
        with interrupted(ready.mock, at, lambda: doubled.append(said(ready.send()))) as passed:  # noqa: B023
            if _is_within(at):
                continue  # writers wait for each other: nobody comes between
            answered = said(ready.send())
        assert {answered, *doubled} == {first}
        assert ready.left() == once
        _is_sound(ready)
        if len(passed) < at:
            return


def makes_room(ready: Ready, other: Callable[[MockServer], object]) -> None:
    """Let something else happen between a call's transactions: it is as if before, or after."""
    orders = [_in_order(ready, other, first=True), _in_order(ready, other, first=False)]
    for at in range(1, 1_000, 3):
        ready.set_back()
        with interrupted(ready.mock, at, lambda: _ask(ready, other)) as passed:
            answer = _answered(ready.send())
        if len(passed) < at:
            return
        assert (answer, ready.left()) in orders
        _is_sound(ready)


def _in_order(ready: Ready, other: Callable[[MockServer], object], *, first: bool) -> object:
    """Do one after the other; return what the call answered and what both left."""
    ready.set_back()
    if first:
        _ask(ready, other)
    answer = _answered(ready.send())
    if not first:
        _ask(ready, other)
    return answer, ready.left()


def _ask(ready: Ready, other: Callable[[MockServer], object]) -> None:
    with suppress(ControlError):  # it may come too late
        other(ready.mock)


def _answered(answer: httpx.Response) -> tuple[int, bytes]:
    return answer.status_code, answer.content.split(b'"meta"')[0]


def _is_within(at: int) -> bool:
    return at % 3 == 2


def _is_sound(ready: Ready) -> None:
    with ready.mock.world.snapshot() as connection:
        assert check_all(connection) == []
