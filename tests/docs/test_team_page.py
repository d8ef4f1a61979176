"""The page about a team's mock, followed as a reader would: each command is run, in order."""

import re
import shlex
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.settlekit_mock.cli.serving import environ
from tests.stories.processes import PATIENCE_SECONDS, wait_for

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "postgresql.md"
SCRIPTS = Path(sysconfig.get_path("scripts"))
FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DATABASE = "postgresql+psycopg://team@db.example/settlement"
PORT = "8787"
PREPARED = ("pip install 'settlekit[mock,postgresql]' gunicorn", "createdb settlement")
"""What stands ready before the test: the packages, and a database of its own."""


class Terminal:
    """Runs a page's commands; what serves goes on beside the others until the end."""

    def __init__(self, database: str) -> None:
        self.variables: dict[str, str] = {}
        self._database = database
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    def run(self, line: str) -> str:
        """Return what a command prints, with the page's own port."""
        line = line.replace(DATABASE, self._database).replace(PORT, self._port)
        if line in PREPARED:
            return ""
        program, *arguments = shlex.split(line)
        if program == "export":
            self.variables |= dict(each.split("=", 1) for each in arguments)
            return ""
        if program == "gunicorn":
            self._serve(arguments)
            return ""
        assert program in ("settlekit", "settlekit-mock"), f"nothing here runs {line}"
        done = subprocess.run(
            [SCRIPTS / program, *arguments],
            env=environ(COLUMNS="200", **self.variables),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout.replace(self._port, PORT)

    def _serve(self, arguments: list[str]) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *arguments, "--log-level", "error"],
            env=environ(**self.variables),
        )
        wait_for(self._answers)

    def _answers(self) -> bool:
        assert self._server is not None
        assert self._server.poll() is None, "the server ended"
        try:
            status = f"http://127.0.0.1:{self._port}/v1/sdrp/direct-payments/status"
            return httpx.get(status, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """End the server."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(PATIENCE_SECONDS)


def free_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def steps(page: str) -> list[tuple[str, str]]:
    """Return each command of a page and what is shown below it."""
    lines = "".join(FENCE.findall(page)).splitlines(keepends=True)
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:].strip(), ""))
        else:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def shown_as(shown: str, printed: str) -> bool:
    """Say whether a page shows what was printed; ``…`` stands for anything, lines included."""
    pattern = ".*".join(re.escape(part) for part in squeezed(shown).split("…"))
    return re.fullmatch(pattern, squeezed(printed), re.DOTALL) is not None


def squeezed(text: str) -> str:
    return re.sub(r" +", " ", text).strip()


@pytest.fixture
def terminal(postgresql_url: str) -> Iterator[Terminal]:
    made = Terminal(postgresql_url)
    yield made
    made.close()


def test_the_page_can_be_followed(terminal: Terminal) -> None:
    """Every command of the page works as it stands, and prints what the page shows."""
    for command, shown in steps(PAGE.read_text("utf-8")):
        printed = terminal.run(command)
        assert shown_as(shown, printed), f"$ {command}\n{printed}"


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a  b\n", "a b\n", True),
        ("a=…\n", "a=1  b=2\n", True),
        ("…\nlast\n", "first\nsecond\nlast\n", True),
        ("", "", True),
        ("", "something\n", False),
        ("a\n", "b\n", False),
        ("a=… c\n", "a=1\n", False),
    ],
)
def test_what_a_page_shows_is_compared(shown: str, printed: str, *, same: bool) -> None:
    """Other words than the page's are seen; what it leaves out is not."""
    assert shown_as(shown, printed) is same


def test_variables_of_the_page_are_the_servers() -> None:
    """What the page exports for the server are settings that there are, and its start needs them."""
    from settlekit_mock.settings import PREFIX, settings_from

    exported = [line[7:] for line, _ in steps(PAGE.read_text("utf-8")) if line.startswith("export")]
    names = [name.partition("=")[0] for name in exported]
    assert {f"{PREFIX}DB", f"{PREFIX}CONTROL_TOKEN"} <= set(names)
    database, settings = settings_from(dict(each.split("=", 1) for each in exported))
    assert (database, settings.public_url) == (DATABASE, "https://mock.example")
