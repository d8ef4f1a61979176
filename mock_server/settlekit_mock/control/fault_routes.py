"""The control routes of faults and snapshots."""

from settlekit_mock.control import faults, snapshots
from settlekit_mock.control.declaring import control_route

FAULTS = (
    control_route(
        "POST",
        "faults",
        faults.create,
        faults.FaultAnswer,
        "Let calls fail",
        body=faults.FaultBody,
        status=201,
    ),
    control_route("GET", "faults", faults.list_all, faults.Faults, "The faults of calls"),
    control_route("DELETE", "faults", faults.remove, faults.Removed, "Let no call fail any more"),
    control_route("GET", "faults/<fault_id>", faults.get, faults.FaultAnswer, "One fault of calls"),
    control_route(
        "DELETE", "faults/<fault_id>", faults.remove, faults.Removed, "Take a fault away"
    ),
    control_route(
        "POST",
        "webhook-faults",
        faults.create_webhook_fault,
        faults.WebhookFaultAnswer,
        "Let webhook deliveries fail",
        body=faults.WebhookFaultBody,
        status=201,
    ),
    control_route(
        "GET",
        "webhook-faults",
        faults.list_webhook_faults,
        faults.WebhookFaults,
        "The faults of deliveries",
    ),
    control_route(
        "DELETE",
        "webhook-faults",
        faults.remove_webhook_fault,
        faults.Removed,
        "Let no delivery fail any more",
    ),
    control_route(
        "GET",
        "webhook-faults/<fault_id>",
        faults.get_webhook_fault,
        faults.WebhookFaultAnswer,
        "One fault of deliveries",
    ),
    control_route(
        "DELETE",
        "webhook-faults/<fault_id>",
        faults.remove_webhook_fault,
        faults.Removed,
        "Take a fault of deliveries away",
    ),
)

_NEEDS_MEMORY = (409, "SNAPSHOTS_NEED_MEMORY")
SNAPSHOTS = (
    control_route(
        "GET", "snapshots", snapshots.list_all, snapshots.Snapshots, "The snapshots kept"
    ),
    control_route(
        "POST",
        "snapshots/<name>",
        snapshots.take,
        snapshots.Snapshot,
        "Keep the world as it is",
        status=201,
        errors=(_NEEDS_MEMORY, (409, "TOO_MANY_SNAPSHOTS"), (409, "CLOCK_BUSY")),
    ),
    control_route(
        "POST",
        "snapshots/<name>/restore",
        snapshots.restore,
        snapshots.Snapshot,
        "Go back to a snapshot",
        errors=(_NEEDS_MEMORY, (404, "SNAPSHOT_NOT_FOUND"), (409, "CLOCK_BUSY")),
    ),
    control_route(
        "DELETE",
        "snapshots/<name>",
        snapshots.remove,
        snapshots.Snapshot,
        "Forget a snapshot",
        errors=(_NEEDS_MEMORY, (404, "SNAPSHOT_NOT_FOUND")),
    ),
)
