"""Whatever a shell hands to the command: an exit code and words, never a traceback."""

import argparse
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import respx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from settlekit.cli.main import _parser, main
from settlekit.testing import golden, without_backoff

ENVIRONMENT = {
    "SIGLUME_MERCHANT_AUTH_TOKEN": "tok_canary_of_a_merchant",
    "SIGLUME_AUTH_TOKEN": "tok_canary_of_a_buyer",
    "SIGLUME_API_BASE": "http://localhost:9/v1",
    "SIGLUME_WEBHOOK_SECRET": "whsec_canary",
    "SIGLUME_DIRECT_PAYMENT_MERCHANT": "sandbox_merchant",
    "COLUMNS": "80",
}
BODY = b'{"id":"evt_1","type":"direct_payment.spent","api_version":"2026-06-20",\
"occurred_at":"2026-03-01T00:00:00.000Z","data":{}}'
FILES = {"body.json": BODY, "empty": b"", "noise.bin": b"\xff\x00\xfe", "-x": BODY}


class Command(NamedTuple):
    """A command's words, and what it takes besides."""

    words: tuple[str, ...]
    actions: tuple[argparse.Action, ...]

    @property
    def options(self) -> list[str]:
        return [name for action in self.actions for name in action.option_strings]


def commands(parser: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> Iterator[Command]:
    """Yield every command, found in the parser itself: a new one is tried without a word here."""
    actions = tuple(parser._actions)
    yield Command(words, actions)
    for action in actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from commands(inner, (*words, name))


def is_leaf(command: Command) -> bool:
    return not any(isinstance(action, argparse._SubParsersAction) for action in command.actions)


COMMANDS = list(commands(_parser()))
LEAVES = [command for command in COMMANDS if is_leaf(command)]
ENDING = ("--help", "--version")
SURROGATES = st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)
# What no shell can hand over is U+0000; a path of chance must stay in the test's own folder.
LETTERS = st.characters(exclude_characters="\x00/", exclude_categories=["Cs"]) | SURROGATES
VALUES = st.one_of(
    st.sampled_from(
        [
            *("", " ", "-", "--", "0", "1", "-1", "1.5", "9" * 30, "nan", "inf", "１", "t=1,v1=00"),
            *(
                "JPY",
                "USDC",
                "micro",
                "settled",
                "msb_1",
                "../..",
                "valid,stale",
                "sandbox_merchant",
            ),
            *("http://localhost:9/v1", "http://localhost:9/{order}", "http://[::1", "https://"),
            *("http://localhost:99999/", "http://a:b@localhost/", "ftp://x", "//", "localhost:9"),
            *(".", "nowhere/x", "nowhere", "'", *FILES),
        ]
    ),
    st.text(LETTERS, max_size=8),
)
TOLD = [name for name in golden.names() if name.startswith("provider_statements.")]
ANSWERS = st.one_of(
    st.just(None),
    st.tuples(st.sampled_from([200, 201, 204, 302, 401, 403, 404, 422, 429, 503]), st.binary()),
    st.tuples(
        st.sampled_from([200, 404]),
        st.sampled_from([golden.load(name).response.content for name in golden.names()]),
    ),
    st.tuples(st.just(200), st.sampled_from([golden.load(name).response.content for name in TOLD])),
)


@st.composite
def any_words(draw: st.DrawFn) -> list[str]:
    """Draw the words of a command, then options and values in any order."""
    command = draw(st.sampled_from(COMMANDS))
    option = st.sampled_from(command.options)
    rest = draw(st.lists(st.one_of(option, VALUES, st.builds("{}={}".format, option, VALUES))))
    return [*command.words, *rest[:8]]


@st.composite
def fitting_words(draw: st.DrawFn) -> list[str]:
    """Draw a command with all that it needs, and some options; only the values are strange."""
    command = draw(st.sampled_from(LEAVES))
    words = list(command.words)
    for action in command.actions:
        if not action.option_strings:
            words.append(draw(VALUES))
        elif action.option_strings[-1] not in ENDING and (action.required or draw(st.booleans())):
            words += draw(given_to(action))
    return words


def given_to(action: argparse.Action) -> st.SearchStrategy[list[str]]:
    name = action.option_strings[-1]
    if action.nargs == 0:
        return st.just([name])
    values = VALUES if action.choices is None else st.sampled_from(list(action.choices))
    if action.type is int:
        values = st.integers(-2, 2**70).map(str)
    return values.map(lambda value: [f"{name}={value}"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which nothing leaves: no process, no socket, no wait."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return tmp_path


def refuse(*_: object, **__: object) -> Any:
    raise ConnectionRefusedError(111, "refused")


@contextmanager
def platform(answer: tuple[int, bytes] | None) -> Generator[None]:
    """Answer every call alike, or not at all."""

    def respond(_: httpx.Request) -> httpx.Response:
        if answer is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(answer[0], content=answer[1])

    with respx.mock(assert_all_called=False) as router, without_backoff():
        router.route().mock(side_effect=respond)
        yield


class Ended(NamedTuple):
    """How a command ended, and all that it said."""

    code: object
    said: str


def run(words: list[str], answer: tuple[int, bytes] | None, folder: Path) -> Ended:
    """Run a command as a shell would, in a folder with nothing in it but these files."""
    for left in folder.iterdir():
        left.unlink()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    # As a process has them: output that can't be encoded fails, a complaint is escaped.
    out, err = (TextIOWrapper(BytesIO(), "utf-8", errors=how) for how in HOW)
    kept, sys.stdin = sys.stdin, TextIOWrapper(BytesIO(BODY), "utf-8")
    try:
        with platform(answer), redirect_stdout(out), redirect_stderr(err):
            code: object = main(words)
            out.flush()
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdin = kept
    err.flush()
    said = b"".join(each.buffer.getvalue() for each in (out, err))  # type: ignore[attr-defined]
    return Ended(code, said.decode())


HOW = ("strict", "backslashreplace")


@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(words=fitting_words() | any_words(), answer=ANSWERS)
@example(words=["usage-csv", "msb_1", "-o", "."], answer=None)
@example(words=["statements", "events", "--limit=--"], answer=None)
@example(words=["webhooks", "exam", "http://localhost:99999/"], answer=None)
@example(words=["webhooks", "exam", "http://[::1"], answer=None)
@example(words=["webhooks", "exam", "http://localhost:9/", "--probe={order}"], answer=None)
@example(words=["webhooks", "exam", "http://localhost:9/", "--restart='"], answer=None)
@example(words=["webhooks", "sign", "-", "--timestamp", "9" * 30], answer=None)
def test_no_arguments_break_the_command(
    words: list[str], answer: tuple[int, bytes] | None, folder: Path
) -> None:
    """It ends with 0, 1 or 2, without a traceback, and shows no token or secret of its own."""
    ended = run(words, answer, folder)
    assert ended.code in {0, 1, 2}
    assert "Traceback" not in ended.said
    given_by_hand = any("canary" in word for word in words)
    assert given_by_hand or "canary" not in ended.said
