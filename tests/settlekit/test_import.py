import ast
import asyncio
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import settlekit
from settlekit._tls import shared_context

SOURCES = sorted(Path(settlekit.__file__).parent.rglob("*.py"))
HEAVY = [
    "httpx",
    "httpcore",
    "anyio",
    "ssl",
    "cattrs",
    "sqlalchemy",
    "werkzeug",
    "pydantic",
    "rich",
]


def loaded_by(code: str) -> set[str]:
    """Return the heavy modules that some code loads in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    ["import settlekit", "from settlekit import *", "import settlekit; settlekit.webhooks.verify"],
)
def test_importing_loads_nothing_heavy(code: str) -> None:
    """No HTTP library, no database, no second validation library."""
    assert loaded_by(code) == set()


def test_every_public_name_is_there() -> None:
    """What is loaded late is found all the same, and what isn't there says so."""
    assert [name for name in settlekit.__all__ if not hasattr(settlekit, name)] == []
    assert dir(settlekit) == sorted(settlekit.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        _ = settlekit.Klient  # type: ignore[attr-defined]


@pytest.mark.parametrize("framework", ["flask", "fastapi", "django", "sqlalchemy"])
def test_an_adapter_is_an_attribute_of_webhooks(framework: str) -> None:
    """It needs no import of its own, and says what to install where its framework isn't."""
    code = f"""
import sys
from settlekit import webhooks
assert "settlekit.webhooks.{framework}" not in sys.modules
try:
    assert webhooks.{framework}.__name__ == "settlekit.webhooks.{framework}"
except ModuleNotFoundError as error:
    assert "settlekit[{framework}]" in str(error)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_webhooks_have_no_name_but_theirs() -> None:
    """A slip of the pen is an AttributeError."""
    with pytest.raises(AttributeError, match="no attribute 'verfy'"):
        _ = settlekit.webhooks.verfy  # type: ignore[attr-defined]


def test_errors_and_money_need_no_models() -> None:
    """Who only signs or catches loads neither models nor codec."""
    code = "import settlekit, settlekit.money, settlekit.challenge, settlekit.digest"
    assert loaded_by(f"{code}\nimport sys\nassert 'settlekit.models' not in sys.modules") == set()


def test_a_client_for_this_machine_loads_http_alone() -> None:
    """The HTTP library comes with the first client, and what it brings itself."""
    code = "import settlekit; settlekit.Client(token='t', base_url='http://localhost/v1')"
    assert {"httpx"} <= loaded_by(code) <= {"httpx", "httpcore", "anyio", "ssl", "rich"}


def test_a_client_for_this_machine_makes_no_tls_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates aren't read where nothing is encrypted."""
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", _never)
    settlekit.Client(token="t", base_url="http://localhost/v1").close()


def test_clients_share_one_tls_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second https client reads no certificates, be it of the same kind or the other."""
    settlekit.Client(token="t").close()
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", _never)
    settlekit.Client(token="t").close()
    asyncio.run(settlekit.AsyncClient(token="t").close())


def test_threads_make_one_tls_context() -> None:
    """Whoever comes meanwhile waits for the first one's."""
    made: list[int] = []

    def make() -> Any:
        time.sleep(0.02)
        made.append(1)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: shared_context(make), range(8)))
    assert made == [1]


def _never(*_: object, **__: object) -> None:
    raise AssertionError("certificates were read")


def test_one_module_of_each_half_knows_httpx() -> None:
    """Another HTTP library would be a change of the transports, and of nothing else."""
    knowing = {
        path.relative_to(SOURCES[0].parent).as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom) and _names_httpx(node)
    }
    # The clients name the type of the pool that a caller may bring; what is for tests alone
    # plugs applications into HTTP clients and must know theirs.
    assert {name for name in knowing if not name.startswith("testing/")} == {
        "_async/client.py",
        "_async/transport.py",
        "_sync/client.py",
        "_sync/transport.py",
    }


def _names_httpx(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == "httpx"
    return any(alias.name.split(".")[0] == "httpx" for alias in node.names)
