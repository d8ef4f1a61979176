"""The life of a payout is the table, and nothing else."""

import pytest

from settlekit_mock.kernel.problems import Problem
from settlekit_mock.operations.rules.payouts import Status, Step, after

ALLOWED = {
    ("pending", "approve"): "processing",
    ("pending", "cancel"): "cancelled",
    ("processing", "mark-paid"): "paid",
    ("processing", "fail"): "failed",
}
REPEATED = {
    ("processing", "approve"),
    ("paid", "mark-paid"),
    ("cancelled", "cancel"),
    ("failed", "fail"),
}
EVERY = [(status, step) for status in Status for step in Step]
REFUSED = [pair for pair in EVERY if pair not in ALLOWED and pair not in REPEATED]


@pytest.mark.parametrize(("status", "step"), ALLOWED)
def test_allowed_steps_lead_on(status: str, step: str) -> None:
    """Each step of the table leads where the table says."""
    assert after(Status(status), Step(step)) == ALLOWED[status, step]


@pytest.mark.parametrize(("status", "step"), sorted(REPEATED))
def test_a_repeated_step_stays(status: str, step: str) -> None:
    """A step that was taken leads to where the payout is."""
    assert after(Status(status), Step(step)) == status


@pytest.mark.parametrize(("status", "step"), REFUSED)
def test_every_other_step_is_refused(status: Status, step: Step) -> None:
    """Every other step is a bad request that says where the payout stands."""
    with pytest.raises(Problem, match=f"this one is {status}") as refused:
        after(status, step)
    assert (refused.value.status, refused.value.operations_code) == (400, "invalid_request")


def test_nothing_is_paid_without_approval() -> None:
    """Only an approved payout can be paid, and the refusal says so."""
    assert [status for status in Status if (status, Step.MARK_PAID) not in REFUSED] == [
        Status.PROCESSING,
        Status.PAID,
    ]
    with pytest.raises(Problem, match="must be approved"):
        after(Status.PENDING, Step.MARK_PAID)
