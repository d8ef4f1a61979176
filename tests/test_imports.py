"""What an import brings along: the import linter can't tell a lazy import from an eager one."""

import subprocess
import sys

import pytest

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
