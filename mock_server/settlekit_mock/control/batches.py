"""The operator's moves on batches: resolve, requeue, give up, get a notice through."""

from collections.abc import Callable
from typing import Literal

from settlekit_mock.control.simulate import FailureText
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import ShortText, StrictBody
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.settlement import operator
from settlekit_mock.settlement.batches import batch_with_id
from settlekit_mock.settlement.outcomes import resolve as resolve_outcome
from settlekit_mock.settlement.statements.rows import settlement_batch
from settlekit_mock.settlement.statements.shapes import SettlementBatch


class Resolution(StrictBody, frozen=True, kw_only=True):
    """What the evidence says of an unknown outcome; ``reason`` goes with failed."""

    outcome: Literal["settled", "failed"]
    reason: FailureText | None = None


class GivingUp(StrictBody, frozen=True, kw_only=True):
    """How a batch that is past due ends, and why."""

    status: Literal["uncollectible", "written_off"]
    reason_code: ShortText


def _moved(request: Request, make: Callable[[Transaction, str], None]) -> SettlementBatch:
    batch_id = request.path["settlement_batch_id"]
    with request.world.transaction() as tx:
        make(tx, batch_id)
    request.world.settle()
    with request.world.snapshot() as connection:
        return settlement_batch(batch_with_id(connection, batch_id))


def resolve(request: Request) -> SettlementBatch:
    """Resolve an unknown outcome."""
    body = request.body
    if body.outcome == "settled" and body.reason is not None:
        raise Invalid("reason: goes with outcome failed alone")
    code = body.reason or "ONCHAIN_FAILURE"
    return _moved(request, lambda tx, batch_id: resolve_outcome(tx, batch_id, body.outcome, code))


def requeue(request: Request) -> SettlementBatch:
    """Start a new run of attempts."""
    return _moved(request, operator.requeue)


def give_up(request: Request) -> SettlementBatch:
    """End a batch that is past due."""
    body = request.body
    return _moved(
        request,
        lambda tx, batch_id: operator.give_up(tx, batch_id, body.status, body.reason_code),
    )


def redeliver_notice(request: Request) -> SettlementBatch:
    """Get a final debit notice through."""
    return _moved(request, operator.redeliver_notice)
