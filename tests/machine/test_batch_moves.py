"""Every state of a batch against every move that an operator asks for: the table, or nothing."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import pytest

from settlekit_mock import MockServer
from settlekit_mock.control.check import check_all
from settlekit_mock.driver import ControlError
from settlekit_mock.kernel.tables import EVENTS
from settlekit_mock.kernel.times import DAY
from settlekit_mock.settlement.rules import batch_life
from settlekit_mock.settlement.rules.batch_life import STATES, TRANSITIONS, BatchState, Move
from settlekit_mock.settlement.tables import BATCHES, MOVES, SIMULATIONS
from tests.settlekit_mock.control.conftest import SHOP, START, rows_of

BUYER: Final = "b1"
FAILURES: Final[Mapping[BatchState, Callable[[MockServer], object]]] = MappingProxyType(
    {
        batch_life.NOTICE_DELIVERY_FAILED: lambda mock: mock.simulate.notice_failure(times=25),
        batch_life.RECONCILE_REQUIRED: lambda mock: mock.simulate.unknown_outcome(),
        batch_life.FAILED: lambda mock: mock.simulate.debit_failure(),
        batch_life.RETRYING: lambda mock: mock.simulate.debit_failure(),
        batch_life.PAST_DUE: lambda mock: mock.simulate.debit_failure(times=28),
        batch_life.UNCOLLECTIBLE: lambda mock: mock.simulate.debit_failure(times=28),
        batch_life.WRITTEN_OFF: lambda mock: mock.simulate.debit_failure(times=28),
    }
)
"""What has to go wrong on the way to a state."""
WAYS: Final[Mapping[BatchState, tuple[str, ...]]] = MappingProxyType(
    {
        batch_life.NOTICE_PENDING: ("period.closed",),
        batch_life.NOTICE_DELIVERY_FAILED: ("notice.failed",),
        batch_life.READY: ("notice.recorded",),
        batch_life.SUBMITTED: ("debit.submitted",),
        batch_life.RECONCILE_REQUIRED: ("debit.unknown",),
        batch_life.FAILED: ("debit.failed",),
        batch_life.RETRYING: ("debit.failed", "debit.submitted"),
        batch_life.PAST_DUE: ("batch.past_due",),
        batch_life.SETTLED: ("batch.settled",),
        batch_life.UNCOLLECTIBLE: ("batch.past_due",),
        batch_life.WRITTEN_OFF: ("batch.past_due",),
    }
)
"""What is waited for, in order, until a batch stands in a state."""

Ask = Callable[[MockServer, str], object]
MOVES_ASKED: Final[Mapping[Move, Ask]] = MappingProxyType(
    {
        Move.FIND_RECEIPT: lambda mock, batch: mock.batches.resolve(batch, outcome="settled"),
        Move.RESOLVE_FAILED: lambda mock, batch: mock.batches.resolve(batch, outcome="failed"),
        Move.REQUEUE: lambda mock, batch: mock.batches.requeue(batch),
        Move.REDELIVER_NOTICE: lambda mock, batch: mock.batches.redeliver_notice(batch),
        Move.MARK_UNCOLLECTIBLE: lambda mock, batch: mock.batches.give_up(
            batch, status="uncollectible", reason_code="gone"
        ),
        Move.WRITE_OFF: lambda mock, batch: mock.batches.give_up(
            batch, status="written_off", reason_code="gone"
        ),
    }
)
SIMULATED: Final[Mapping[str, Ask]] = MappingProxyType(
    {
        "notice_failure": lambda mock, _batch: mock.simulate.notice_failure(buyer=BUYER),
        "debit_failure": lambda mock, batch: mock.simulate.debit_failure(settlement_batch_id=batch),
        "unknown_outcome": lambda mock, batch: mock.simulate.unknown_outcome(
            settlement_batch_id=batch
        ),
    }
)
TARGETS: Final = {(row.source, row.move): row.target for row in TRANSITIONS}
LEGAL: Final = [pair for pair in TARGETS if pair[1] in MOVES_ASKED]
ILLEGAL: Final = [
    (state, move) for state in STATES for move in MOVES_ASKED if (state, move) not in TARGETS
]


def named(value: object) -> str:
    return str(value).replace(" / ", "+")


def brought_to(state: BatchState) -> MockServer:
    """Make a mock whose only batch stands in a state."""
    mock = MockServer(seed=7, freeze_at=START)
    mock.buyers.create(buyer_id=BUYER)
    mock.usage(BUYER, merchant=SHOP, amount_minor=100, currency="JPY", count=3)
    FAILURES.get(state, lambda _mock: None)(mock)
    for kind in WAYS[state]:
        # Past the routes, which would send the notice before they answer.
        mock.world.due.advance(lambda now: now + 60 * DAY, until=kind)
    if state in (batch_life.UNCOLLECTIBLE, batch_life.WRITTEN_OFF):
        mock.batches.give_up(batch_of(mock)[0], status=state.status, reason_code="gone")
    return mock


def batch_of(mock: MockServer) -> tuple[str, tuple[str, str]]:
    """Return the id and the state of the only batch."""
    with mock.world.snapshot() as connection:
        row = connection.execute(BATCHES.select()).one()
    return row.settlement_batch_id, (row.status, row.execution_status)


def moves_of(mock: MockServer) -> list[Any]:
    with mock.world.snapshot() as connection:
        return list(connection.execute(MOVES.select().order_by(MOVES.c.move_number)))


@pytest.fixture(scope="module")
def made() -> Iterator[dict[BatchState, MockServer]]:
    """A mock for every state, which the tests leave as it is: each works on a fork."""
    mocks = {state: brought_to(state) for state in STATES}
    yield mocks
    for mock in mocks.values():
        mock.close()


@pytest.fixture
def fork(made: dict[BatchState, MockServer]) -> Iterator[Callable[[BatchState], MockServer]]:
    forks: list[MockServer] = []

    def forked(state: BatchState) -> MockServer:
        forks.append(made[state].fork())
        return forks[-1]

    yield forked
    for one in forks:
        with one.world.snapshot() as connection:
            assert check_all(connection) == []
        one.close()


@pytest.mark.parametrize("state", STATES, ids=named)
def test_every_state_comes_about(
    state: BatchState, fork: Callable[[BatchState], MockServer]
) -> None:
    """Each state of the table is reached by payments, time and what goes wrong alone."""
    assert batch_of(fork(state))[1] == state


def test_the_operator_is_asked_for_all_of_an_operators_moves() -> None:
    """Every move that the table gives to an operator has its control route."""
    theirs = {row.move for row in TRANSITIONS if row.mover is batch_life.Mover.OPERATOR}
    assert theirs == set(MOVES_ASKED)
    assert len(LEGAL) + len(ILLEGAL) == len(STATES) * len(MOVES_ASKED)


@pytest.mark.parametrize(("state", "move"), ILLEGAL, ids=named)
def test_an_illegal_move_is_refused_and_changes_nothing(
    state: BatchState, move: Move, fork: Callable[[BatchState], MockServer]
) -> None:
    """A move that a state doesn't have answers 409, and leaves every row of every table."""
    mock = fork(state)
    batch_id, _ = batch_of(mock)
    before = rows_of(mock.world)
    with pytest.raises(ControlError) as refused:
        MOVES_ASKED[move](mock, batch_id)
    assert (refused.value.status, refused.value.code) == (409, "ILLEGAL_BATCH_MOVE")
    assert rows_of(mock.world) == before


