"""A client's calls as OpenTelemetry spans and metrics, by the client's hooks.

Needs opentelemetry-sdk. ``python examples/tracing.py`` prints the spans of one call that
needed a second attempt, made against a mock in this process.
"""

import re
import sys
from typing import Any

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from settlekit import AttemptEnded, AttemptStarted, RetryPlanned

IDS = re.compile(r"/[a-z]+_[0-9a-z]{8,}")


class Telemetry:
    """A span an attempt, their durations, and how often calls are repeated.

    ``Client(**telemetry.hooks)`` and ``AsyncClient(**telemetry.hooks)`` report to it; one
    serves any number of clients.
    """

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        meter = meters.get_meter("settlekit")
        self._tracer = tracers.get_tracer("settlekit")
        self._durations = meter.create_histogram("http.client.request.duration", "s")
        self._retries = meter.create_counter("settlekit.retries")
        self._under_way: dict[tuple[int, int], Span] = {}

    @property
    def hooks(self) -> dict[str, Any]:
        """The client's keyword arguments."""
        return {
            "on_request": self._started,
            "on_response": self._ended,
            "on_retry": self._retrying,
        }

    def _started(self, event: AttemptStarted) -> None:
        attributes: dict[str, str | int] = {
            "http.request.method": event.method,
            "url.template": template(event.path),
            "http.request.resend_count": event.attempt - 1,
        }
        name = f"{event.method} {template(event.path)}"
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
        self._under_way[event.call_id, event.attempt] = span

    def _ended(self, event: AttemptEnded) -> None:
        outcome = {"http.request.method": event.method, "url.template": template(event.path)}
        span = self._under_way.pop((event.call_id, event.attempt))
        if event.status is not None:
            span.set_attribute("http.response.status_code", event.status)
            outcome["http.response.status_code"] = str(event.status)
        if event.error is not None:
            # The error's text may hold more than a trace should: its class says enough.
            span.set_attribute("error.type", type(event.error).__name__)
            outcome["error.type"] = type(event.error).__name__
        if event.error is not None or (event.status or 0) >= 400:
            span.set_status(Status(StatusCode.ERROR))
        span.end()
        self._durations.record(event.elapsed_seconds, outcome)

    def _retrying(self, event: RetryPlanned) -> None:
        self._retries.add(1, {"error.type": type(event.error).__name__})


def template(path: str) -> str:
    """Return a path without its ids, so that few names stand for many calls."""
    return IDS.sub("/{id}", path)


def main() -> None:
    """Print the spans of a call whose first attempt meets a server that is busy."""
    from opentelemetry.sdk.metrics import MeterProvider as Meters
    from opentelemetry.sdk.trace import TracerProvider as Tracers
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

    from settlekit_mock import MockServer

    tracers, meters = Tracers(), Meters()
    tracers.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stdout)))
    with MockServer() as mock:
        mock.faults.create("GET /v1/*", "status", status=503, times=1)
        with mock.client("provider", **Telemetry(tracers, meters).hooks) as client:
            client.provider_statements.summary()
    meters.shutdown()
    tracers.shutdown()


if __name__ == "__main__":
    main()
