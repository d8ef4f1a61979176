"""What an import brings along: the import linter can't tell a lazy import from an eager one."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOADED = "import sys, {module}; print(*sys.modules)"


def loaded_by(module: str) -> set[str]:
    """List what a fresh interpreter has loaded after importing a module."""
    command = [sys.executable, "-W", "error", "-c", LOADED.format(module=module)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("module", ["settlekit", "settlekit.testing.plugin"])
@pytest.mark.parametrize("heavy", ["settlekit_mock", "sqlalchemy", "werkzeug", "httpx", "rich"])
def test_import_of_the_library_brings_nothing_heavy(module, heavy):
    """Importing the library or its pytest plugin loads neither the mock nor what only it needs."""
    assert heavy not in loaded_by(module)


@pytest.mark.parametrize("clients", ["settlekit._async", "settlekit._sync", "settlekit.models"])
def test_import_of_the_mock_brings_no_clients(clients):
    """Importing the mock doesn't load the library's clients or models."""
    assert clients not in loaded_by("settlekit_mock")


def test_every_extra_brings_what_something_imports():
    """An extra is in the README's table, and what it brings is imported by a package of ours."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = dict(project["optional-dependencies"])
    del extras["dev"]
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert set(extras) <= set(re.findall(r"`(\w+)`", "".join(rows)))

    for name, brought in extras.items():
        package = "mock_server" if name in {"mock", "postgresql"} else "src"
        source = "".join(file.read_text("utf-8") for file in (ROOT / package).rglob("*.py"))
        for distribution in brought:
            module = re.match(r"\w+", distribution)[0]
            used = re.search(rf"(?:import|from) {module}|\+{module}", source)
            assert used or module == "tzdata", f"{name} brings {distribution}"
