"""Ask for faults: of calls, and of webhook deliveries."""

from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from settlekit_mock.control.clock import Duration, milliseconds
from settlekit_mock.http import faults as calls
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, ShortText, StrictBody
from settlekit_mock.kernel.faults import (
    DoorName,
    Fault,
    add_fault,
    fault_with_id,
    faults_at,
    remove_fault,
)
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import SECOND
from settlekit_mock.webhooks import faults as webhooks

Times = Annotated[int, Meta(ge=1, le=1_000_000, description="How often it strikes.")]
Rate = Annotated[float, Meta(gt=0, le=1, description="The share of occasions on which it strikes.")]
Count = Annotated[int, Meta(ge=0)]
Status = Literal[429, 500, 502, 503]


class FaultBody(StrictBody, frozen=True, kw_only=True):
    """What goes wrong with which calls; without times and rate, always."""

    match: ShortText
    kind: calls.FaultKind
    ms: Annotated[int, Meta(ge=0, le=60_000, description="Of the machine's time.")] | None = None
    status: Status | None = None
    retry_after: Annotated[int, Meta(ge=0, le=86_400, description="Seconds.")] | None = None
    times: Times | None = None
    rate: Rate | None = None


class FaultAnswer(Answer, frozen=True, kw_only=True):
    """A fault of calls: ``seen`` counts the calls that fitted, ``applied`` those it struck."""

    fault_id: str
    match: str
    kind: calls.FaultKind
    ms: int | None
    status: Status | None
    retry_after: int | None
    times: int | None
    rate: float | None
    seen: Count
    applied: Count


class Faults(Answer, frozen=True, kw_only=True):
    """The faults of calls, oldest first."""

    items: list[FaultAnswer]


class WebhookFaultBody(StrictBody, frozen=True, kw_only=True):
    """What goes wrong with deliveries; without times and rate, always."""

    kind: webhooks.FaultKind
    duration: Duration = None
    times: Times | None = None
    rate: Rate | None = None


class WebhookFaultAnswer(Answer, frozen=True, kw_only=True):
    """A fault of deliveries: ``seen`` counts the attempts it could strike."""

    fault_id: str
    kind: webhooks.FaultKind
    duration: Annotated[float, Meta(description="Seconds.")] | None
    times: int | None
    rate: float | None
    seen: Count
    applied: Count


class WebhookFaults(Answer, frozen=True, kw_only=True):
    """The faults of deliveries, oldest first."""

    items: list[WebhookFaultAnswer]


class Removed(Answer, frozen=True, kw_only=True):
    """How many were taken away."""

    removed: Count


class _Needed(NamedTuple):
    """A field that belongs to one kind of fault."""

    field: str
    kind: str
    required: bool = True


_NEEDED = (
    _Needed("ms", "latency"),
    _Needed("status", "status"),
    _Needed("retry_after", "status", required=False),
    _Needed("duration", "delay"),
)


def create(request: Request) -> FaultAnswer:
    """Let calls fail."""
    body: FaultBody = request.body
    _check(body)
    calls.read_match(body.match)
    if body.retry_after is not None and body.status not in (429, 503):
        raise Invalid("retry_after: goes with the statuses 429 and 503")
    wait = 1 if body.status == 429 and body.retry_after is None else body.retry_after
    options = {"match": body.match, "ms": body.ms, "status": body.status, "retry_after": wait}
    return _fault(_add(request, calls.DOOR, options))


def create_webhook_fault(request: Request) -> WebhookFaultAnswer:
    """Let webhook deliveries fail."""
    body: WebhookFaultBody = request.body
    _check(body)
    wait = None if body.duration is None else milliseconds(body.duration, "duration")
    return _webhook_fault(_add(request, webhooks.DOOR, {"ms": wait}))


def list_all(request: Request) -> Faults:
    """Answer the faults of calls."""
    with request.world.snapshot() as connection:
        found = faults_at(connection, calls.DOOR)
    return Faults(items=[_fault(fault) for fault in found])


def list_webhook_faults(request: Request) -> WebhookFaults:
    """Answer the faults of deliveries."""
    with request.world.snapshot() as connection:
        found = faults_at(connection, webhooks.DOOR)
    return WebhookFaults(items=[_webhook_fault(fault) for fault in found])


def get(request: Request) -> FaultAnswer:
    """Answer a fault of calls."""
    with request.world.snapshot() as connection:
        return _fault(fault_with_id(connection, calls.DOOR, request.path["fault_id"]))


def get_webhook_fault(request: Request) -> WebhookFaultAnswer:
    """Answer a fault of deliveries."""
    with request.world.snapshot() as connection:
        return _webhook_fault(fault_with_id(connection, webhooks.DOOR, request.path["fault_id"]))


def remove(request: Request) -> Removed:
    """Take one fault of calls away, or all."""
    with request.world.transaction() as tx:
        found = _chosen(tx.connection, calls.DOOR, request.path)
        for fault in found:
            remove_fault(tx, fault)
    return Removed(removed=len(found))


def remove_webhook_fault(request: Request) -> Removed:
    """Take one fault of deliveries away, or all; what it kept back for a next one goes at once."""
    with request.world.transaction() as tx:
        found = _chosen(tx.connection, webhooks.DOOR, request.path)
        for fault in found:
            webhooks.remove(tx, fault)
    return Removed(removed=len(found))


def _chosen(connection: Any, door: DoorName, path: dict[str, str]) -> list[Fault]:
    if "fault_id" in path:
        return [fault_with_id(connection, door, path["fault_id"])]
    return faults_at(connection, door)


def _check(body: FaultBody | WebhookFaultBody) -> None:
    if body.times is not None and body.rate is not None:
        raise Invalid("give times or rate, not both")
    for needed in _NEEDED:
        given = getattr(body, needed.field, None) is not None
        if given and body.kind != needed.kind:
            raise Invalid(f"{needed.field}: goes with the kind {needed.kind} alone")
        if needed.required and body.kind == needed.kind and not given:
            raise Invalid(f"{needed.field}: the kind {needed.kind} needs it")


def _add(request: Request, door: DoorName, options: dict[str, Any]) -> Fault:
    body = request.body
    with request.world.transaction() as tx:
        return add_fault(tx, door, body.kind, options, times=body.times, rate=body.rate)


def _counts(fault: Fault) -> dict[str, Any]:
    return {
        "fault_id": fault.fault_id,
        "kind": fault.kind,
        "times": fault.times,
        "rate": fault.rate,
        "seen": fault.seen,
        "applied": fault.applied,
    }


def _fault(fault: Fault) -> FaultAnswer:
    options = {name: fault.option(name) for name in ("match", "ms", "status", "retry_after")}
    return FaultAnswer(**_counts(fault), **options)


def _webhook_fault(fault: Fault) -> WebhookFaultAnswer:
    wait = fault.option("ms")
    return WebhookFaultAnswer(**_counts(fault), duration=None if wait is None else wait / SECOND)
