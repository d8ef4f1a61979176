"""The life of a batch: every state, every move, and nothing else.

A batch is one closed period of one scope. Its state is the pair of ``status`` and
``execution_status`` that statements show. ``TRANSITIONS`` is the whole life: a move that
isn't there from a state is refused there, and nothing changes.

Sources: docs/platform.md, "The life of a batch"; docs/batch-life.md is made from this table.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class Status(StrEnum):
    """What a statement calls a batch."""

    NOTICE_PENDING = "notice_pending"
    NOTICE_DELIVERY_FAILED = "notice_delivery_failed"
    READY = "ready"
    SUBMITTED = "submitted"
    FAILED = "failed"
    PAST_DUE = "past_due"
    SETTLED = "settled"
    UNCOLLECTIBLE = "uncollectible"
    WRITTEN_OFF = "written_off"


class ExecutionStatus(StrEnum):
    """How far the debit of a batch has come."""

    SCHEDULED = "scheduled"
    SUBMITTED = "submitted"
    SUBMITTED_RECONCILE_REQUIRED = "submitted_reconcile_required"
    FAILED_RETRYABLE = "failed_retryable"
    RETRYING = "retrying"
    PAST_DUE = "past_due"
    SETTLED = "settled"
    UNCOLLECTIBLE = "uncollectible"
    WRITTEN_OFF = "written_off"


class BatchState(NamedTuple):
    """The state of a batch; equal to a pair of the same plain strings."""

    status: Status
    execution_status: ExecutionStatus

    def __str__(self) -> str:
        if self.status.value == self.execution_status.value:
            return self.status.value
        return f"{self.status} / {self.execution_status}"


NOTICE_PENDING: Final = BatchState(Status.NOTICE_PENDING, ExecutionStatus.SCHEDULED)
NOTICE_DELIVERY_FAILED: Final = BatchState(Status.NOTICE_DELIVERY_FAILED, ExecutionStatus.SCHEDULED)
READY: Final = BatchState(Status.READY, ExecutionStatus.SCHEDULED)
SUBMITTED: Final = BatchState(Status.SUBMITTED, ExecutionStatus.SUBMITTED)
RECONCILE_REQUIRED: Final = BatchState(
    Status.SUBMITTED, ExecutionStatus.SUBMITTED_RECONCILE_REQUIRED
)
FAILED: Final = BatchState(Status.FAILED, ExecutionStatus.FAILED_RETRYABLE)
RETRYING: Final = BatchState(Status.SUBMITTED, ExecutionStatus.RETRYING)
PAST_DUE: Final = BatchState(Status.PAST_DUE, ExecutionStatus.PAST_DUE)
SETTLED: Final = BatchState(Status.SETTLED, ExecutionStatus.SETTLED)
UNCOLLECTIBLE: Final = BatchState(Status.UNCOLLECTIBLE, ExecutionStatus.UNCOLLECTIBLE)
WRITTEN_OFF: Final = BatchState(Status.WRITTEN_OFF, ExecutionStatus.WRITTEN_OFF)

INITIAL: Final = NOTICE_PENDING
STATES: Final = (
    NOTICE_PENDING,
    NOTICE_DELIVERY_FAILED,
    READY,
    SUBMITTED,
    RECONCILE_REQUIRED,
    FAILED,
    RETRYING,
    PAST_DUE,
    SETTLED,
    UNCOLLECTIBLE,
    WRITTEN_OFF,
)
TERMINAL: Final = frozenset({SETTLED, UNCOLLECTIBLE, WRITTEN_OFF})


class Move(StrEnum):
    """What can happen to a batch."""

    RECORD_NOTICE = "record_notice"
    FAIL_NOTICE = "fail_notice"
    REDELIVER_NOTICE = "redeliver_notice"
    SUBMIT = "submit"
    RESUBMIT = "resubmit"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    LOSE_OUTCOME = "lose_outcome"
    FIND_RECEIPT = "find_receipt"
    RESOLVE_FAILED = "resolve_failed"
    EXHAUST = "exhaust"
    REQUEUE = "requeue"
    MARK_UNCOLLECTIBLE = "mark_uncollectible"
    WRITE_OFF = "write_off"


class Mover(StrEnum):
    """Who makes a move: the clock by itself, the chain by its answer, or an operator."""

    CLOCK = "clock"
    CHAIN = "chain"
    OPERATOR = "operator"


class Transition(NamedTuple):
    """One row of a batch's life; ``guard`` says in words what must hold for the move."""

    move: Move
    source: BatchState
    target: BatchState
    mover: Mover
    guard: str


