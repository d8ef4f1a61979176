"""What a batch's state means elsewhere: revenue, usage rows, exposure, pauses, notices.

Each is a literal table over the states or statuses, so that a statement reads it off
the batch and settling a batch changes no row but its own.

Sources: docs/platform.md, "Revenue", "Exposure and pauses" and "Statements";
docs/decisions.md, "Statements".
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from settlekit_mock.settlement.rules.batch_life import (
    FAILED,
    PAST_DUE,
    RETRYING,
    TERMINAL,
    BatchState,
    Move,
    Status,
)


class Bucket(StrEnum):
    """Where a receivable counts: exactly one bucket at a time."""

    UNSETTLED = "unsettled"
    PAST_DUE = "past_due"
    SETTLED = "settled"
    UNCOLLECTIBLE = "uncollectible"
    WRITTEN_OFF = "written_off"


BUCKETS_BY_STATUS: Final[Mapping[str, Bucket]] = MappingProxyType(
    {
        Status.NOTICE_PENDING: Bucket.UNSETTLED,
        Status.NOTICE_DELIVERY_FAILED: Bucket.UNSETTLED,
        Status.READY: Bucket.UNSETTLED,
        Status.SUBMITTED: Bucket.UNSETTLED,
        Status.FAILED: Bucket.PAST_DUE,
        Status.PAST_DUE: Bucket.PAST_DUE,
        Status.SETTLED: Bucket.SETTLED,
        Status.UNCOLLECTIBLE: Bucket.UNCOLLECTIBLE,
        Status.WRITTEN_OFF: Bucket.WRITTEN_OFF,
    }
)
TERMINAL_BUCKETS: Final = frozenset({Bucket.UNCOLLECTIBLE, Bucket.WRITTEN_OFF})
"""What a summary's terminal amount adds up, beside each one's own."""


def bucket_of(status: str | None) -> Bucket:
    """Return the bucket of a batch's receivable; None stands for an open period.

    The status alone decides: a further attempt under way is submitted, so unsettled.
    """
    return Bucket.UNSETTLED if status is None else BUCKETS_BY_STATUS[status]


class UsageStatus(StrEnum):
    """What a statement calls one usage event."""

    PENDING_SETTLEMENT = "pending_settlement"
    SETTLED = "settled"
    FAILED_CHARGEABLE = "failed_chargeable"
    PAST_DUE = "past_due"
    UNCOLLECTIBLE = "uncollectible"
    WRITTEN_OFF = "written_off"


_USAGE_BY_BUCKET: Final[Mapping[Bucket, UsageStatus]] = MappingProxyType(
    {
        Bucket.UNSETTLED: UsageStatus.PENDING_SETTLEMENT,
        Bucket.PAST_DUE: UsageStatus.PAST_DUE,
        Bucket.SETTLED: UsageStatus.SETTLED,
        Bucket.UNCOLLECTIBLE: UsageStatus.UNCOLLECTIBLE,
        Bucket.WRITTEN_OFF: UsageStatus.WRITTEN_OFF,
    }
)


def usage_status(batch_status: str | None, *, failed_chargeable: bool) -> UsageStatus:
    """Return the status of a usage event; None stands for an open period.

    An event whose outcome is failed_chargeable says so until its batch is settled,
    whatever else the batch becomes. Any other says its batch's bucket, so that events
    added up by status give the summary's amounts.
    """
    bucket = bucket_of(batch_status)
    if failed_chargeable and bucket is not Bucket.SETTLED:
        return UsageStatus.FAILED_CHARGEABLE
    return _USAGE_BY_BUCKET[bucket]


def batch_statuses_showing(
    status: UsageStatus, *, failed_chargeable: bool
) -> frozenset[str | None]:
    """Return the batch statuses under which events with or without that mark show a status.

    For filters. None among them stands for an open period.
    """
    every: tuple[str | None, ...] = (None, *BUCKETS_BY_STATUS)
    return frozenset(
        batch
        for batch in every
        if usage_status(batch, failed_chargeable=failed_chargeable) is status
    )


PAUSING: Final = frozenset({FAILED, RETRYING, PAST_DUE})
"""The states in which a batch pauses its scope and is listed among the past-due blocks."""


def pauses_scope(state: BatchState) -> bool:
    """Say whether a batch in a state keeps its scope from accruing."""
    return state in PAUSING


def counts_in_exposure(state: BatchState) -> bool:
    """Say whether a batch's gross is still owed: until it is settled or given up."""
    return state not in TERMINAL


class NoticeStatus(StrEnum):
    """What became of a batch's final debit notice."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


def notice_status_of(status: str) -> NoticeStatus:
    """Return the notice status of a batch: only a delivered notice makes it ready."""
    if status == Status.NOTICE_PENDING:
        return NoticeStatus.PENDING
    if status == Status.NOTICE_DELIVERY_FAILED:
        return NoticeStatus.FAILED
    return NoticeStatus.DELIVERED


class AttemptStatus(StrEnum):
    """The outcome of a batch's latest attempt; none before it and while it is under way."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


_ATTEMPT_STATUS_BY_MOVE: Final[Mapping[Move, AttemptStatus | None]] = MappingProxyType(
    {
        Move.SUBMIT: None,
        Move.RESUBMIT: None,
        Move.CONFIRM: AttemptStatus.SUCCEEDED,
        Move.REFUSE: AttemptStatus.FAILED,
        Move.LOSE_OUTCOME: AttemptStatus.UNKNOWN,
        Move.FIND_RECEIPT: AttemptStatus.SUCCEEDED,
        Move.RESOLVE_FAILED: AttemptStatus.FAILED,
    }
)


def attempt_status_after(move: Move, before: str | None) -> AttemptStatus | None:
    """Return ``latest_execution_attempt_status`` after a move; most leave it as it was."""
    if move in _ATTEMPT_STATUS_BY_MOVE:
        return _ATTEMPT_STATUS_BY_MOVE[move]
    return None if before is None else AttemptStatus(before)
