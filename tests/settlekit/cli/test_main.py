import argparse
import io
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import respx

from settlekit import webhooks
from settlekit.cli import main
from settlekit.cli.main import _parser
from settlekit.models import BatchStatus
from tests.settlekit import wire
from tests.settlekit.test_csv import body, cells

BASE = "http://localhost:8787/v1"
PROVIDER = f"{BASE}/sdrp/metered/provider"
EVENT = {
    "id": "evt_1",
    "type": "direct_payment.spent",
    "api_version": "2026-06-20",
    "occurred_at": "2026-03-01T00:00:00.000Z",
    "data": {},
}


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGLUME_AUTH_TOKEN", "tok_canary")
    monkeypatch.setenv("SIGLUME_API_BASE", BASE)
    monkeypatch.setenv("SIGLUME_WEBHOOK_SECRET", "whsec_canary")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def server() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        router.get(f"{PROVIDER}/summary").respond(content=wire.enveloped(wire.provider_summary()))
        events = [wire.usage_event(number) for number in range(3)]
        router.get(f"{PROVIDER}/usage-events").respond(content=wire.page(events, "more"))
        batch = wire.settlement_batch()
        router.get(f"{PROVIDER}/settlement-batches").respond(content=wire.page([batch]))
        router.get(f"{PROVIDER}/settlement-batches/msb_1").respond(content=wire.enveloped(batch))
        router.get(f"{PROVIDER}/settlement-batches/msb_1/usage-events.csv").respond(
            content=body([cells(number) for number in range(7)])
        )
        router.get(f"{PROVIDER}/settlement-batches/msb_0").respond(
            404, content=wire.refusal("HTTP_404", "no such batch")
        )
        yield router


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("statements summary", ["settled", "98", "past due"]),
        ("statements events --limit 2", ["mu_000000000001", "100", "pending_settlement"]),
        ("statements batches --plan-type micro", ["msb_000000000001", "settled"]),
        ("statements batch msb_1", ["usage_event_digest", "sha256:0000"]),
    ],
)
def test_statements_are_tables_for_people(
    server: respx.MockRouter, capsys: pytest.CaptureFixture[str], command: str, shown: list[str]
) -> None:
    """Each statement prints its rows and ends with 0."""
    assert main(command.split()) == 0
    said = capsys.readouterr().out
    assert [text for text in shown if text not in said] == []