TRANSITIONS: Final = (
    Transition(
        Move.RECORD_NOTICE, NOTICE_PENDING, READY, Mover.CLOCK, "the final debit notice is sent"
    ),
    Transition(
        Move.FAIL_NOTICE,
        NOTICE_PENDING,
        NOTICE_DELIVERY_FAILED,
        Mover.CLOCK,
        "the notice can't be delivered",
    ),
    Transition(
        Move.RECORD_NOTICE,
        NOTICE_DELIVERY_FAILED,
        READY,
        Mover.CLOCK,
        "one of 24 hourly tries delivers the notice",
    ),
    Transition(
        Move.FAIL_NOTICE,
        NOTICE_DELIVERY_FAILED,
        NOTICE_DELIVERY_FAILED,
        Mover.CLOCK,
        "a further try fails too",
    ),
    Transition(
        Move.REDELIVER_NOTICE,
        NOTICE_DELIVERY_FAILED,
        READY,
        Mover.OPERATOR,
        "the operator gets the notice through",
    ),
    Transition(
        Move.SUBMIT,
        READY,
        SUBMITTED,
        Mover.CLOCK,
        "the debit is due and follows the notice",
    ),
    Transition(
        Move.CONFIRM,
        SUBMITTED,
        SETTLED,
        Mover.CHAIN,
        "the debit is final on the chain: receipt and time are set",
    ),
    Transition(Move.REFUSE, SUBMITTED, FAILED, Mover.CHAIN, "the debit is refused"),
    Transition(
        Move.LOSE_OUTCOME,
        SUBMITTED,
        RECONCILE_REQUIRED,
        Mover.CHAIN,
        "nobody knows whether the debit went through",
    ),
    Transition(
        Move.FIND_RECEIPT,
        RECONCILE_REQUIRED,
        SETTLED,
        Mover.OPERATOR,
        "the debit's receipt is found",
    ),
    Transition(
        Move.RESOLVE_FAILED,
        RECONCILE_REQUIRED,
        FAILED,
        Mover.OPERATOR,
        "the debit is known to have failed",
    ),
    Transition(
        Move.RESUBMIT,
        FAILED,
        RETRYING,
        Mover.CLOCK,
        "the next attempt is due and the run has one left",
    ),
    Transition(
        Move.EXHAUST, FAILED, PAST_DUE, Mover.CLOCK, "the 28th attempt of the run has failed"
    ),
    Transition(
        Move.CONFIRM,
        RETRYING,
        SETTLED,
        Mover.CHAIN,
        "the debit is final on the chain: receipt and time are set",
    ),
    Transition(Move.REFUSE, RETRYING, FAILED, Mover.CHAIN, "the debit is refused again"),
    Transition(
        Move.LOSE_OUTCOME,
        RETRYING,
        RECONCILE_REQUIRED,
        Mover.CHAIN,
        "nobody knows whether the debit went through",
    ),
    Transition(
        Move.REQUEUE,
        PAST_DUE,
        READY,
        Mover.OPERATOR,
        "an operator starts a new run of 28 attempts",
    ),
    Transition(
        Move.MARK_UNCOLLECTIBLE,
        PAST_DUE,
        UNCOLLECTIBLE,
        Mover.OPERATOR,
        "an operator gives it up as uncollectible, with a reason",
    ),
    Transition(
        Move.WRITE_OFF,
        PAST_DUE,
        WRITTEN_OFF,
        Mover.OPERATOR,
        "an operator writes it off, with a reason",
    ),
)

_TARGETS: Final[Mapping[tuple[BatchState, Move], BatchState]] = MappingProxyType(
    {(row.source, row.move): row.target for row in TRANSITIONS}
)


class IllegalMove(ValueError):
    """A move that the table doesn't have from a state; nothing changed."""

    def __init__(self, state: BatchState, move: Move) -> None:
        super().__init__(state, move)
        self.state = state
        self.move = move

    def __str__(self) -> str:
        return f"a batch that is {self.state} has no move {self.move}"


def after(state: BatchState, move: Move) -> BatchState:
    """Return the state that a move leads to; raise ``IllegalMove`` where there is none."""
    target = _TARGETS.get((state, move))
    if target is None:
        raise IllegalMove(state, move)
    return target


def moves_from(state: BatchState) -> tuple[Move, ...]:
    """Return the moves that a state has, in the table's order; a terminal one has none."""
    return tuple(row.move for row in TRANSITIONS if row.source == state)


_STATES: Final = frozenset(STATES)


def state_of(status: str, execution_status: str) -> BatchState:
    """Read a batch's two columns as its state; raise ``ValueError`` for a pair that isn't one."""
    state = BatchState(Status(status), ExecutionStatus(execution_status))
    if state not in _STATES:
        raise ValueError(f"no batch is {status} / {execution_status}")
    return state
