"""Write what docs/guide/*.md show: run their commands, and list the control routes.

In a fence tagged ``console`` each line that begins with ``$`` is run, in the order of the
page, against a fresh mock whose clock is frozen; what it prints is written below it. Long
output is shown by its beginning and end. ``$BATCH`` and the like stand for the first id of
that kind in the last output that had one.
"""

import argparse
import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from settlekit.cli import main as settlekit
from settlekit_mock import MockServer, app
from settlekit_mock.cli import main as settlekit_mock
from settlekit_mock.cli.announcement import announce
from settlekit_mock.http.roles import Role

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "guide"
START = "2026-03-02T00:00:00Z"
ADDRESS = "http://127.0.0.1:8787"
MOST_LINES = 20
FIRST, LAST = 5, 3
IDS = {
    "USAGE": "mu",
    "BATCH": "msb",
    "FAULT": "fault",
    "WALLET": "wal",
    "SESSION": "chk",
    "DELIVERY": "whdel",
}
ROUTES = [route for route in app.ROUTES if route.role is Role.CONTROL]
FENCE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"(?<=<!-- routes -->\n).*?(?=<!-- end -->)", re.DOTALL)

# Each control route beside the command and the method of a mock that call it.
CALLS = {
    "GET clock": ("clock", "clock.read"),
    "POST clock/advance": ("clock advance 7d", "clock.advance"),
    "POST clock/freeze": ("clock freeze", "clock.freeze"),
    "POST clock/resume": ("clock resume", "clock.resume"),
    "POST buyers": ("buyers create", "buyers.create"),
    "GET buyers": ("buyers", "buyers.all"),
    "GET buyers/<buyer_id>": ("buyers show ID", "buyers.get"),
    "PATCH buyers/<buyer_id>": ("buyers update ID --set FIELD=VALUE", "buyers.update"),
    "POST merchants": ("merchants create KEY", "merchants.create"),
    "GET merchants": ("merchants", "merchants.all"),
    "GET merchants/<merchant>": ("merchants show KEY", "merchants.get"),
    "PATCH merchants/<merchant>": ("merchants update KEY --set FIELD=VALUE", "merchants.update"),
    "POST tokens": ("tokens buyer ID", "tokens.create"),
    "POST usage": ("usage --amount-minor 100", "usage"),
    "POST payment-events": (
        "payment-event --external-ref ch_1 --amount-cents 500",
        "payment_events.create",
    ),
    "GET events": ("events", "events"),
    "GET events/stream": ("events --follow", "follow"),
    "GET notices": ("notices", "notices.all"),
    "POST simulate/notice-failure": ("simulate notice-failure", "simulate.notice_failure"),
    "POST simulate/debit-failure": ("simulate debit-failure", "simulate.debit_failure"),
    "POST simulate/unknown-outcome": ("simulate unknown-outcome", "simulate.unknown_outcome"),
    "POST simulate/provider-outcome": (
        "simulate provider-outcome --capability-key KEY --outcome 5xx",
        "simulate.provider_outcome",
    ),
    "POST simulate/finality": ("simulate finality --seconds 60", "simulate.finality"),
    "POST simulate/ledger-mismatch": (
        "simulate ledger-mismatch --wallet ID --amount 1",
        "simulate.ledger_mismatch",
    ),
    "POST batches/<settlement_batch_id>/resolve": (
        "batch resolve ID --outcome settled",
        "batches.resolve",
    ),
    "POST batches/<settlement_batch_id>/requeue": ("batch requeue ID", "batches.requeue"),
    "POST batches/<settlement_batch_id>/terminal": (
        "batch terminal ID --status written_off --reason-code gone",
        "batches.give_up",
    ),
    "POST batches/<settlement_batch_id>/redeliver-notice": (
        "batch redeliver-notice ID",
        "batches.redeliver_notice",
    ),
    "POST checkout-sessions/<session_id>/authenticate": (
        "checkout authenticate ID",
        "checkout.authenticate",
    ),
    "POST checkout-sessions/<session_id>/cancel": (
        "checkout cancel ID",
        "checkout.cancel",
    ),
    "POST checkout-sessions/<session_id>/fail": ("checkout fail ID", "checkout.fail"),
    "POST faults": ('faults create "GET /v1/*" --kind cut_before_effect', "faults.create"),
    "GET faults": ("faults", "faults.all"),
    "DELETE faults": ("faults clear", "faults.clear"),
    "GET faults/<fault_id>": ("faults show ID", "faults.get"),
    "DELETE faults/<fault_id>": ("faults remove ID", "faults.remove"),
    "POST webhook-faults": ("webhook-faults create drop", "webhook_faults.create"),
    "GET webhook-faults": ("webhook-faults", "webhook_faults.all"),
    "DELETE webhook-faults": ("webhook-faults clear", "webhook_faults.clear"),
    "GET webhook-faults/<fault_id>": ("webhook-faults show ID", "webhook_faults.get"),
    "DELETE webhook-faults/<fault_id>": ("webhook-faults remove ID", "webhook_faults.remove"),
    "POST snapshots/<name>": ("snapshots take NAME", "snapshots.take"),
    "POST snapshots/<name>/restore": ("snapshots restore NAME", "snapshots.restore"),
    "DELETE snapshots/<name>": ("snapshots remove NAME", "snapshots.remove"),
    "GET snapshots": ("snapshots", "snapshots.all"),
    "GET usage/<usage_id>/fate": ("fate ID", "fate"),
    "GET explain/<id>": ("explain ID", "explain"),
    "GET scenarios": ("scenario", "scenarios.all"),
    "POST scenarios/<name>": ("scenario run NAME", "scenarios.play"),
    "GET check": ("check", "check"),
    "POST reset": ("reset", "reset"),
    "GET batches": ("batches", "batches.all"),
    "GET batches/<settlement_batch_id>": ("batches show ID", "batches.get"),
    "GET periods": ("periods", "periods"),
    "GET revenue": ("revenue", "revenue"),
    "GET flow": ("flow", "flow"),
    "GET deliveries": ("deliveries", "deliveries.all"),
    "POST deliveries/<delivery_id>/redeliver": (
        "deliveries redeliver ID",
        "deliveries.redeliver",
    ),
    "GET accounts": ("accounts", "accounts.all"),
    "GET accounts/<account_id>/entries": ("accounts entries ID", "accounts.entries"),
}


