"""Ask for faults, keep snapshots."""

from datetime import timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from settlekit_mock.control.faults import (
    FaultAnswer,
    Faults,
    Removed,
    WebhookFaultAnswer,
    WebhookFaults,
)
from settlekit_mock.control.snapshots import Snapshot, Snapshots
from settlekit_mock.driver.calls import Calls, duration_text
from settlekit_mock.http.faults import FaultKind
from settlekit_mock.webhooks.faults import FaultKind as WebhookFaultKind

A = TypeVar("A", bound=FaultAnswer | WebhookFaultAnswer)


class _Asked(Generic[A]):
    """Faults of one door: read them, take them away."""

    def __init__(self, calls: Calls, path: str, one: type[A], many: Any) -> None:
        self._calls = calls
        self._path = path
        self._one = one
        self._many = many

    def all(self) -> list[A]:
        """Read every fault that can still strike, oldest first."""
        items: list[A] = self._calls.call(self._many, "GET", self._path).items
        return items

    def get(self, fault_id: str) -> A:
        """Read a fault; one that was used up is gone."""
        return self._calls.call(self._one, "GET", self._named(fault_id))

    def remove(self, fault: A | str) -> None:
        """Take a fault away."""
        fault_id = fault if isinstance(fault, str) else fault.fault_id
        self._calls.call(Removed, "DELETE", self._named(fault_id))

    def clear(self) -> int:
        """Take every fault away; return how many there were."""
        return self._calls.call(Removed, "DELETE", self._path).removed

    def _named(self, fault_id: str) -> str:
        return f"{self._path}/{quote(fault_id, safe='')}"


class FaultsDriver(_Asked[FaultAnswer]):
    """Faults of calls."""

    def __init__(self, calls: Calls) -> None:
        super().__init__(calls, "faults", FaultAnswer, Faults)

    def create(
        self,
        match: str,
        kind: FaultKind,
        *,
        ms: int | None = None,
        status: int | None = None,
        retry_after: int | None = None,
        times: int | None = None,
        rate: float | None = None,
    ) -> FaultAnswer:
        """Let calls fail: those that match, so many times, at a rate, or always.

        ``match`` is a method or ``*``, a space, and a path in which ``*`` is any text.
        ``latency`` needs ``ms``, ``status`` needs ``status`` (429, 500, 502 or 503).
        """
        body = {name: value for name, value in locals().items() if name != "self"}
        return self._calls.call(FaultAnswer, "POST", self._path, body)


class WebhookFaultsDriver(_Asked[WebhookFaultAnswer]):
    """Faults of webhook deliveries."""

    def __init__(self, calls: Calls) -> None:
        super().__init__(calls, "webhook-faults", WebhookFaultAnswer, WebhookFaults)

    def create(
        self,
        kind: WebhookFaultKind,
        *,
        duration: timedelta | str | float | None = None,
        times: int | None = None,
        rate: float | None = None,
    ) -> WebhookFaultAnswer:
        """Let deliveries fail, so many times, at a rate, or always; ``delay`` needs ``duration``."""
        body = {
            "kind": kind,
            "duration": duration_text(duration),
            "times": times,
            "rate": rate,
        }
        return self._calls.call(WebhookFaultAnswer, "POST", self._path, body)


class SnapshotsDriver:
    """The world as it was, by names; for a mock in memory."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def take(self, name: str) -> Snapshot:
        """Keep the world as it is; a snapshot of the same name is replaced."""
        return self._calls.call(Snapshot, "POST", _path(name), {})

    def restore(self, name: str) -> Snapshot:
        """Make the world what it was when the snapshot was taken."""
        return self._calls.call(Snapshot, "POST", f"{_path(name)}/restore", {})

    def remove(self, name: str) -> None:
        """Forget a snapshot."""
        self._calls.call(Snapshot, "DELETE", _path(name))

    def all(self) -> list[Snapshot]:
        """Read which snapshots are kept, oldest first."""
        return self._calls.call(Snapshots, "GET", "snapshots").items


def _path(name: str) -> str:
    return f"snapshots/{quote(name, safe='')}"
