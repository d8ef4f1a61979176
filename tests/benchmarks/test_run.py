import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def report(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, dict[str, list[dict[str, object]]]]:
    file = tmp_path_factory.mktemp("benchmarks") / "figures.json"
    rows = ["--only", "webhook", "--only", "batch_statements"]
    command = [sys.executable, "benchmarks/run.py", "--quick", *rows, "--json", str(file)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout, json.loads(file.read_text())


def test_each_row_prints_its_ratio(report: tuple[str, dict[str, list[dict[str, object]]]]) -> None:
    """The rows that were asked for, and no others, print what they measured and a ratio."""
    printed, written = report

    assert [figure["row"] for figure in written["figures"]] == ["webhook", "batch_statements"]
    assert printed.count(", ratio ") == 2
    assert "Traceback" not in printed


def test_figures_are_written_with_their_verdict(
    report: tuple[str, dict[str, list[dict[str, object]]]],
) -> None:
    """A figure is written with both sides, their ratio, and whether its target was met."""
    _, written = report

    for figure in written["figures"]:
        ours, theirs, ratio = figure["ours"], figure["theirs"], figure["ratio"]
        assert isinstance(ours, float | int)
        assert isinstance(theirs, float | int)
        assert ratio == pytest.approx(ours / theirs)
        assert figure["met"] in (True, False)


def test_an_unknown_row_is_a_wrong_call() -> None:
    """A row that doesn't exist is refused with the names of those that do."""
    command = [sys.executable, "benchmarks/run.py", "--only", "nothing"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 2
    assert "webhook" in run.stderr
