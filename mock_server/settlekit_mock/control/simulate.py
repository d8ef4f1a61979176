"""Ask for something to go wrong: notices, debits, outcomes, finality."""

from typing import Annotated, Literal

from msgspec import Meta

from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, ShortText, StrictBody
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.times import SECOND
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.settlement.batches import batch_with_id
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.settlement.rules.timetable import FINALITY_MS
from settlekit_mock.settlement.simulations import ALL, Kind, Target, simulate

Times = Annotated[
    int,
    Meta(ge=0, le=1_000_000, description="How often it happens; 0 ends it for whomever it names."),
]
FailureText = Literal[
    "INSUFFICIENT_BALANCE",
    "INSUFFICIENT_ALLOWANCE",
    "BUDGET_VAULT_INACTIVE",
    "PAYOUT_CAP_EXCEEDED",
    "ONCHAIN_FAILURE",
]
OutcomeText = Literal["2xx", "4xx", "5xx", "timeout", "client_disconnect", "failed_chargeable"]


class NoticeFailure(StrictBody, frozen=True, kw_only=True):
    """Whose final debit notices can't be delivered, and how often; no buyer means all."""

    buyer: ShortText | None = None
    times: Times


class UnknownOutcome(StrictBody, frozen=True, kw_only=True):
    """Whose debits end with an outcome that nobody knows."""

    buyer: ShortText | None = None
    settlement_batch_id: ShortText | None = None
    times: Times


class DebitFailure(StrictBody, frozen=True, kw_only=True):
    """Whose debits fail, and why."""

    buyer: ShortText | None = None
    settlement_batch_id: ShortText | None = None
    reason: FailureText
    times: Times


class ProviderOutcome(StrictBody, frozen=True, kw_only=True):
    """How the provider behind a capability answers."""

    capability_key: ShortText
    outcome: OutcomeText
    times: Times


class Finality(StrictBody, frozen=True, kw_only=True):
    """How long the chain takes to confirm a batch's debit.

    At most an hour: an attempt has ended before the next one is due.
    """

    seconds: Annotated[int, Meta(ge=0, le=3600)] = FINALITY_MS // SECOND


class Simulation(Answer, frozen=True, kw_only=True):
    """A simulation as it stands now."""

    kind: Literal[
        "notice_failure", "debit_failure", "unknown_outcome", "provider_outcome", "finality"
    ]
    buyer: str | None
    subject: str | None
    detail: str | None
    times: int | None


def notice_failure(request: Request) -> Simulation:
    """Let final debit notices fail."""
    return _begin(request, Kind.NOTICE_FAILURE, request.body.buyer, None, "")


def debit_failure(request: Request) -> Simulation:
    """Let debits fail for a reason."""
    body = request.body
    return _begin(request, Kind.DEBIT_FAILURE, body.buyer, body.settlement_batch_id, body.reason)


def unknown_outcome(request: Request) -> Simulation:
    """Let debits end with an unknown outcome."""
    body = request.body
    return _begin(request, Kind.UNKNOWN_OUTCOME, body.buyer, body.settlement_batch_id, "")


def _begin(
    request: Request, kind: Kind, buyer: str | None, batch_id: str | None, detail: str
) -> Simulation:
    with request.world.transaction() as tx:
        target = _target(tx, buyer, batch_id)
        simulate(tx, kind, target, times=request.body.times, detail=detail)
    return _told(kind, target, detail, request.body.times)


def _target(tx: Transaction, buyer: str | None, batch_id: str | None) -> Target:
    if buyer is not None:
        buyer_with_id(tx.connection, buyer)
    if batch_id is not None:
        batch = batch_with_id(tx.connection, batch_id)
        if buyer not in (None, batch.buyer_id):
            raise NotFound(
                f"batch {batch_id} isn't of buyer {buyer!r}", code="SETTLEMENT_BATCH_NOT_FOUND"
            )
    return Target(subject=batch_id or "", buyer_id=buyer or "")


def provider_outcome(request: Request) -> Simulation:
    """Choose how the provider behind a capability answers."""
    body = request.body
    target = Target(subject=body.capability_key)
    with request.world.transaction() as tx:
        simulate(tx, Kind.PROVIDER_OUTCOME, target, times=body.times, detail=body.outcome)
    return _told(Kind.PROVIDER_OUTCOME, target, body.outcome, body.times)


def finality(request: Request) -> Simulation:
    """Choose how long the chain takes to confirm a batch's debit."""
    seconds = request.body.seconds
    with request.world.transaction() as tx:
        simulate(tx, Kind.FINALITY, ALL, times=None, detail=str(seconds * SECOND))
    return _told(Kind.FINALITY, ALL, f"{seconds} s", None)


def _told(kind: Kind, target: Target, detail: str, times: int | None) -> Simulation:
    return Simulation(
        kind=kind.value,
        buyer=target.buyer_id or None,
        subject=target.subject or None,
        detail=detail or None,
        times=times,
    )
