"""The commands that ask for faults, keep snapshots and follow the journal."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from settlekit_mock import MockServer
from settlekit_mock.cli import main
from tests.settlekit_mock.cli.serving import COMMAND, environ

Told = pytest.CaptureFixture[str]


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer(seed=7) as made:
        yield made


@pytest.fixture
def url(mock: MockServer) -> Iterator[str]:
    with mock.serve() as server:
        yield server.url


class Shell:
    """Runs commands against one server and reads what they print."""

    def __init__(self, url: str, capsys: Told) -> None:
        self._url = url
        self._capsys = capsys

    def run(self, *words: str) -> list[Any]:
        """Return the JSON values that a command prints; it must succeed."""
        assert main([*words, "--url", self._url, "--json"]) == 0
        return [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]

    def refused(self, *words: str) -> tuple[int, str]:
        """Return the status of a command that is refused, and what it says."""
        status = main([*words, "--url", self._url])
        return status, self._capsys.readouterr().err


@pytest.fixture
def shell(url: str, capsys: Told) -> Shell:
    return Shell(url, capsys)


def test_faults_are_created_listed_shown_and_removed(shell: Shell) -> None:
    """``faults`` asks for a fault of calls, shows it, and takes it away."""
    (made,) = shell.run(
        "faults", "create", "GET /v1/*", "--kind", "status", "--status", "429",
        "--retry-after", "5", "--times", "2",
    )  # fmt: skip
    assert (made["match"], made["retry_after"], made["times"]) == ("GET /v1/*", 5, 2)
    assert shell.run("faults") == [made]
    assert shell.run("faults", "show", made["fault_id"]) == [made]
    assert shell.run("faults", "remove", made["fault_id"]) == [{"removed": 1}]
    assert shell.run("faults", "list") == []


def test_latency_at_a_rate(shell: Shell) -> None:
    """``faults create`` takes milliseconds and a rate."""
    (made,) = shell.run(
        "faults", "create", "* /*", "--kind", "latency", "--ms", "250", "--rate", "0.5"
    )
    assert (made["ms"], made["rate"]) == (250, 0.5)


def test_webhook_faults_are_created_and_cleared(shell: Shell) -> None:
    """``webhook-faults`` asks for faults of deliveries by kind, and clears them."""
    (made,) = shell.run("webhook-faults", "create", "delay", "--duration", "PT2H")
    assert (made["kind"], made["duration"]) == ("delay", 7200)
    shell.run("webhook-faults", "create", "drop", "--rate", "0.25")
    assert [one["kind"] for one in shell.run("webhook-faults")] == ["delay", "drop"]
    assert shell.run("webhook-faults", "clear") == [{"removed": 2}]


@pytest.mark.sqlite
def test_snapshots_are_taken_restored_and_removed(mock: MockServer, shell: Shell) -> None:
    """``snapshots`` keeps the world, goes back to it, and forgets it: after that it is refused."""
    shell.run("snapshots", "take", "before")
    shell.run("clock", "advance", "P3D")
    assert shell.run("snapshots", "restore", "before")[0]["name"] == "before"
    assert mock.clock.now.day == 1
    assert [one["name"] for one in shell.run("snapshots")] == ["before"]
    assert shell.run("snapshots", "remove", "before") == [{"removed": 1}]
    assert shell.run("snapshots") == []
    ended, said = shell.refused("snapshots", "restore", "before")
    assert (ended, "404 SNAPSHOT_NOT_FOUND" in said, said.count("\n")) == (1, True, 1)


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["faults", "create"], 2, "--kind is needed"),
        (["faults", "create", "--kind", "malformed"], 2, "say which one"),
        (["faults", "show"], 2, "say which one"),
        (["faults", "show", "flt_none"], 1, "404 FAULT_NOT_FOUND"),
        (["faults", "create", "* /*", "--kind", "latency"], 1, "422"),
        (["webhook-faults", "create", "explode"], 2, "no kind explode"),
        (["webhook-faults", "remove"], 2, "say which one"),
        (["snapshots", "take"], 2, "say which one"),
    ],
)
def test_what_cant_be_done_is_said_in_a_line(
    shell: Shell, words: list[str], status: int, told: str
) -> None:
    """A wrong call ends with 2, a refusal with 1, each with one line that says why."""
    ended, said = shell.refused(*words)
    assert (ended, told in said, said.count("\n")) == (status, True, 1)


def test_events_follow_the_journal_until_the_server_ends(mock: MockServer) -> None:
    """``events --follow`` prints what was and what comes, each line at once, and ends with 0."""
    with mock.serve() as server:
        following = subprocess.Popen(
            [
                COMMAND,
                "events",
                "--follow",
                "--json",
                "--kind",
                "buyer.created",
                "--url",
                server.url,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ(PYTHONUNBUFFERED=""),
        )
        assert following.stdout is not None
        first = following.stdout.readline()
        mock.buyers.create(buyer_id="late")
        second = following.stdout.readline()
    rest, errors = following.communicate(timeout=20)
    assert [json.loads(line)["subject"] for line in (first, second)] == ["sandbox_buyer", "late"]
    assert (rest, errors, following.returncode) == ("", "", 0)
