"""The demo plays any month, tells it, and checks what it told."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.demo import books, checks, payouts
from examples.demo.command import main

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "examples" / "demo" / "run.py"

CUSTOMERS = "customer,timezone\naiko,Asia/Tokyo\nsäm [the] cat,America/New_York\n"
SMALL = (
    "o-3,2026-03-05T09:00:00Z,aiko,web,Album,2400,JPY",
    "o-1,2026-03-02T09:00:00Z,aiko,agent,Look-up,5,JPY",
    'o 2,2026-03-02T09:00:00.250+02:00,säm [the] cat,web,"Page, scan",150,USD',
    "o-4,2026-03-09T22:59:59Z,nobody.knows,agent,Page,80,JPY",
    "o-5,2026-03-09T23:00:00Z,säm [the] cat,web,Album,1901,USD",
    "o-6,2026-03-11T09:00:00Z,aiko,web,Album,2400,JPY",
    "=o-7,2026-03-31T23:59:59Z,aiko,agent,Look-up,5,JPY",
)


def summary(told) -> dict[str, object]:
    return json.loads((told.output / "summary.json").read_text("utf-8"))


def test_small_month_is_played_and_holds(play):
    """A month in both currencies and all bands is told, and every check of it holds."""
    told = play(*SMALL, customers=CUSTOMERS)
    assert (told.code, told.err) == (0, "")
    assert "✗" not in told.out
    assert "2 lines came before an older one; now sorted." in told.out
    found = summary(told)
    assert found["orders"] == 7
    assert all(check["passed"] for check in found["checks"])


def test_money_of_a_small_month_is_what_a_person_adds_up(play):
    """Fees and receivable of a small month are those worked out by hand."""
    found = summary(play(*SMALL, customers=CUSTOMERS))
    last = {step["currency"]: step for step in found["steps"][-2:]}
    # JPY: 2 x 2400 (43.2, so 43), 80 (2), 2 x 5 (0.2); USD: 1901 (34.218, so 34), 150 (1)
    assert last["JPY"]["customers_paid_minor"] == "4890"
    assert last["JPY"]["platform_fee_minor"] == "88.4"
    assert last["JPY"]["paid_out_minor"] == "4801.6"
    assert last["USD"]["platform_fee_minor"] == "35"
    assert last["USD"]["paid_out_minor"] == "2016"


def test_files_are_written_into_the_output_alone(play, tmp_path):
    """Summaries and CSVs are all in the output's folder, which is made when it is missing."""
    before = set(tmp_path.iterdir())
    told = play(*SMALL, customers=CUSTOMERS)
    written = {path.relative_to(told.output).as_posix() for path in told.output.rglob("*.*")}
    assert {"summary.md", "summary.json", "payouts-JPY.csv", "payouts-USD.csv"} <= written
    assert sum(name.startswith("usage/usage-msb_") for name in written) == 4
    made = set(tmp_path.iterdir()) - before
    assert {path.name for path in made} == {"month.csv", "customers.csv", "out"}


def test_second_run_leaves_no_files_of_the_first(play):
    """CSVs of an earlier month don't stay among those of a later one."""
    play(*SMALL, customers=CUSTOMERS)
    told = play(SMALL[0])
    assert list(told.output.rglob("usage-*.csv")) == []
    assert summary(told)["files"] == ["payouts-JPY.csv"]


def test_narrative_is_legible_without_a_terminal(play):
    """Piped into a file the story has no colours, no lines over 96 columns, no trailing space."""
    told = play(*SMALL, customers=CUSTOMERS)
    lines = told.out.splitlines()
    assert "\x1b" not in told.out
    assert max(map(len, lines[:-1])) <= 96  # the last line names a folder
    assert [line for line in lines if line.rstrip() != line] == []
    assert [line[:2] for line in lines if line[1:2] == "."] == [f"{n}." for n in range(1, 9)]


@pytest.mark.parametrize(
    "lines",
    [
        SMALL[:1],
        SMALL[1:2],
        ("o,2026-02-28T23:59:59Z,aiko,web,Score,500,JPY",),
    ],
    ids=["one standard", "one nano", "one micro on the page"],
)
def test_smallest_months_are_played(play, lines):
    """A month of one order is a month, whatever its band, and is told in the singular."""
    told = play(*lines)
    assert (told.code, told.err) == (0, "")
    wrong = r"\b1 (orders|customers|buyers|webhooks|periods|batches|digests|pages|events)\b"
    assert re.findall(wrong, told.out) == []
    assert re.findall(wrong, (told.output / "summary.md").read_text("utf-8")) == []


