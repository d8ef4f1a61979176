"""The due loop: everything at its own time, in order, and small steps as one large one."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlekit_mock.kernel.database import Database
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.times import DAY, HOUR
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import Settings, World
from tests.settlekit_mock.kernel.conftest import (
    START,
    Courier,
    entries,
    journal_bytes,
    schedule,
    step,
    waiting,
)

WORK = st.lists(
    st.tuples(st.sampled_from(["step", "errand", "chain"]), st.text("abc", max_size=2)).flatmap(
        lambda work: st.tuples(st.just(work[0]), st.just(work[1]), st.integers(0, 9 * DAY))
    ),
    max_size=12,
)


def chain(tx: Transaction, subject: str) -> None:
    """A step that leaves two more, one of them due at once."""
    tx.record("chain", subject)
    tx.new_id("chain")
    tx.schedule("step", f"{subject}.now", tx.now)
    tx.schedule("step", f"{subject}.later", tx.now + 7 * HOUR)


def fresh() -> World:
    made = World(Database(), Settings(freeze_at=START))
    made.database.prepare()
    made.create()
    made.due.on("step", step)
    made.due.on("chain", chain)
    made.due.on_errand("errand", Courier())
    return made


def test_work_is_done_in_the_order_of_time_then_of_the_queue(world: World) -> None:
    """The earliest row is next; of two at one time, the one that was put there first."""
    schedule(world, ("step", "c", 2), ("step", "a", 1), ("step", "d", 2), ("step", "b", 1))
    world.due.advance(START + 2)
    assert [subject for _, subject, _ in entries(world)] == ["a", "b", "c", "d"]


def test_each_piece_of_work_has_its_own_time(world: World) -> None:
    """Due work sees and writes the time it was due, steps and errands alike."""
    schedule(world, ("step", "a", HOUR), ("errand", "b", 2 * HOUR), ("step", "c", 3 * HOUR))
    world.due.advance(START + DAY)
    assert entries(world) == [
        ("step", "a", HOUR),
        ("errand.prepared", "b", 2 * HOUR),
        ("errand.finished", "b", 2 * HOUR),
        ("step", "c", 3 * HOUR),
    ]
    assert world.now() == START + DAY


def test_the_target_itself_belongs_to_the_advance(world: World) -> None:
    """What is due exactly at the target is done, what is due a millisecond later isn't."""
    schedule(world, ("step", "at", HOUR), ("step", "after", HOUR + 1))
    world.due.advance(START + HOUR)
    assert (entries(world), waiting(world)) == ([("step", "at", HOUR)], [("after", HOUR + 1)])


def test_work_that_work_leaves_is_done_in_its_turn(world: World) -> None:
    """A step's own follow-ups come in order with what was there before."""
    world.due.on("chain", chain)
    schedule(world, ("chain", "x", HOUR), ("step", "between", 5 * HOUR))
    world.due.advance(START + DAY)
    assert [(subject, at) for _, subject, at in entries(world)] == [
        ("x", HOUR),
        ("x.now", HOUR),
        ("between", 5 * HOUR),
        ("x.later", 8 * HOUR),
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(work=WORK, cuts=st.lists(st.integers(0, 10 * DAY), min_size=9, max_size=9))
def test_ten_small_steps_equal_one_large_step(
    work: list[tuple[str, str, int]], cuts: list[int]
) -> None:
    """However a span is cut, the journal is the same to the byte."""
    at_once, in_steps = fresh(), fresh()
    schedule(at_once, *work)
    schedule(in_steps, *work)
    at_once.due.advance(START + 10 * DAY)
    for cut in [*sorted(cuts), 10 * DAY]:
        in_steps.due.advance(START + cut)
    assert journal_bytes(in_steps) == journal_bytes(at_once)
    assert in_steps.state() == at_once.state()
    at_once.close()
    in_steps.close()


@pytest.mark.parametrize("count", [249, 250, 251, 700])
def test_groups_of_steps_leave_none_out(world: World, count: int) -> None:
    """However many steps share a transaction, each is done once."""
    schedule(world, *(("step", f"{number:04d}", number) for number in range(count)))
    world.due.advance(START + DAY)
    assert [subject for _, subject, _ in entries(world)] == [f"{n:04d}" for n in range(count)]


def test_settling_does_what_is_due_and_moves_no_clock(world: World) -> None:
    """What is due by now is done; what is due later waits."""
    schedule(world, ("step", "now", 0), ("step", "later", 1))
    world.due.settle()
    assert (entries(world), world.now()) == ([("step", "now", 0)], START)


def test_a_world_settles_only_what_it_left_due(world: World) -> None:
    """Settling looks at the queue where this thread put work that is due at once."""
    schedule(world, ("step", "now", 0))
    world.settle()
    assert [subject for _, subject, _ in entries(world)] == ["now"]


def test_an_advance_stops_where_something_was_journalled(world: World) -> None:
    """With ``until`` the clock stays at the entry's time, and the answer says that it came."""
    world.due.on("chain", chain)
    schedule(world, ("step", "a", 1), ("chain", "x", 2), ("step", "b", 2))
    assert world.due.advance(START + DAY, until="chain")
    assert (world.now(), waiting(world)[0]) == (START + 2, ("b", 2))


@pytest.mark.parametrize("kind", ["errand.prepared", "errand.finished"])
def test_an_errand_can_be_what_is_waited_for(world: World, kind: str) -> None:
    """An errand that is begun is brought to its end before the clock stays."""
    schedule(world, ("errand", "a", 1), ("step", "b", 2))
    assert world.due.advance(START + DAY, until=kind)
    assert (world.now(), waiting(world)) == (START + 1, [("b", 2)])


def test_an_advance_that_meets_nothing_arrives(world: World) -> None:
    """Without the entry that was waited for, the clock reaches the target and says so."""
    schedule(world, ("step", "a", 1))
    assert not world.due.advance(START + DAY, until="never")
    assert world.now() == START + DAY


def test_what_was_journalled_before_isnt_waited_for(world: World) -> None:
    """Only entries of this advance count for ``until``."""
    schedule(world, ("step", "a", 1), ("step", "b", 2))
    assert world.due.advance(START + 1, until="step")
    assert world.due.advance(START + DAY, until="step")
    assert world.now() == START + 2


@pytest.mark.parametrize("goal", [START - 1, lambda now: now - 1, START - 365 * DAY])
def test_the_clock_never_goes_back(world: World, goal: int | Callable[[int], int]) -> None:
    """A target in the past is refused, and nothing that is due is done."""
    schedule(world, ("step", "a", 0))
    with pytest.raises(Conflict, match="never goes back") as refused:
        world.due.advance(goal)
    assert refused.value.code == "CLOCK_NEVER_GOES_BACK"
    assert (entries(world), world.now()) == ([], START)


def test_a_crash_in_a_step_leaves_its_group_as_it_was(world: World) -> None:
    """A step with a defect takes back its transaction: clock, journal and queue."""
    world.due.on("defect", lambda tx, subject: {}["missing"])
    schedule(world, ("step", "a", 1), ("defect", "b", 2))
    with pytest.raises(KeyError):
        world.due.advance(START + DAY)
    assert (entries(world), world.now()) == ([], START)
    assert waiting(world) == [("a", 1), ("b", 2)]


def test_progress_is_told_on_the_way(world: World) -> None:
    """Who asked hears the clock's time after each group of work."""
    told: list[int] = []
    schedule(world, ("errand", "a", 1), ("errand", "b", 2))
    world.due.advance(START + 9, progress=told.append)
    assert told == [START + 1, START + 2]
