"""Shops that do one thing wrong fail the checks of that thing, and no others."""

import pytest

from settlekit.testing.exam import Report, examine
from settlekit_mock.http.server import Server
from tests.settlekit.testing.exam.conftest import Run
from tests.settlekit.testing.exam.planted import CAUGHT, CAUGHT_ON_A_SOCKET
from tests.settlekit.testing.exam.shop import SECRET, WEBHOOK, Running, Shop


def _in_process(running: Running) -> Report:
    return examine(
        running,
        secret=SECRET,
        start_checkout=running.start_checkout,
        probe=running.probe,
        restart=running.restart,
        path=WEBHOOK,
    )


def _on_a_socket(running: Running, only: list[str] | None = None) -> Report:
    with Server(running) as server:
        running.origin = server.url
        return examine(
            server.url + WEBHOOK,
            secret=SECRET,
            start_checkout=running.start_checkout,
            probe=running.probe,
            restart=running.restart,
            only=only,
        )


def _failed(report: Report) -> set[str]:
    return {mark.check.name for mark in report.failed}


@pytest.mark.parametrize("kind", CAUGHT, ids=lambda kind: kind.__name__)
def test_a_planted_fault_fails_its_checks_alone(kind: type[Shop], run: Run) -> None:
    """A shop with one fault fails what the fault causes, and passes everything else."""
    assert _failed(_in_process(run(kind))) == CAUGHT[kind]


@pytest.mark.parametrize("kind", CAUGHT_ON_A_SOCKET, ids=lambda kind: kind.__name__)
def test_a_fault_that_takes_a_socket_to_see(kind: type[Shop], run: Run) -> None:
    """Crashes in the middle, redirects and answers' bodies are examined over a socket."""
    assert _failed(_on_a_socket(run(kind))) == CAUGHT_ON_A_SOCKET[kind]


def test_a_right_shop_passes_everything(run: Run) -> None:
    """A shop that does it right fails nothing, and with all the means nothing is left out."""
    report = _on_a_socket(run(Shop))

    assert str(report) == f"{len(report.marks)} checks, 0 failed, 0 not examined"
    assert report.not_examined == []
    assert len(report.marks) >= 25
