"""What a batch's state means in revenue, usage rows, exposure, pauses and notices."""

import pytest

from settlekit_mock.settlement.rules.batch_life import (
    STATES,
    BatchState,
    Move,
    Status,
    after,
    moves_from,
    state_of,
)
from settlekit_mock.settlement.rules.standing import (
    BUCKETS_BY_STATUS,
    TERMINAL_BUCKETS,
    Bucket,
    UsageStatus,
    attempt_status_after,
    batch_statuses_showing,
    bucket_of,
    counts_in_exposure,
    notice_status_of,
    pauses_scope,
    usage_status,
)

BUCKETS = [
    (None, "unsettled"),
    ("notice_pending", "unsettled"),
    ("notice_delivery_failed", "unsettled"),
    ("ready", "unsettled"),
    ("submitted", "unsettled"),
    ("failed", "past_due"),
    ("past_due", "past_due"),
    ("settled", "settled"),
    ("uncollectible", "uncollectible"),
    ("written_off", "written_off"),
]
BATCHES = [None, *Status]


@pytest.mark.parametrize(("status", "bucket"), BUCKETS)
def test_a_receivable_counts_in_the_bucket_of_its_batch(status: str | None, bucket: str) -> None:
    """Open, notice, ready and submitted are unsettled; failed and past due are past due."""
    assert bucket_of(status) == bucket


def test_every_status_has_exactly_one_bucket() -> None:
    """No status is left out, so the buckets add up to all that was accepted."""
    assert set(BUCKETS_BY_STATUS) == set(Status)
    assert set(BUCKETS_BY_STATUS.values()) == set(Bucket)


def test_the_terminal_amount_is_what_was_given_up() -> None:
    """Terminal adds up uncollectible and written off, and not settled."""
    assert {"uncollectible", "written_off"} == TERMINAL_BUCKETS


@pytest.mark.parametrize(("status", "bucket"), BUCKETS)
def test_an_event_says_its_batchs_bucket(status: str | None, bucket: str) -> None:
    """Events added up by status give the summary's amounts; unsettled is called pending."""
    expected = "pending_settlement" if bucket == "unsettled" else bucket
    assert usage_status(status, failed_chargeable=False) == expected


@pytest.mark.parametrize("status", [status for status in BATCHES if status != "settled"])
def test_a_failed_chargeable_event_says_so_until_it_is_settled(status: str | None) -> None:
    """Its own outcome shows in every state of the batch but settled, the given-up ones too."""
    assert usage_status(status, failed_chargeable=True) == "failed_chargeable"


def test_a_settled_failed_chargeable_event_is_settled() -> None:
    """Once its batch is settled, what was charged for a failure is settled like the rest."""
    assert usage_status("settled", failed_chargeable=True) == "settled"


@pytest.mark.parametrize("failed_chargeable", [False, True])
@pytest.mark.parametrize("batch", BATCHES)
def test_each_event_is_found_under_the_one_status_it_shows(
    batch: str | None, failed_chargeable: bool
) -> None:
    """A filter by status finds an event exactly under the status that the statement shows."""
    found = [
        status
        for status in UsageStatus
        if batch in batch_statuses_showing(status, failed_chargeable=failed_chargeable)
    ]
    assert found == [usage_status(batch, failed_chargeable=failed_chargeable)]


@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_scope_is_paused_by_failed_retrying_and_past_due_batches(state: BatchState) -> None:
    """A batch pauses its scope from its first failure until it settles or is requeued."""
    pausing = {"failed / failed_retryable", "submitted / retrying", "past_due"}
    assert pauses_scope(state) == (str(state) in pausing)


@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_batch_is_owed_until_it_is_settled_or_given_up(state: BatchState) -> None:
    """Exposure counts every batch but settled, uncollectible and written-off ones."""
    assert counts_in_exposure(state) == bool(moves_from(state))


@pytest.mark.parametrize("status", Status)
def test_only_a_delivered_notice_lets_a_batch_go_on(status: Status) -> None:
    """The notice is pending, then failed or delivered; past those two states it was delivered."""
    early = {Status.NOTICE_PENDING: "pending", Status.NOTICE_DELIVERY_FAILED: "failed"}
    assert notice_status_of(status) == early.get(status, "delivered")


@pytest.mark.parametrize(
    ("move", "before", "shown"),
    [
        (Move.RECORD_NOTICE, None, None),
        (Move.SUBMIT, None, None),
        (Move.REFUSE, None, "failed"),
        (Move.RESUBMIT, "failed", None),
        (Move.LOSE_OUTCOME, None, "unknown"),
        (Move.RESOLVE_FAILED, "unknown", "failed"),
        (Move.FIND_RECEIPT, "unknown", "succeeded"),
        (Move.CONFIRM, None, "succeeded"),
        (Move.EXHAUST, "failed", "failed"),
        (Move.REQUEUE, "failed", "failed"),
        (Move.WRITE_OFF, "failed", "failed"),
    ],
)
def test_the_latest_attempt_shows_its_outcome_once_it_has_one(
    move: Move, before: str | None, shown: str | None
) -> None:
    """An attempt under way has no outcome yet; other moves leave the latest as it was."""
    assert attempt_status_after(move, before) == shown


def test_a_batch_that_left_a_submission_has_an_outcome() -> None:
    """Every move out of a submitted state sets the latest attempt's status."""
    for state in (state_of("submitted", "submitted"), state_of("submitted", "retrying")):
        for move in moves_from(state):
            assert after(state, move)
            assert attempt_status_after(move, None) is not None
