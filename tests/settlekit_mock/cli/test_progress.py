"""While a long call lasts, a terminal shows how far the clock has come."""

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import pytest

from settlekit_mock.cli import progress
from settlekit_mock.cli.progress import clock_shown

SHOWN = "2026-03-05T00:00:00.000Z"
PATIENCE_SECONDS = 20


@contextmanager
def terminal() -> Iterator[int]:
    """Put a terminal behind standard error; what it shows is read from its other end."""
    reader, writer = os.openpty()
    with open(writer, "w", encoding="utf-8") as shown, redirect_stderr(shown):  # noqa: PTH123
        yield reader
    os.close(reader)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "PAUSE_SECONDS", 0.01)


def test_a_long_call_shows_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the call lasts, the time that the server's clock shows is there to be seen."""
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0)
    read = threading.Semaphore(0)

    def read_clock() -> str:
        read.release()
        return SHOWN

    with terminal() as reader, clock_shown(read_clock):
        assert all(read.acquire(timeout=PATIENCE_SECONDS) for _ in range(2))
        told = b""
        while f"the clock shows {SHOWN}".encode() not in told:
            assert len(told) < 10_000, "something else is shown"
            assert select.select([reader], [], [], PATIENCE_SECONDS)[0]
            told += os.read(reader, 4096)


def test_a_short_call_shows_nothing() -> None:
    """What is over at once asks for no time."""
    with terminal() as reader:
        with clock_shown(lambda: pytest.fail("nobody had to wait")):
            pass
        os.set_blocking(reader, False)
        with pytest.raises(BlockingIOError):
            os.read(reader, 1)


def test_a_clock_that_cannot_be_read_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the clock can't be read the showing ends, and the call goes on."""
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0)
    asked = threading.Event()

    def read_clock() -> str:
        asked.set()
        raise OSError("the server is gone")

    with terminal(), clock_shown(read_clock):
        assert asked.wait(PATIENCE_SECONDS)


def test_a_pipe_is_shown_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Where nobody looks, no clock is read and nothing is written."""
    with clock_shown(lambda: pytest.fail("nobody looks")):
        pass
    assert capfd.readouterr().err == ""
