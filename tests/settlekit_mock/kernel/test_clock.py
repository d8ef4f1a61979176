"""The clock's state: frozen and real, and never going back."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.kernel import clock
from settlekit_mock.kernel.clock import State
from settlekit_mock.kernel.database import Database
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.times import DAY, EARLIEST, HOUR, LATEST
from settlekit_mock.kernel.world import Settings, World
from tests.settlekit_mock.kernel.conftest import START, entries, schedule, step

TWO_INSTANTS = st.lists(st.integers(EARLIEST, LATEST), min_size=2, max_size=2).map(sorted)


class Machine:
    """The machine's time, to be set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(clock, "machine_now", made)
    return made


@pytest.fixture
def real(machine: Machine) -> Iterator[World]:
    """A world on the real clock, of a machine whose time the test sets."""
    made = World(Database(), Settings())
    made.database.prepare()
    made.create()
    made.due.on("step", step)
    yield made
    made.close()


def frozen(instant: int) -> State:
    return State(seed=0, frozen_at=instant, offset_ms=0, sign_with_clock=False, next_number=1)


@given(TWO_INSTANTS)
def test_a_frozen_clock_moves_forward(two: list[int]) -> None:
    """A frozen clock shows the later of two times once it was moved there."""
    assert frozen(two[0]).moved_to(two[1]).now == two[1]


@given(TWO_INSTANTS.filter(lambda two: two[0] < two[1]))
def test_a_frozen_clock_moves_forward_alone(two: list[int]) -> None:
    """A frozen clock refuses the earlier of two times."""
    with pytest.raises(Conflict, match="never goes back"):
        frozen(two[1]).moved_to(two[0])


@pytest.mark.parametrize("instant", [LATEST + 1, 10**18])
def test_a_clock_stays_within_the_calendar(instant: int) -> None:
    """A time beyond the year 2999 is refused."""
    with pytest.raises(ValueError, match="1970 to 2999"):
        frozen(0).moved_to(instant)


def test_a_frozen_clock_stands_still(world: World) -> None:
    """Without a call that moves it, a frozen clock shows the same time."""
    assert (world.state().frozen, world.now(), world.now()) == (True, START, START)


def test_a_real_clock_goes_with_the_machine(real: World, machine: Machine) -> None:
    """A real clock runs on by itself."""
    machine.now += HOUR
    assert (real.state().frozen, real.now()) == (False, START + HOUR)


def test_a_real_clock_that_was_advanced_goes_on_from_there(real: World, machine: Machine) -> None:
    """After each advance a real clock keeps its lead and runs on."""
    real.due.advance(START + DAY)
    machine.now += HOUR
    assert (real.state().frozen, real.now()) == (False, START + DAY + HOUR)
    real.due.advance(START + 2 * DAY)
    machine.now += HOUR
    assert real.now() == START + 2 * DAY + HOUR


def test_work_on_a_real_clock_has_its_own_time(real: World, machine: Machine) -> None:
    """What a machine that slept finds overdue is done at the times it was due."""
    schedule(real, ("step", "a", HOUR), ("step", "b", 2 * HOUR))
    machine.now += DAY
    real.due.settle()
    assert entries(real) == [("step", "a", HOUR), ("step", "b", 2 * HOUR)]
    assert real.now() == START + DAY


def test_a_clock_that_is_frozen_shows_the_moment_it_stopped(real: World, machine: Machine) -> None:
    """Freezing keeps the time shown, whatever the machine's does."""
    real.due.advance(START + DAY)
    with real.transaction() as tx:
        tx.state = tx.state.froze()
    machine.now += HOUR
    assert (real.state().frozen, real.now()) == (True, START + DAY)


def test_a_clock_that_is_resumed_runs_on_from_there(real: World, machine: Machine) -> None:
    """Resuming goes on at the time shown, in the machine's pace; twice is once."""
    with real.transaction() as tx:
        tx.state = tx.state.froze()
    machine.now += HOUR
    with real.transaction() as tx:
        tx.state = tx.state.resumed().resumed()
    machine.now += 5
    assert (real.state().frozen, real.now()) == (False, START + 5)


def test_a_real_clock_never_goes_back(real: World, machine: Machine) -> None:
    """A real clock refuses a past target too."""
    machine.now += HOUR
    with pytest.raises(Conflict, match="never goes back"):
        real.due.advance(START)
    assert real.now() == START + HOUR


def test_a_target_that_a_real_clock_reached_meanwhile_is_reached(
    real: World, machine: Machine
) -> None:
    """Time that passes during an advance by nothing is no way back."""

    def late(now: int) -> int:
        machine.now += 7
        return now

    real.due.advance(late)
    assert real.now() == START + 7


def test_a_running_clock_stands_still_at_its_last_instant(world: World) -> None:
    """A clock that runs shows no time that it couldn't be set to."""
    world.due.advance(LATEST)
    with world.transaction() as tx:
        tx.state = tx.state.resumed()
    threading.Event().wait(0.01)
    assert world.now() == LATEST
    world.due.advance(LATEST)
    with world.transaction() as tx:
        tx.state = tx.state.froze()
    assert world.now() == LATEST


def test_the_signatures_time_is_a_switch(world: World) -> None:
    """Whether signatures carry this clock's time is kept with the clock."""
    with world.transaction() as tx:
        tx.state = tx.state.signing(with_clock=True)
    assert world.state().sign_with_clock


def test_a_world_is_begun_and_reset_at_one_stroke(world: World) -> None:
    """Beginning anew shows nobody a world without its state or its actors."""
    world.seed = lambda tx: tx.record("seeded", str(tx.now))
    schedule(world, ("step", "a", 5), ("step", "b", 99))
    world.due.advance(START + 9)
    world.reset()
    assert entries(world) == [("seeded", str(START), 0)]
    assert (world.now(), world.due.next_due_at()) == (START, None)


def test_a_reset_that_fails_changes_nothing(world: World) -> None:
    """Where the actors can't be written the old world stays whole."""
    schedule(world, ("step", "a", 0))
    world.settle()
    world.seed = lambda tx: {}["missing"]
    with pytest.raises(KeyError):
        world.reset()
    assert entries(world) == [("step", "a", 0)]