def test_scope_at_its_threshold_refuses(play):
    """Orders that come while a scope is at its threshold are refused, told and left out."""
    burst = [f"b-{n},2026-03-02T09:{n:02}:00Z,aiko,agent,Part,500,JPY" for n in range(22)]
    page = "w-1,2026-03-02T10:00:00Z,aiko,web,Part,500,JPY"
    again = "w-2,2026-03-02T10:01:00Z,aiko,web,Part,500,JPY"
    later = "b-99,2026-03-20T09:00:00Z,aiko,agent,Part,500,JPY"
    told = play(*burst, page, again, later)
    assert (told.code, told.err) == (0, "")
    assert sorted(summary(told)["refused"]) == ["b-20", "b-21", "w-1", "w-2"]
    assert "4 orders came while the customer's band was at its threshold" in told.out


def test_early_close_is_told_with_its_customer_and_reason(play):
    """Whose period closed before its slot is said by name, with the sum that closed it."""
    burst = [f"b-{n},2026-03-02T09:{n:02}:00Z,aiko,agent,Part,500,JPY" for n in range(20)]
    told = " ".join(play(*burst).out.split())
    assert (
        "The micro period of aiko closed early, on 2 Mar 2026, 09:19 UTC: its orders had come to "
        "¥10,000, and at ¥10,000 a period doesn't wait for its slot."
    ) in told


def test_summary_lists_the_files(play):
    """Every CSV is linked from summary.md, with what it holds."""
    told = play(*SMALL, customers=CUSTOMERS)
    text = (told.output / "summary.md").read_text("utf-8")
    linked = re.findall(r"\]\((.*?)\)", text)
    files = [path.relative_to(told.output).as_posix() for path in told.output.rglob("*.csv")]
    assert sorted(linked) == sorted(files)
    assert " | micro | 2026-03-" in text
    assert "7 orders of 3 customers" in text
    assert "Receivable is what the shop has earned" in text


def test_columns_may_come_in_any_order(play):
    """The header says which column is which; others are passed over."""
    rows = [line.split(",") for line in SMALL if '"' not in line]
    header = "note,currency,amount_minor,item,channel,customer,placed_at,order_id\n"
    lines = "".join(",".join(["x", *reversed(row)]) + "\n" for row in rows)
    told = play(content=(header + lines).encode())
    assert (told.code, told.err) == (0, "")
    assert summary(told)["orders"] == len(rows)


def wrong_bps(patch):
    patch.setattr(books, "STANDARD_FEE_BPS", 200)


def wrong_fixed_fee(patch):
    patch.setitem(books.FIXED_FEE_MINOR, ("JPY", "nano"), books.Decimal("0.3"))


def lost_row(patch):
    whole = checks.csv_rows
    patch.setattr(checks, "csv_rows", lambda path: whole(path)[:-1])


def money_from_nowhere(patch):
    run = payouts.run

    def credited(stage, currency):
        wallets = stage.operator.operations.reconcile_ledger().items
        (wallet,) = (
            each for each in wallets if each.owner_scope == "developer" and each.currency == "JPY"
        )
        path = f"/admin/wallets/{wallet.wallet_id}/credit-test-balance"
        stage.operator.request("POST", path, json={"amount": "1", "currency": "JPY"})
        patch.setattr(payouts, "run", run)
        return run(stage, currency)

    patch.setattr(payouts, "run", credited)


@pytest.mark.parametrize(
    ("plant", "difference"),
    [
        (wrong_bps, "expected 2 for 4800, fee 96, found 2 for 4800, fee 86"),
        (wrong_fixed_fee, "expected ['88.6'], found ['88.4']"),
        (lost_row, "✗ 4 metered orders are each on one CSV row"),
        (money_from_nowhere, "'4802.6'"),
    ],
)
def test_wrong_figure_is_found(play, monkeypatch, plant, difference):
    """A figure that isn't so is shown with its difference, and ends the demo with 1."""
    with monkeypatch.context() as patch:
        plant(patch)
        told = play(*SMALL, customers=CUSTOMERS)
    assert told.code == 1
    assert difference in told.out
    assert "Some of it is not so" in told.out
    assert not all(check["passed"] for check in summary(told)["checks"])


def test_command_runs_from_anywhere(tmp_path):
    """The script runs in any folder, and its servers end without a warning."""
    (tmp_path / "month.csv").write_text(
        "order_id,placed_at,customer,channel,item,amount_minor,currency\n"
        + "\n".join(SMALL[-2:])
        + "\n",
        "utf-8",
    )
    command = [sys.executable, "-W", "error", str(SCRIPT), "--orders", "month.csv", "--output", "o"]
    result = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "All of it is so" in result.stdout


def test_example_month_is_told_as_the_readme_shows(tmp_path, capsys):
    """The example's 500 orders hold, and the README's excerpt is what the demo says of them."""
    orders = ROOT / "examples" / "data" / "orders.csv"
    assert main(["--orders", str(orders), "--output", str(tmp_path)]) == 0
    told = capsys.readouterr().out.splitlines()
    readme = (ROOT / "README.md").read_text("utf-8")
    (excerpt,) = re.findall(r"```text\n(.*?)```", readme, re.DOTALL)
    shown = [line for line in excerpt.splitlines() if line not in {"", "…"}]
    assert len(shown) > 15
    assert [line for line in shown if line not in told] == []
