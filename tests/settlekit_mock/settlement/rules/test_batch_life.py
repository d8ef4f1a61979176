"""The life of a batch: the table, whole, and what it never allows."""

import pickle
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.settlement.rules.batch_life import (
    INITIAL,
    STATES,
    TERMINAL,
    TRANSITIONS,
    BatchState,
    ExecutionStatus,
    IllegalMove,
    Move,
    Mover,
    Status,
    after,
    moves_from,
    state_of,
)

#: Written out by hand from docs/platform.md, so that a changed table has to be meant.
LIFE = {
    "notice_pending / scheduled": {
        "record_notice": "ready / scheduled",
        "fail_notice": "notice_delivery_failed / scheduled",
    },
    "notice_delivery_failed / scheduled": {
        "record_notice": "ready / scheduled",
        "fail_notice": "notice_delivery_failed / scheduled",
        "redeliver_notice": "ready / scheduled",
    },
    "ready / scheduled": {"submit": "submitted"},
    "submitted": {
        "confirm": "settled",
        "refuse": "failed / failed_retryable",
        "lose_outcome": "submitted / submitted_reconcile_required",
    },
    "submitted / submitted_reconcile_required": {
        "find_receipt": "settled",
        "resolve_failed": "failed / failed_retryable",
    },
    "failed / failed_retryable": {"resubmit": "submitted / retrying", "exhaust": "past_due"},
    "submitted / retrying": {
        "confirm": "settled",
        "refuse": "failed / failed_retryable",
        "lose_outcome": "submitted / submitted_reconcile_required",
    },
    "past_due": {
        "requeue": "ready / scheduled",
        "mark_uncollectible": "uncollectible",
        "write_off": "written_off",
    },
    "settled": {},
    "uncollectible": {},
    "written_off": {},
}
CELLS = list(product(STATES, Move))


@pytest.mark.parametrize(
    ("state", "move"), [cell for cell in CELLS if cell[1] in LIFE[str(cell[0])]], ids=str
)
def test_a_move_of_the_table_leads_to_its_state(state: BatchState, move: Move) -> None:
    """Each move that a state has leads where the platform says."""
    assert str(after(state, move)) == LIFE[str(state)][move]


@pytest.mark.parametrize(
    ("state", "move"), [cell for cell in CELLS if cell[1] not in LIFE[str(cell[0])]], ids=str
)
def test_every_other_move_is_refused(state: BatchState, move: Move) -> None:
    """What the table doesn't have from a state is an IllegalMove that names both."""
    with pytest.raises(IllegalMove, match=f"{state} has no move {move}") as caught:
        after(state, move)
    assert (caught.value.state, caught.value.move) == (state, move)


def test_the_states_are_eleven_pairs_and_no_others() -> None:
    """Each row starts and ends in a known state, and each known state is in a row."""
    seen = {state for row in TRANSITIONS for state in (row.source, row.target)}
    assert seen == set(STATES)
    assert [str(state) for state in STATES] == list(LIFE)


def test_every_state_is_reached_from_a_pending_notice() -> None:
    """A batch starts with its notice pending, and no state is out of its reach."""
    reached, before = {INITIAL}, set[BatchState]()
    while reached != before:
        before = set(reached)
        reached |= {row.target for row in TRANSITIONS if row.source in before}
    assert (str(INITIAL), reached) == ("notice_pending / scheduled", set(STATES))


def test_a_terminal_state_has_no_way_out_and_every_other_has_one() -> None:
    """Settled, uncollectible and written off are final; nothing else is a dead end."""
    assert {state for state in STATES if not moves_from(state)} == TERMINAL
    assert {str(state) for state in TERMINAL} == {"settled", "uncollectible", "written_off"}


def test_every_state_can_still_end() -> None:
    """From each state some way leads to settled: no batch is stuck, but a given-up one."""
    ending = {BatchState(Status.SETTLED, ExecutionStatus.SETTLED)}
    for _ in STATES:
        ending |= {row.source for row in TRANSITIONS if row.target in ending}
    assert ending == set(STATES) - {state_of("uncollectible", "uncollectible")} - {
        state_of("written_off", "written_off")
    }


