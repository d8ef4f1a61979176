"""What the commands say of themselves, and how they write what servers answer."""

import argparse
import json
import os
from collections.abc import Iterator

import pytest

from settlekit_mock import MockServer
from settlekit_mock.cli import main, parser
from settlekit_mock.cli.showing import Table, show
from settlekit_mock.cli.tree import MOST_PARTS, lines_of
from settlekit_mock.control.explain import Explanation

Told = pytest.CaptureFixture[str]


def parsers(found: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield found
    for action in found._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


COMMANDS = {found.prog: found for found in parsers(parser())}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str) -> None:
    """A description, and a help for each argument, with its default where it has one."""
    found = COMMANDS[name]
    assert found.description
    for action in found._actions:
        if not isinstance(action, argparse._SubParsersAction):
            assert action.help, action.dest
            if action.default not in (None, False, [], "==SUPPRESS=="):
                assert f"default: {action.default})" in action.help, action.dest


def test_version_is_told(capsys: Told) -> None:
    """``--version`` names the command and a number."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    name, number = capsys.readouterr().out.split()
    assert (name, number[0].isdigit()) == ("settlekit-mock", True)


# -- tables ------------------------------------------------------------------------------

ROWS = [{"id": "a" * 40, "of": {"name": "名前"}}, {"id": "b", "of": None}]
TABLE = Table({"id": "id", "name": "of.name"}, ROWS)


def test_a_table_in_a_pipe_is_aligned_and_whole(capsys: Told) -> None:
    """No width limits what isn't shown on a terminal."""
    show(TABLE, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "id" + " " * 40 + "name",
        "a" * 40 + "  名前",
        "b" + " " * 41 + "-",
    ]


@pytest.mark.parametrize(("columns", "lines"), [(80, 3), (30, 5)])
def test_a_table_on_a_narrow_terminal_is_turned(
    capsys: Told, monkeypatch: pytest.MonkeyPatch, columns: int, lines: int
) -> None:
    """Where it doesn't fit, a value has a line, and nothing is shortened."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((columns, 24)))
    show(TABLE, as_json=False)
    said = capsys.readouterr().out
    assert len(said.splitlines()) == lines
    assert "a" * 40 in said


def test_a_long_answer_has_a_line_for_each_field(capsys: Told) -> None:
    """What has many fields is read from top to bottom."""
    show({"id": "msb_1", "because": "x" * 160}, as_json=False)
    assert capsys.readouterr().out.splitlines() == ["id       msb_1", "because  " + "x" * 160]


def test_control_characters_of_an_answer_reach_no_terminal(capsys: Told) -> None:
    """Neither as a value, nor in a row, nor in JSON."""
    bad = {"name": "\x1b[2J\x9b\u202e\x7f\n名前"}
    for answer in (bad, Table({"name": "name"}, [bad]), bad["name"]):
        show(answer, as_json=False)
        said = capsys.readouterr().out
        assert "\\u001b[2J\\u009b\\u202e\\u007f\\n名前" in said
        assert "\x1b" not in said
    show(bad, as_json=True)
    said = capsys.readouterr().out
    assert (json.loads(said), said.isascii(), "\x7f" in said) == (bad, True, False)


# -- trees -------------------------------------------------------------------------------


def part(amount: str, *parts: Explanation, kind: str = "price") -> Explanation:
    return Explanation(
        id="x", kind=kind, amount=amount, currency="JPY", because="why", parts=list(parts)
    )  # type: ignore[arg-type]


def test_an_explanation_is_a_tree() -> None:
    """Each part is drawn below its whole, its amount as people write it."""
    usage = part("98.00000000", part("100.00000000"), part("-2.00000000"), kind="usage_event")
    assert list(lines_of(part("1234.50000000", usage, part("1136.50000000"), kind="batch"))) == [
        "1,234.5 JPY  batch x: why",
        "├─ 98 JPY  usage_event x: why",
        "│  ├─ 100 JPY  price x: why",
        "│  └─ -2 JPY  price x: why",
        "└─ 1,136.5 JPY  price x: why",
    ]


def test_a_long_explanation_is_told_in_short() -> None:
    """Of many parts the first are drawn; the rest is one line with its sum."""
    lines = list(lines_of(part("900.00000000", *[part("10.00000000")] * 90)))
    assert len(lines) == 1 + MOST_PARTS + 1
    assert lines[-2].startswith("├─ ")
    assert lines[-1] == "└─ 700 JPY  70 more; --json prints them all"


def test_a_settled_batch_is_explained(capsys: Told) -> None:
    """The command draws the tree; --json gives it whole."""
    with MockServer() as mock, mock.serve() as server:
        mock.usage("sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY")
        mock.clock.advance(until="batch.settled")
        (settled,) = mock.events(kind="batch.settled")
        there = ["explain", settled.subject, "--url", server.url]
        assert main(there) == 0
        drawn = capsys.readouterr().out.splitlines()
        assert main([*there, "--json"]) == 0
    assert drawn[0].startswith(f"98 JPY  batch {settled.subject}: ")
    assert [line.split()[:2] for line in drawn[2:]] == [["├─", "100"], ["└─", "-2"]]
    assert json.loads(capsys.readouterr().out)["id"] == settled.subject