class Shell:
    """Runs a page's commands, one after another, in one world."""

    def __init__(self, mock: MockServer, url: str, folder: Path) -> None:
        self._mock, self._url, self._folder = mock, url, folder
        self._ids: dict[str, str] = {}

    def run(self, line: str) -> str:
        """Return what a command prints, as a reader would see it on the default port."""
        words = [self._ids.get(word.removeprefix("$"), word) for word in shlex.split(line)]
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            self._run(words)
        text = said.getvalue().replace(self._url, ADDRESS).replace(f"{self._folder}/", "")
        for name, prefix in IDS.items():
            if found := re.search(rf"\b{prefix}_[0-9a-z_]+", text):
                self._ids[name] = found[0]
        return shortened(text)

    def _run(self, words: list[str]) -> None:
        match words:
            case ["settlekit-mock", "serve", *_]:
                self._mock.world.public_url = self._url
                announce(self._mock.world, self._url, as_json=False)
            case ["settlekit-mock", *arguments]:
                settlekit_mock(arguments)
            case ["settlekit", *arguments]:
                settlekit(arguments)
            case ["echo", text, ">", name]:
                (self._folder / name).write_text(text, "utf-8")
            case _:
                raise ValueError(f"nothing here runs {words}")


def shortened(text: str) -> str:
    """Leave the middle of a long output out."""
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        lines[FIRST:-LAST] = ["…"]
    return "\n".join(line.rstrip() for line in lines)


def page_with_outputs(page: str, shell: Shell) -> str:
    """Return a page with the output of each of its commands."""

    def filled(fence: re.Match[str]) -> str:
        parts = []
        for line in fence[0].splitlines():
            if line.startswith("$ "):
                said = shell.run(line[2:])
                parts.append(f"{line}\n{said}\n" if said else f"{line}\n")
        return "".join(parts)

    return FENCE.sub(filled, page)


def page_with_routes(page: str) -> str:
    """Return a page with the table of control routes."""
    return TABLE.sub(lambda _: routes_table() + "\n", page)


def routes_table() -> str:
    """Return the table of control routes, with the command and the method of each."""
    rows = ["| route | does | command | Python |", "| --- | --- | --- | --- |"]
    for route in ROUTES:
        name = f"{route.method} {route.path.removeprefix('/_mock/')}"
        command, method = CALLS[name]
        shown = re.sub(r"<.*?>", "<id>", name)
        rows.append(f"| `{shown}` | {route.summary} | `{command}` | `mock.{method}` |")
    return "\n".join(rows)


@contextlib.contextmanager
def shell() -> Iterator[Shell]:
    """Serve a fresh mock, with the environment and the folder that commands need."""
    there, kept = Path.cwd(), dict(os.environ)
    with (
        MockServer(freeze_at=START) as mock,
        mock.serve() as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        os.environ |= {
            "SETTLEKIT_MOCK_URL": server.url,
            "SIGLUME_API_BASE": f"{server.url}/v1",
            "SIGLUME_MERCHANT_AUTH_TOKEN": mock.token("merchant"),
            "SIGLUME_WEBHOOK_SECRET": mock.world.settings.webhook_secret,
        }
        os.chdir(folder)
        try:
            yield Shell(mock, server.url, Path(folder))
        finally:
            os.chdir(there)
            os.environ.clear()
            os.environ.update(kept)


def written(page: str) -> str:
    """Return a page as it must be."""
    with shell() as runner:
        return page_with_routes(page_with_outputs(page, runner))


def comparable(page: str) -> str:
    """Leave out what may differ from one release to the next: digits of ids and tokens, sizes."""
    page = re.sub(r"([a-z]_)[0-9a-f]{12,}", r"\1…", page)
    page = re.sub(r"(?<=size_bytes=)\d+", "…", page)
    return re.sub(r"[0-9a-f]{32,}", "…", re.sub(r" {2,}", "  ", page))


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or with --check say which are out of date."""
    parser = argparse.ArgumentParser(description="Run the commands that docs/guide shows.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if out of date")
    check = parser.parse_args(arguments).check
    stale = 0
    for path in sorted(GUIDE.glob("*.md")):
        page = path.read_text("utf-8")
        wanted = written(page)
        if comparable(wanted) != comparable(page):
            stale += 1
            if check:
                print(f"docs/guide/{path.name} is out of date", file=sys.stderr)
            else:
                path.write_text(wanted, "utf-8")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