def test_no_row_comes_twice() -> None:
    """A move from a state leads to one state, by one mover, under one guard."""
    assert len({(row.source, row.move) for row in TRANSITIONS}) == len(TRANSITIONS)


def test_every_move_has_a_row_and_every_row_its_words() -> None:
    """No move is named without a row, and each row says in words what must hold."""
    assert {row.move for row in TRANSITIONS} == set(Move)
    assert all(row.guard and not row.guard.endswith(".") for row in TRANSITIONS)


def test_only_an_operator_moves_a_past_due_batch() -> None:
    """Requeue and both terminals are an operator's, and from past due only."""
    by_move = {row.move: row for row in TRANSITIONS if str(row.source) == "past_due"}
    assert set(by_move) == {Move.REQUEUE, Move.MARK_UNCOLLECTIBLE, Move.WRITE_OFF}
    assert {row.mover for row in by_move.values()} == {Mover.OPERATOR}
    elsewhere = {row.move for row in TRANSITIONS if str(row.source) != "past_due"}
    assert not elsewhere & set(by_move)


def test_an_unknown_outcome_is_never_submitted_again() -> None:
    """Without evidence a debit of unknown outcome goes nowhere: no blind second debit."""
    unknown = state_of("submitted", "submitted_reconcile_required")
    assert moves_from(unknown) == (Move.FIND_RECEIPT, Move.RESOLVE_FAILED)


def test_nothing_is_submitted_before_its_notice() -> None:
    """The first debit follows from ready alone, and only a sent notice or a requeue makes ready."""
    into_ready = {
        (str(row.source), row.move) for row in TRANSITIONS if str(row.target) == "ready / scheduled"
    }
    assert into_ready == {
        ("notice_pending / scheduled", Move.RECORD_NOTICE),
        ("notice_delivery_failed / scheduled", Move.RECORD_NOTICE),
        ("notice_delivery_failed / scheduled", Move.REDELIVER_NOTICE),
        ("past_due", Move.REQUEUE),
    }
    assert [str(row.source) for row in TRANSITIONS if row.move is Move.SUBMIT] == [
        "ready / scheduled"
    ]


@given(st.lists(st.sampled_from(Move), max_size=40))
def test_no_sequence_of_moves_leaves_the_table(moves: list[Move]) -> None:
    """Whatever is tried in whatever order, a batch is in a known state, and final is final."""
    state = INITIAL
    for move in moves:
        try:
            state, before = after(state, move), state
        except IllegalMove:
            continue
        assert before not in TERMINAL
        assert state in STATES


def test_plain_strings_name_a_state() -> None:
    """Two columns of a row read as the state they are equal to."""
    state = state_of("submitted", "retrying")
    assert state == ("submitted", "retrying")
    assert after(state, Move.CONFIRM) == ("settled", "settled")


PAIRS = [
    pair
    for pair in product(Status, ExecutionStatus)
    if pair not in [tuple(state) for state in STATES]
]


@pytest.mark.parametrize(("status", "execution_status"), PAIRS, ids=str)
def test_no_other_pair_is_a_state(status: str, execution_status: str) -> None:
    """Of all pairs of the two columns, only the table's states can be read."""
    with pytest.raises(ValueError, match="no batch is"):
        state_of(status, execution_status)


@pytest.mark.parametrize("pair", [("open", "scheduled"), ("ready", "open")])
def test_a_word_that_is_no_status_is_no_state(pair: tuple[str, str]) -> None:
    """A column with another word is refused."""
    with pytest.raises(ValueError, match="is not a valid"):
        state_of(*pair)


def test_an_illegal_move_survives_pickling() -> None:
    """The error keeps its state and move across processes."""
    error = pickle.loads(pickle.dumps(IllegalMove(INITIAL, Move.CONFIRM)))
    assert (error.state, error.move) == (INITIAL, Move.CONFIRM)
    assert str(error) == "a batch that is notice_pending / scheduled has no move confirm"
