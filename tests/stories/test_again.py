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


@pytest.fixture(scope="module")
def town() -> Iterator[MockServer]:
    """A world in which somebody else's batch is past due before the year is told."""
    with MockServer(seed=5) as mock:
        mock.usage("sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY")
        mock.simulate.debit_failure(buyer="sandbox_buyer", times=28)
        mock.clock.advance(until="batch.past_due")
        yield mock


def test_a_story_counts_its_own_batches(town: MockServer) -> None:
    """What was there before, and what another story made, is no batch of this one."""
    first = town.scenarios.play("weekly_micro_settles")
    second = town.scenarios.play("past_due_then_written_off")
    refused = town.scenarios.play("refused_over_budget")
    assert (first.batches, second.batches) == ({"settled": 1}, {"written_off": 1})
    assert refused.batches == {}


def test_a_year_leaves_other_peoples_batches_alone(town: MockServer) -> None:
    """The year's operator writes off and requeues the year's own batches, nobody else's."""
    played = town.scenarios.play("year_at_scale", scale=SCALE)
    assert sum(played.batches.values()) == 480
    client = town.client("buyer")
    (batch,) = client.buyer_statements.settlement_batches()
    assert batch.status == "past_due"
