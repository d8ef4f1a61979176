"""Two servers' worlds on one PostgreSQL database, as two processes would have them."""

import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from settlekit_mock.kernel.database import Database
from settlekit_mock.kernel.world import Settings, World
from tests.settlekit_mock.kernel.conftest import START, Courier, step

PATIENCE_SECONDS = 10


class Server(NamedTuple):
    """One server's world, and the courier that performs its errands."""

    world: World
    courier: Courier


def opened(url: str) -> Server:
    """Open a server's world on a database."""
    world, courier = World(Database(url), Settings(freeze_at=START)), Courier()
    world.due.on("step", step)
    world.due.on_errand("errand", courier)
    return Server(world, courier)


@pytest.fixture
def servers(postgresql_url: str) -> Iterator[tuple[Server, Server]]:
    """Two servers on one database."""
    first, second = opened(postgresql_url), opened(postgresql_url)
    assert first.world.database.prepare()
    first.world.create()
    assert not second.world.database.prepare()
    yield first, second
    first.world.close()
    second.world.close()


def beside(work: Callable[[], object]) -> threading.Thread:
    """Run something beside the test."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def together(*work: Callable[[], object]) -> None:
    """Run several things at once, to their ends."""
    for thread in [beside(one) for one in work]:
        thread.join(PATIENCE_SECONDS * 3)
        assert not thread.is_alive()


class Gone:
    """What an errand does that stays away until it is called back."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        self._back = threading.Event()

    def __call__(self, _subject: str) -> None:
        self.gone.set()
        self._back.wait(PATIENCE_SECONDS)

    def wait_until_gone(self) -> None:
        assert self.gone.wait(PATIENCE_SECONDS)

    def call_back(self) -> None:
        self._back.set()
