import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import respx

from settlekit import webhooks
from settlekit.cli import main
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


def test_tables_are_plain_without_rich(
    server: respx.MockRouter, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command needs no extra to be read."""
    monkeypatch.setitem(sys.modules, "rich.console", None)
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


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("statements batch msb_0", 1, "404 HTTP_404: no such batch (request req_9)"),
        ("statements events --limit 0", 2, "limit must be a whole number from 1 to 500"),
        ("statements summary --base-url http://shop.example", 2, "base_url must be https"),
        ("usage-csv msb_1 -o /nowhere/at/all.csv", 2, "No such file or directory"),
        ("webhooks sign /nowhere", 2, "No such file or directory"),
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


@pytest.mark.parametrize("command", ["", "statements", "statements events --plan-type standard"])
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
    assert "outside the tolerance" in capsys.readouterr().err
