"""A story told twice is the same story, to the byte; and a year is told whole."""

from collections.abc import Iterator
from typing import Any

import pytest

from settlekit_mock import MockServer
from settlekit_mock.control.scenarios.stories import STORIES
from tests.settlekit_mock.control.conftest import rows_of

SHORT = [name for name in STORIES if name != "year_at_scale"]
SCALE = 0.0001
"""A week of the year, with one payment in each of its 480 scopes."""


def written(name: str, seed: int, **given: Any) -> dict[str, list[Any]]:
    """Return every row that a story writes into a fresh world."""
    with MockServer() as mock:
        mock.scenarios.play(name, seed=seed, **given)
        return rows_of(mock.world)


@pytest.mark.parametrize("name", SHORT)
def test_the_same_seed_tells_the_same_story(name: str) -> None:
    """Journal, ledger and all other rows are byte-equal; another seed writes others."""
    told = written(name, 5)
    assert told == written(name, 5)
    assert told["events"] != written(name, 6)["events"]


@pytest.fixture(scope="module")
def year() -> Iterator[MockServer]:
    with MockServer() as mock:
        mock.scenarios.play("year_at_scale", seed=5, scale=SCALE)
        yield mock


def test_the_same_seed_tells_the_same_year(year: MockServer) -> None:
    """Two hundred buyers, failures drawn from the seed: every row is the same again."""
    assert written("year_at_scale", 5, scale=SCALE) == rows_of(year.world)


def test_a_year_comes_to_rest(year: MockServer) -> None:
    """Every payment of the year is in a batch, and every batch has come to its end."""
    with year.world.snapshot() as connection:
        statuses = dict(
            connection.exec_driver_sql("SELECT status, COUNT(*) FROM batches GROUP BY 1").all()
        )
        outside = "SELECT COUNT(*) FROM periods WHERE closed_at IS NULL"
        assert connection.exec_driver_sql(outside).scalar() == 0
    assert sum(statuses.values()) == 480
    assert set(statuses) == {"settled", "past_due", "written_off"}
    assert statuses["settled"] > 460


def test_a_year_has_the_failures_it_promises(year: MockServer) -> None:
    """About one debit in twenty fails at least once, and nothing is unsound for it."""
    failed = {entry.subject for entry in year.events(kind="debit.failed")}
    assert 10 <= len(failed) <= 40
    checked = year.check()
    assert checked.ok, checked.violations
