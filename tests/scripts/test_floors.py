"""The oldest versions that are promised are those that make oldest runs with."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_oldest_versions_are_the_promised_ones() -> None:
    """Each dependency's floor in pyproject.toml is pinned in constraints-oldest.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = {tuple(re.split(r">=|,", text)[:2]) for text in project["dependencies"]}
    lines = (ROOT / "constraints-oldest.txt").read_text().splitlines()
    pinned = {tuple(line.split("==")) for line in lines if not line.startswith("#")}
    assert {(name, _full(floor)) for name, floor in promised} == pinned


def _full(version: str) -> str:
    return version + ".0" * (2 - version.count("."))
