"""Both commands, when what they print can't be printed."""

import os
import subprocess
import sysconfig
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

SCRIPTS = Path(sysconfig.get_path("scripts"))
HELP = ("settlekit --help", "settlekit-mock --help", "settlekit-mock serve --help")
FINDING = "settlekit doctor preflight --json"
"""Without an environment the doctor has findings."""


@contextmanager
def broken_pipe() -> Generator[int, None, None]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def run(command: str, out: int | None, before: Callable[[], None] | None = None) -> tuple[int, str]:
    name, *arguments = command.split()
    ended = subprocess.run(
        [SCRIPTS / name, *arguments],
        stdout=out,
        stderr=subprocess.PIPE,
        preexec_fn=before,
        env={},
        timeout=30,
        check=False,
        text=True,
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("command", HELP)
def test_help_into_a_pipe_that_nobody_reads_ends_in_silence(command: str) -> None:
    """``--help | head`` leaves no traceback."""
    with broken_pipe() as writing:
        assert run(command, writing) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", HELP)
def test_help_onto_a_full_disk_is_refused_in_a_line(command: str) -> None:
    """What can't be written is said in one line, without a traceback."""
    with Path("/dev/full").open("w") as full:
        code, told = run(command, full.fileno())
    assert (code, told) == (2, f"{command.split(maxsplit=1)[0]}: No space left on device\n")


def test_a_finding_is_one_without_a_standard_output() -> None:
    """A command whose output was closed does its work, and its exit code says what it found."""
    assert run(FINDING, None, lambda: os.close(1)) == (1, "")
