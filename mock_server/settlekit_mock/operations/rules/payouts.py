"""The life of a payout: which step leads from where to where, and no other does."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from settlekit_mock.kernel.problems import Problem


class Status(StrEnum):
    """Where a payout stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What an operator does to a payout."""

    APPROVE = "approve"
    MARK_PAID = "mark-paid"
    CANCEL = "cancel"
    FAIL = "fail"


STEPS: Final[Mapping[tuple[Status, Step], Status]] = {
    (Status.PENDING, Step.APPROVE): Status.PROCESSING,
    (Status.PENDING, Step.CANCEL): Status.CANCELLED,
    (Status.PROCESSING, Step.MARK_PAID): Status.PAID,
    (Status.PROCESSING, Step.FAIL): Status.FAILED,
}
"""Every step there is. Paid, failed and cancelled are final."""

REACHED_BY: Final[Mapping[Step, Status]] = {step: status for (_, step), status in STEPS.items()}

OPEN: Final = (Status.PENDING, Status.PROCESSING)
"""A developer has at most one payout of a currency in these."""
APPROVED: Final = (Status.PROCESSING, Status.PAID, Status.FAILED)
"""An operator approved what stands here."""
TOWARDS_PAYMENT: Final = frozenset({Step.APPROVE, Step.MARK_PAID})
"""What a hold on the wallet refuses."""


def after(status: Status, step: Step) -> Status:
    """Return where a step leads; a step made before leads to where the payout is.

    Raises ``Problem`` (400 ``invalid_request``) for every other step.
    """
    if status is REACHED_BY[step]:
        return status
    if (status, step) in STEPS:
        return STEPS[status, step]
    if step is Step.MARK_PAID:
        raise Problem(f"a payout must be approved before it is marked paid; this one is {status}")
    (source,) = (start for start, taken in STEPS if taken is step)
    raise Problem(f"{step} takes a {source} payout; this one is {status}")
