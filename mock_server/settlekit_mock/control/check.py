"""Check every invariant, now."""

from typing import Final

from sqlalchemy import Connection

from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer
from settlekit_mock.kernel.invariants import Invariant
from settlekit_mock.kernel.invariants import Violation as Found
from settlekit_mock.kernel.own_invariants import INVARIANTS as KERNEL
from settlekit_mock.ledger.invariants import INVARIANTS as LEDGER
from settlekit_mock.operations.invariants import INVARIANTS as OPERATIONS
from settlekit_mock.payments.capabilities_invariants import INVARIANTS as CAPABILITIES
from settlekit_mock.payments.invariants import INVARIANTS as PAYMENTS
from settlekit_mock.recurring.invariants import INVARIANTS as RECURRING
from settlekit_mock.settlement.invariants import INVARIANTS as SETTLEMENT
from settlekit_mock.webhooks.invariants import INVARIANTS as WEBHOOKS

INVARIANTS: Final[tuple[Invariant, ...]] = (
    *KERNEL,
    *LEDGER,
    *WEBHOOKS,
    *SETTLEMENT,
    *PAYMENTS,
    *CAPABILITIES,
    *RECURRING,
    *OPERATIONS,
)


class Violation(Answer, frozen=True, kw_only=True):
    """One thing that isn't as it must be."""

    name: str
    subject: str
    expected: str
    got: str


class Checked(Answer, frozen=True, kw_only=True):
    """Whether everything holds, what was checked, and what doesn't hold."""

    ok: bool
    checked: list[str]
    violations: list[Violation]


def check_all(connection: Connection) -> list[Found]:
    """Return everything that isn't as it must be; nothing in a world that is sound."""
    return [found for invariant in INVARIANTS for found in invariant(connection)]


def check(request: Request) -> Checked:
    """Check every invariant."""
    with request.world.snapshot() as connection:
        found = check_all(connection)
    return Checked(
        ok=not found,
        checked=[invariant.__name__ for invariant in INVARIANTS],
        violations=[Violation(**violation._asdict()) for violation in found],
    )
