"""A download says how far it is where somebody watches, and nowhere else."""

import sys
from pathlib import Path

import pytest
import respx

from settlekit.cli import main
from settlekit.cli.output import progress_line
from tests.settlekit import wire
from tests.settlekit.test_csv import body, cells

BATCH = "http://localhost:8787/v1/sdrp/metered/provider/settlement-batches/msb_1"
FILE = body([cells(number) for number in range(7)])


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGLUME_AUTH_TOKEN", "tok")
    monkeypatch.setenv("SIGLUME_API_BASE", "http://localhost:8787/v1")


def test_a_terminal_sees_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bar with the bytes so far and in all, which is gone afterwards."""
    pytest.importorskip("rich")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress_line() as progress:
        progress(1000, 4000)
    said = capsys.readouterr().err
    assert "1.0/4.0 kB" in said
    assert said.endswith("\x1b[2K")


def test_without_rich_a_line_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes so far, the share where the whole is known, and a clean line afterwards."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with progress_line() as progress:
        progress(1000, 4000)
        progress(2000, None)
    said = capsys.readouterr().err
    assert "1,000 of 4,000 bytes (25%)" in said
    assert "2,000 bytes" in said
    assert said.endswith("\r\x1b[K")


def test_a_pipe_sees_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Output that a program reads has the result alone."""
    with progress_line() as progress:
        progress(1000, 4000)
    assert capsys.readouterr().err == ""


def test_rows_are_verified_when_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Other rows than the batch's are a finding, and no file is left."""
    path = f"{tmp_path}/usage.csv"
    with respx.mock() as server:
        server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
        server.get(BATCH).respond(content=wire.enveloped(wire.settlement_batch()))
        assert main(["usage-csv", "msb_1", "-o", path, "--verify"]) == 1
    assert "digest" in capsys.readouterr().err
