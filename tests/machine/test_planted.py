"""Rules made wrong on purpose are found out: the machine and the invariants can fail."""

import pytest
from hypothesis import Phase, settings

from settlekit_mock.kernel.database import MEMORY_URL
from tests.machine.lives import LIVES, Directed
from tests.machine.machine import Machine
from tests.machine.opening import opened
from tests.machine.planted import (
    PLANTED,
    Plant,
    balance_without_an_entry,
    reservation_never_released,
)
from tests.machine.runs import RUNS, run

SEARCH = settings(
    RUNS,
    max_examples=100,
    stateful_step_count=50,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    print_blob=False,
    report_multiple_bugs=False,
)
"""The same runs every time, and no search for the shortest: that it fails is enough."""

wrong_rules = pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)


def live(plant: Plant, url: str = MEMORY_URL) -> None:
    """Live the life in which a wrong rule shows."""
    with opened(url) as Directed.opened:
        LIVES[plant](Directed())


@wrong_rules
def test_a_wrong_rule_is_found_out(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a life that is all right by the right rules, something that must hold doesn't."""
    live(plant)
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        live(plant)


@pytest.mark.parametrize("plant", [balance_without_an_entry, reservation_never_released])
def test_a_wrong_rule_is_found_out_on_postgresql(
    plant: Plant, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs on a real PostgreSQL can fail, too."""
    live(plant, postgresql_url)
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        live(plant, postgresql_url)


@pytest.mark.soak
@wrong_rules
def test_a_wrong_rule_is_come_across(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a hundred runs that nobody directs, something that must hold doesn't."""
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        run(Machine, SEARCH)


def test_every_wrong_rule_says_what_is_wrong() -> None:
    """There are twenty of them and more, each told apart by a sentence of its own."""
    said = {plant.__doc__ for plant in PLANTED}
    assert None not in said
    assert len(said) == len(PLANTED) >= 20