@pytest.mark.parametrize(("state", "move"), LEGAL, ids=named)
def test_a_legal_move_leads_where_the_table_says(
    state: BatchState, move: Move, fork: Callable[[BatchState], MockServer]
) -> None:
    """A move that a state has is written as the table's, from there to there."""
    mock = fork(state)
    batch_id, _ = batch_of(mock)
    before = moves_of(mock)
    MOVES_ASKED[move](mock, batch_id)
    made = moves_of(mock)[len(before)]
    target = TARGETS[state, move]
    assert (made.move, made.from_status, made.from_execution_status) == (move, *state)
    assert (made.to_status, made.to_execution_status) == target


@pytest.mark.parametrize("move", MOVES_ASKED, ids=named)
def test_a_move_of_no_batch_is_not_found(
    move: Move, fork: Callable[[BatchState], MockServer]
) -> None:
    """A batch that isn't there is 404, and nothing changes."""
    mock = fork(batch_life.PAST_DUE)
    before = rows_of(mock.world)
    with pytest.raises(ControlError) as refused:
        MOVES_ASKED[move](mock, "msb_none")
    assert (refused.value.status, refused.value.code) == (404, "SETTLEMENT_BATCH_NOT_FOUND")
    assert rows_of(mock.world) == before


@pytest.mark.parametrize("state", [s for s in STATES if s != batch_life.NOTICE_PENDING], ids=named)
@pytest.mark.parametrize("kind", SIMULATED)
def test_a_simulation_alone_changes_no_batch(
    state: BatchState, kind: str, fork: Callable[[BatchState], MockServer]
) -> None:
    """Whatever a batch's state, asking for a failure is no move: the wish is written and told."""
    mock = fork(state)
    before, told = rows_of(mock.world, SIMULATIONS, EVENTS), len(list(mock.events()))
    SIMULATED[kind](mock, batch_of(mock)[0])
    assert rows_of(mock.world, SIMULATIONS, EVENTS) == before
    assert [entry.kind for entry in mock.events(after=told)] == ["simulation.begun"]
    (wish,) = [row for row in rows_of(mock.world)["simulations"] if row[1] == kind][-1:]
    assert wish[4] == 1


@pytest.mark.parametrize("state", sorted(batch_life.TERMINAL), ids=named)
def test_what_is_final_stays_so_whatever_is_simulated(
    state: BatchState, fork: Callable[[BatchState], MockServer]
) -> None:
    """A year of time and every simulation leave a final batch and its money untouched."""
    mock = fork(state)
    batch_id, _ = batch_of(mock)
    for ask in SIMULATED.values():
        ask(mock, batch_id)
    before = rows_of(mock.world)
    mock.clock.advance(weeks=52)
    after = rows_of(mock.world)
    for table in ("batches", "batch_moves", "attempts", "ledger_entries", "events", "notices"):
        assert after[table] == before[table]
