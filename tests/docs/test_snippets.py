"""What the documentation shows, works.

A page's fences tagged `python` are one module, run by pytest as a reader would run it: code at
the top level is executed, and functions named test_… get the fixtures of the plugin. Fences with
other tags (text, console, pycon, toml) are only shown.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "docs" / "guide").glob("*.md"))
PAGES += sorted((ROOT / "docs" / "howto").glob("*.md"))
FENCE = re.compile(
    r"^(?P<ticks>```+)(?P<tag>[^\n`]*)\n(?P<code>.*?)^(?P=ticks)$", re.MULTILINE | re.DOTALL
)
SHOWN = {
    "text",
    "console",
    "pycon",
    "toml",
    "csv",
    "json",
    "http",
    "sql",
    "{toctree}",
    "{literalinclude}",
}
NO_TESTS_COLLECTED = 5
PLUGINS = ("settlekit.testing.plugin", "anyio.pytest_plugin")
"""What pages use: to load every plugin that is installed takes longer than a page."""


def fences(page: str) -> list[re.Match[str]]:
    return list(FENCE.finditer(page))


def module_of(page: str) -> str:
    """Join the python fences into one module, each on the lines it has in the page."""
    lines = [""] * (page.count("\n") + 1)
    for fence in fences(page):
        if fence["tag"] == "python":
            first = page.count("\n", 0, fence.start("code"))
            code = fence["code"].splitlines()
            lines[first : first + len(code)] = code
    return "\n".join(lines).rstrip() + "\n"


def run(module: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "test_page.py"
    path.write_text(module, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    for plugin in PLUGINS:
        command += ["-p", plugin]
    return subprocess.run(
        [*command, path.name],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


WITH_CODE = [page for page in PAGES if module_of(page.read_text("utf-8")).strip()]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_python_of_a_page_runs(page, tmp_path):
    """Every python fence of a page runs as it stands, in order, without a warning."""
    result = run(module_of(page.read_text("utf-8")), tmp_path)
    assert result.returncode in {0, NO_TESTS_COLLECTED}, result.stdout + result.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_fences_have_known_tags(page):
    """A page tags its fences python, or as something that is only shown: no code slips by."""
    tags = {fence["tag"].split(" ")[0] for fence in fences(page.read_text("utf-8"))}
    assert tags <= SHOWN | {"python"}


def test_lines_of_a_snippet_are_those_of_the_page():
    """A failure names the line of the page."""
    page = "# Page\n\n```python\nfirst = 1\n```\n\ntext\n\n```text\nno\n```\n```python\nlast = 2\n```\n"
    module = module_of(page)
    assert module.splitlines()[3] == "first = 1"
    assert module.splitlines()[12] == "last = 2"
    assert "no" not in module.split()


@pytest.mark.parametrize(
    "code",
    ["assert 1 == 2", "def test_it():\n    assert 1 == 2", "import warnings; warnings.warn('old')"],
    ids=["statement", "test", "warning"],
)
def test_wrong_snippet_fails(code, tmp_path):
    """A snippet that is wrong at the top level, in a test, or by a warning is seen."""
    assert run(code + "\n", tmp_path).returncode not in {0, NO_TESTS_COLLECTED}
