"""The reader of the live journal: events in whatever pieces they come, and nothing for one."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.control.journal import JournalEntry
from settlekit_mock.driver import ControlError, Driver, UnreadableAnswer

TOLD: list[tuple[str, dict[str, Any]]] = [
    ("batch.settled", {}),
    ("notice.sent", {"note": "日本\n語"}),
    ("debit.failed", {"a": [1]}),
]
ENTRIES = [
    JournalEntry(seq=seq, at="2026-03-02T00:00:00.000Z", kind=kind, subject="msb_1", data=data)
    for seq, (kind, data) in enumerate(TOLD, 1)
]
EVENTS = [b"id: %d\ndata: %s\n\n" % (each.seq, msgspec.json.encode(each)) for each in ENTRIES]
STREAM = b"retry: 1000\n\n" + b": a comment\n\n".join(EVENTS)


def driver_of(pieces: Iterable[bytes], status: int = 200) -> Driver:
    """A driver of a server that sends these pieces."""

    @contextmanager
    def listen(_: str) -> Generator[tuple[int, Iterable[bytes]]]:
        yield status, pieces

    return Driver(lambda *_: (200, b"{}"), listen)


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({min(each, len(stream)) for each in cuts} | {len(stream)})
    return [stream[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_events_are_the_same_in_any_pieces(cuts: list[int]) -> None:
    """Where the network cuts is nothing to the reader, be it within a character."""
    assert list(driver_of(cut(STREAM, cuts)).follow()) == ENTRIES


@given(st.integers(0, len(STREAM) - 3))
def test_an_event_that_was_cut_is_none(end: int) -> None:
    """What breaks off in the middle gives the whole events before it, and no part of one."""
    found = list(driver_of([STREAM[:end]]).follow())
    assert found == ENTRIES[: len(found)]
    assert len(found) < len(ENTRIES)


@given(
    start=st.integers(0, len(STREAM)),
    length=st.integers(0, 60),
    noise=st.binary(max_size=30) | st.sampled_from([b"\ndata: {", b"data: null\n", b"\r", b"\xff"]),
    cuts=st.lists(st.integers(0, len(STREAM)), max_size=5),
)
def test_no_stream_breaks_the_reader(
    start: int, length: int, noise: bytes, cuts: list[int]
) -> None:
    """Whatever comes, events of the journal or UnreadableAnswer, and nothing else."""
    spoilt = STREAM[:start] + noise + STREAM[start + length :]
    found: list[object] = []
    try:
        found += driver_of(cut(spoilt, cuts)).follow()
    except UnreadableAnswer as error:
        found.append(error)
    assert all(isinstance(each, JournalEntry | UnreadableAnswer) for each in found)


def test_a_line_without_an_end_is_refused() -> None:
    """A server that never ends its line doesn't fill the memory of who listens."""
    with pytest.raises(UnreadableAnswer, match="a line without an end"):
        list(driver_of(repeat(b"x" * 65536)).follow())


def test_a_stream_that_is_refused_says_why() -> None:
    """The refusal is the server's own, or none that a mock gives."""
    refusal = b'{"error": {"code": "TOO_MANY_STREAMS", "message": "four listen"}}'
    with pytest.raises(ControlError, match="503 TOO_MANY_STREAMS: four listen"):
        list(driver_of([refusal[:9], refusal[9:]], status=503).follow())
    with pytest.raises(UnreadableAnswer):
        list(driver_of([b"<html>"], status=502).follow())
