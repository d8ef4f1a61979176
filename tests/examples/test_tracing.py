"""The OpenTelemetry example tells what happened, once, and nothing that is secret."""

import asyncio
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from examples.tracing import Telemetry, main, template
from settlekit.testing import without_backoff
from settlekit_mock import MockServer


class Collected:
    """What telemetry reported."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.telemetry = Telemetry(tracers, MeterProvider([self._metrics]))

    def spans(self) -> list[Any]:
        return list(self._spans.get_finished_spans())

    def points(self, name: str) -> list[Any]:
        data = self._metrics.get_metrics_data()
        metrics = data.resource_metrics[0].scope_metrics[0].metrics
        return [point for each in metrics if each.name == name for point in each.data.data_points]


@pytest.fixture
def mock(settlekit_mock: MockServer) -> MockServer:
    settlekit_mock.faults.create("GET /v1/*", "status", status=503, times=1)
    settlekit_mock.faults.create("GET /v1/*", "cut_after_effect", times=1)
    return settlekit_mock


def check(collected: Collected) -> None:
    spans = collected.spans()
    assert [span.attributes.get("http.response.status_code") for span in spans] == [503, None, 200]
    assert [span.attributes.get("error.type") for span in spans] == [None, "TransportError", None]
    assert [span.attributes["http.request.resend_count"] for span in spans] == [0, 1, 2]
    failed = [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]
    assert [span.status.status_code for span in spans] == failed
    assert sum(point.value for point in collected.points("settlekit.retries")) == 2
    assert sum(point.count for point in collected.points("http.client.request.duration")) == 3
    assert "sandbox_provider_token" not in "".join(span.to_json() for span in spans)


def test_each_attempt_is_a_span(mock: MockServer) -> None:
    """A call that needs three attempts is three spans, two repetitions, three durations."""
    collected = Collected()
    with mock.client("provider", **collected.telemetry.hooks) as client, without_backoff():
        client.provider_statements.summary()
    check(collected)


def test_an_async_client_reports_the_same(mock: MockServer) -> None:
    """The hooks are the same for both clients."""
    collected = Collected()

    async def ask() -> None:
        async with mock.async_client("provider", **collected.telemetry.hooks) as client:
            await client.provider_statements.summary()

    with without_backoff():
        asyncio.run(ask())
    check(collected)


def test_ids_are_left_out_of_names() -> None:
    """However many batches there are, their spans share one name."""
    path = "/sdrp/metered/provider/settlement-batches/msb_0000000021527987bd/usage-events.csv"
    assert template(path) == "/sdrp/metered/provider/settlement-batches/{id}/usage-events.csv"


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """As a program it prints a span that failed and one that didn't."""
    with without_backoff():
        main()
    said = capsys.readouterr().out
    assert '"http.response.status_code": 503' in said
    assert '"http.response.status_code": 200' in said
