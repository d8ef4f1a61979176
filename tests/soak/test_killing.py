"""Killed under load, again and again: what was acknowledged is there, and nothing is half done."""

import os
from pathlib import Path
from typing import Final

import pytest

from tests.soak.killing import Killing

SOAK_KILLS: Final = int(os.environ.get("SOAK_KILLS", "100"))
"""Kills in a soak; fewer for a trial."""


def kill_again_and_again(path: Path, *, cycles: int) -> Killing:
    """Load, kill, serve the same file again and check, so many times."""
    killing = Killing(path)
    server = killing.serve()
    try:
        for _ in range(cycles):
            killing.kill_under_load(server)
            server = killing.serve()
            killing.check(server)
    finally:
        server.kill()
    return killing


def test_no_acknowledged_write_is_lost_to_a_kill(tmp_path: Path) -> None:
    """Ten kills: every acknowledged write is found, asked again it is told the same, all is sound."""
    killing = kill_again_and_again(tmp_path / "mock.db", cycles=10)
    assert killing.cycles == 10
    assert min(len(told.sessions) for told in killing.told) > 10


@pytest.mark.soak
def test_no_acknowledged_write_is_lost_to_many_kills(tmp_path: Path) -> None:
    """A hundred kills, in one file."""
    killing = kill_again_and_again(tmp_path / "mock.db", cycles=SOAK_KILLS)
    assert min(len(told.sessions) for told in killing.told) > SOAK_KILLS