@pytest.mark.parametrize(
    ("command", "count"),
    [("statements events --limit 2", 2), ("statements events --limit 3", 3)],
)
def test_a_limit_bounds_the_rows(
    server: respx.MockRouter, capsys: pytest.CaptureFixture[str], command: str, count: int
) -> None:
    """No more rows than asked for, and no page that isn't needed."""
    assert main([*command.split(), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == count
    assert server.calls.call_count == 1


def test_json_is_the_wire_form(
    server: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs get what the platform said."""
    assert main(["statements", "batch", "msb_1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == wire.settlement_batch()


def test_tables_are_plain(server: respx.MockRouter, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are aligned, with nothing around them."""
    assert main(["statements", "summary"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "bucket         receivable (minor units)",
        "settled        98",
    ]


def test_a_batchs_rows_are_saved(
    server: respx.MockRouter, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The file as it came, and what it hashes to."""
    path = tmp_path / "usage.csv"
    assert main(["usage-csv", "msb_1", "-o", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert path.read_bytes() == body([cells(number) for number in range(7)])
    assert (told["rows"], told["file"]) == (7, str(path))
    assert told["usage_event_digest"].startswith("sha256:")


def test_a_batchs_rows_are_printed(
    server: respx.MockRouter,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With - the file goes to standard output and nothing else does; no file of that name is made."""
    monkeypatch.chdir(tmp_path)
    assert main(["usage-csv", "msb_1", "-o", "-"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == body([cells(number) for number in range(7)])
    assert err.startswith(b"7 rows in -, sha256:")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("statements batch msb_0", 1, "404 HTTP_404: no such batch (request req_9)"),
        ("statements summary --base-url http://shop.example", 2, "base_url must be https"),
        ("usage-csv msb_1 -o /nowhere/at/all.csv", 2, "/nowhere/at/all.csv: there is no such file"),
        ("usage-csv msb_1 -o /", 2, "/: it is a folder; name a file"),
        ("usage-csv msb_1 -o /dev/null/usage.csv", 2, "/dev/null/usage.csv: a part of the path is"),
        ("webhooks sign /nowhere", 2, "/nowhere: there is no such file or folder; check the path"),
    ],
)
def test_an_error_is_one_clear_line(
    server: respx.MockRouter,
    capsys: pytest.CaptureFixture[str],
    command: str,
    code: int,
    said: str,
) -> None:
    """1 for a finding, 2 for a mistake in the call; no traceback, no secret."""
    assert main(command.split()) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1
    assert "canary" not in captured.err + captured.out
    assert "[Errno" not in captured.err


@pytest.mark.parametrize(
    "command",
    [
        "",
        "statements",
        "statements events --plan-type standard",
        "statements events --limit 0",
        "statements events --limit ten",
        "statements batches --status open",
    ],
)
def test_a_call_that_makes_no_sense_ends_with_2(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """The parser says how to call it."""
    with pytest.raises(SystemExit) as caught:
        main(command.split())
    assert caught.value.code == 2
    assert "usage: settlekit" in capsys.readouterr().err


def test_without_settings_it_says_what_to_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A token for statements, a secret for webhooks."""
    monkeypatch.delenv("SIGLUME_AUTH_TOKEN")
    monkeypatch.delenv("SIGLUME_WEBHOOK_SECRET")
    (tmp_path / "body").write_bytes(b"{}")
    assert main(["statements", "summary"]) == 2
    assert main(["webhooks", "sign", str(tmp_path / "body")]) == 2
    said = capsys.readouterr().err
    assert "SIGLUME_AUTH_TOKEN" in said
    assert "SIGLUME_WEBHOOK_SECRET" in said


def test_a_signed_body_verifies(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What sign prints, verify takes, and it says what the event means."""
    path = tmp_path / "body.json"
    path.write_text(json.dumps(EVENT))
    assert main(["webhooks", "sign", str(path)]) == 0
    header = capsys.readouterr().out.strip()
    assert main(["webhooks", "verify", str(path), "--header", header, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "event_id": "evt_1",
        "kind": "unknown",
        "reason": "not_direct_payment_confirmed",
    }


def test_a_body_may_come_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its raw bytes, as they are."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    assert main(["webhooks", "sign", "-", "--timestamp", "5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "header": "Siglume-Signature",
        "value": webhooks.sign(b"\xff", "whsec_canary", timestamp=5),
    }


def test_a_signature_that_does_not_hold_is_a_finding(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit code 1, and the reason in one line."""
    path = tmp_path / "body.json"
    path.write_bytes(b"{}")
    header = webhooks.sign(b"{}", "whsec_canary", timestamp=5)
    assert main(["webhooks", "verify", str(path), "--header", header]) == 1
    assert "and the tolerance is 300" in capsys.readouterr().err


def test_a_program_reads_why_a_signature_does_not_hold(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With --json the findings are on standard output, their codes to branch by."""
    path = tmp_path / "body.json"
    path.write_bytes(b"{}")
    header = webhooks.sign(b"{}", "whsec_canary", timestamp=5)
    assert main(["webhooks", "verify", str(path), "--header", header, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verified"], told["reason"]) == (False, "stale")
    assert [finding["code"] for finding in told["findings"]] == ["clock_skew"]


@pytest.mark.parametrize(
    ("sent", "arrived", "told"),
    [
        (b'{"b":1,"a":2}', b'{"b": 1, "a": 2}', "JSON was parsed and written again: it first"),
        (b'{"b":1}', b'{"b":1}\n', "a line end was added, lost or changed: it first"),
        (b'{"b":1}\n', b'{"b":1}', "a line end was added, lost or changed: it first"),
        (b'{"b":1}', b'\xef\xbb\xbf{"b":1}', "a byte order mark was added or lost: it first"),
        ('{"b":"é"}'.encode(), '{"b":"é"}'.encode("latin-1"), "another charset than UTF-8"),
    ],
    ids=["written again", "newline", "lost newline", "mark", "charset"],
)
@pytest.mark.parametrize("original", [True, False], ids=["original", "arrived alone"])
def test_verify_says_what_befell_a_body(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    sent: bytes,
    arrived: bytes,
    told: str,
    *,
    original: bool,
) -> None:
    """Whether it is shown what was sent or not, and without the secret."""
    (tmp_path / "sent").write_bytes(sent)
    (tmp_path / "arrived").write_bytes(arrived)
    header = webhooks.sign(sent, "whsec_canary", timestamp=int(time.time()))
    more = ["--original", str(tmp_path / "sent")] if original else []
    assert main(["webhooks", "verify", str(tmp_path / "arrived"), "--header", header, *more]) == 1
    said = capsys.readouterr().err
    assert told in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("header", "secret", "told"),
    [
        ("t={t},v1={v1}", "whsec_another", "no secret given made this signature"),
        ("t={t},v1={v1}", " whsec_ca nary", "stray white space or quotes"),
        ("t={t},v1={v1},t={t},v1={v1}", "whsec_canary", "the header is there twice"),
        ("t={t},v1={v1:.40}", "whsec_canary", "a v1 has 40 of 64 digits"),
        ("v1={v1}", "whsec_canary", "the header has no t="),
        ("", "whsec_canary", "there is no signature header"),
    ],
    ids=["another secret", "white space", "doubled", "cut", "no time", "missing"],
)
def test_verify_says_what_is_wrong_with_a_header_or_secret(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    header: str,
    secret: str,
    told: str,
) -> None:
    """Exit code 1 and one line, in which no secret stands."""
    monkeypatch.setenv("SIGLUME_WEBHOOK_SECRET", secret)
    path = tmp_path / "body.json"
    path.write_text(json.dumps(EVENT))
    stamp = int(time.time())
    signed = webhooks.sign(path.read_bytes(), "whsec_canary", timestamp=stamp)
    given = header.format(t=stamp, v1=signed.partition("v1=")[2])
    assert main(["webhooks", "verify", str(path), "--header", given]) == 1
    said = capsys.readouterr().err
    assert told in said
    assert "canary" not in said
    assert secret not in said


def test_a_status_that_is_none_is_answered_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nobody has to look them up."""
    with pytest.raises(SystemExit):
        main(["statements", "batches", "--status", "open"])
    said = capsys.readouterr().err
    assert [status for status in BatchStatus if status not in said] == []


# -- whose token -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("merchant", "token"),
    [("tok_merchant", "tok_merchant"), ("", "tok_canary"), (None, "tok_canary")],
)
def test_a_provider_is_asked_for_by_the_merchants_token(
    server: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, merchant: str | None, token: str
) -> None:
    """A shop has the buyer's token in its environment too; it opens no provider's statement."""
    if merchant is not None:
        monkeypatch.setenv("SIGLUME_MERCHANT_AUTH_TOKEN", merchant)
    assert main(["statements", "summary"]) == 0
    assert server.calls.last.request.headers["authorization"] == f"Bearer {token}"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_named_by_its_variable(
    server: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
) -> None:
    """Commands take the merchant's token first, and say so where it is refused; one line."""
    monkeypatch.setenv("SIGLUME_MERCHANT_AUTH_TOKEN", "tok_canary_of_a_merchant")
    server.get(f"{PROVIDER}/summary").respond(status, content=wire.refusal("NO", "not you"))
    assert main(["statements", "summary"]) == 1
    said = capsys.readouterr().err
    assert said.endswith(
        "not you (request req_9); the token is from SIGLUME_MERCHANT_AUTH_TOKEN "
        "(SIGLUME_AUTH_TOKEN is set too, and not used)\n"
    )
    assert "canary" not in said


# -- what a server says ------------------------------------------------------------------


def test_a_server_that_does_not_answer_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The address is in the message, and that it has no /v1."""
    with respx.mock() as router:
        router.get("http://localhost:1/sdrp/metered/provider/summary").mock(
            side_effect=httpx.ConnectError("[Errno 111] Connection refused")
        )
        assert main(["statements", "summary", "--base-url", "http://localhost:1"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "settlekit: http://localhost:1 doesn't answer (ConnectError: Connection refused); the "
        "address has no /v1, try --base-url http://localhost:1/v1; start it, or name another "
        "with --base-url or SIGLUME_API_BASE"
    )


@pytest.mark.parametrize(("status", "body"), [(404, b"nope"), (200, b"<html>")])
def test_an_address_without_its_version_is_told(
    capsys: pytest.CaptureFixture[str], status: int, body: bytes
) -> None:
    """A server that knows no such page is most often an address without /v1."""
    with respx.mock() as router:
        router.get("http://localhost:1/sdrp/metered/provider/summary").respond(status, content=body)
        assert main(["statements", "summary", "--base-url", "http://localhost:1/"]) == 1
    assert "try --base-url http://localhost:1/v1" in capsys.readouterr().err


def test_control_characters_of_a_server_reach_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither its refusals nor its rows can move a cursor or hide a text."""
    batch = wire.settlement_batch() | {"failure_label": "\x1b[2J\x9b\u202e\x7f\n名前"}
    with respx.mock(assert_all_called=False) as router:
        router.get(f"{PROVIDER}/settlement-batches/msb_0").respond(
            404, content=wire.refusal("HTTP_404", "\x1b[2J\x7fgone")
        )
        router.get(f"{PROVIDER}/settlement-batches/msb_1").respond(content=wire.enveloped(batch))
        assert main(["statements", "batch", "msb_0"]) == 1
        assert "\\u001b[2J\\u007fgone" in capsys.readouterr().err
        assert main(["statements", "batch", "msb_1"]) == 0
        assert "\\u001b[2J\\u009b\\u202e\\u007f\\n名前" in capsys.readouterr().out
        assert main(["statements", "batch", "msb_1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == batch


# -- width -------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [20, 80, 200])
@pytest.mark.parametrize("command", ["events --limit 3", "batches", "batch msb_1"])
def test_nothing_is_shortened_on_a_terminal(
    server: respx.MockRouter,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    command: str,
) -> None:
    """Every value is whole, on a line of its own where the terminal is narrow."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((columns, 24)))
    assert main(["statements", *command.split()]) == 0
    said = capsys.readouterr().out
    shown = {"metered_usage_id", "created_at", "provider_gross_amount_minor"}
    values = wire.usage_event()
    if "batch" in command:
        shown = {"settlement_batch_id", "close_at", "status"}
        values = wire.settlement_batch()
    assert [name for name in shown if values[name] not in said] == []
    assert "…" not in said


def test_a_terminal_has_its_headings_in_bold(
    server: respx.MockRouter, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where rich is installed it draws the table; without it the same words come plain."""
    pytest.importorskip("rich")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((200, 24)))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(["statements", "batches"]) == 0
    drawn = capsys.readouterr().out
    assert drawn.startswith("\x1b[1m")
    monkeypatch.setitem(sys.modules, "rich.table", None)
    assert main(["statements", "batches"]) == 0
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[\d*m", "", drawn).split() == plain.split()


def test_a_narrow_terminal_has_one_record_under_another(
    server: respx.MockRouter, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line a value, and a blank line between records."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((60, 24)))
    assert main(["statements", "events", "--limit", "3"]) == 0
    first, *others = capsys.readouterr().out.split("\n\n")
    assert len(others) == 2
    assert first.splitlines()[0].split() == ["id", "mu_000000000000"]
    assert [line.split()[0] for line in first.splitlines()][-1] == "status"


def test_whoever_reads_a_pipe_gets_whole_lines(
    server: respx.MockRouter, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No width limits what isn't shown on a terminal."""
    monkeypatch.setenv("COLUMNS", "20")
    assert main(["statements", "batch", "msb_1"]) == 0
    assert wire.settlement_batch()["usage_event_digest"] in capsys.readouterr().out


# -- help --------------------------------------------------------------------------------


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


COMMANDS = {parser.prog: parser for parser in parsers(_parser())}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str) -> None:
    """A description, and a help for each option, with its default where it has one."""
    parser = COMMANDS[name]
    assert parser.description
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            assert action.help, action.dest
            if action.option_strings and action.default not in (None, False, "==SUPPRESS=="):
                default = str(action.default).removesuffix(".0")
                told = action.help % {"default": default}
                assert f"default: {default})" in told, action.dest
