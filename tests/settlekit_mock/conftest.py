from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from settlekit_mock.kernel.database import MEMORY_URL, Database
from settlekit_mock.kernel.times import from_text
from settlekit_mock.kernel.world import Settings, World
from tests.both_databases import database, module_database, told_on

__all__ = ["database", "module_database"]
pytest_generate_tests = told_on
START = "2026-03-01T00:00:00Z"

MakeWorld = Callable[[str], World]


@pytest.fixture
def make_world() -> Iterator[MakeWorld]:
    """Make worlds on databases of a test's choice; the clock is frozen at ``START``."""
    made: list[World] = []

    def make(url: str) -> World:
        world = World(Database(url), Settings(freeze_at=from_text(START)))
        made.append(world)
        world.database.prepare()
        world.create()
        return world

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world in memory, with no rooms installed and nobody in it."""
    return make_world(MEMORY_URL)


@pytest.fixture
def url_on_file(tmp_path: Path, database: str) -> str:
    """A database which threads work on side by side: a file, or one on PostgreSQL."""
    return f"sqlite:///{tmp_path / 'mock.db'}" if database == "sqlite" else MEMORY_URL


@pytest.fixture
def world_on_file(make_world: MakeWorld, url_on_file: str) -> World:
    """A world which threads work on side by side."""
    return make_world(url_on_file)
