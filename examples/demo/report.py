"""Write what the demo found: ``summary.md`` for people, ``summary.json`` for programs."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from examples.demo.books import Sum, sums_by_band
from examples.demo.evidence import Check, Evidence
from examples.demo.money import COLUMNS, LEGEND, Step, payout_minor, plain, shown
from examples.demo.words import count, verb

BAND_COLUMNS = ("currency", "band", "orders", "gross", "fee", "receivable")
FILE_COLUMNS = ("file", "band", "closed", "status", "rows", "gross", "fee", "receivable")
CSV_PATTERNS = ("usage-msb_*.csv", "payouts-???.csv")


class BadOutput(Exception):
    """A folder that can't be written to; its text is one line."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where files go: all of them under one folder."""

    folder: Path

    @property
    def usage_folder(self) -> Path:
        """Where the batches' CSVs go."""
        return self.folder / "usage"

    def prepare(self) -> None:
        """Make the folders, without the CSVs of an earlier run."""
        try:
            self.usage_folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.folder, self.usage_folder):
                probe = folder / ".probe"
                probe.touch()
                probe.unlink()
                for pattern in CSV_PATTERNS:
                    for old in folder.glob(pattern):
                        old.unlink()
        except OSError as error:
            raise BadOutput(f"{self.folder}: it can't be written ({error.strerror})") from None


def write_summary(
    output: Output, evidence: Evidence, steps: Sequence[Step], checks: Sequence[Check]
) -> None:
    """Write both summaries."""
    sums = sums_by_band(evidence.lines)
    (output.folder / "summary.md").write_text(_markdown(evidence, sums, steps, checks), "utf-8")
    (output.folder / "summary.json").write_text(
        json.dumps(_json(output, evidence, sums, steps, checks), indent=2) + "\n", "utf-8"
    )


def _markdown(
    evidence: Evidence,
    sums: dict[tuple[str, str], Sum],
    steps: Sequence[Step],
    checks: Sequence[Check],
) -> str:
    month, statements = evidence.month, evidence.statements
    first, last = month.orders[0].placed_at, month.orders[-1].placed_at
    refused = len(evidence.outcome.refused)
    bought = (
        f"{count(len(month.orders), 'order')} of {count(len(month.customers), 'customer')}, "
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d}; {refused or 'none'} {verb(refused, 'was', 'were')} "
        "refused."
    )
    batches = (
        f"{count(len(statements.batches), 'batch', 'batches')} with "
        f"{count(len(statements.usage_events), 'usage event')}. A batch is one customer's closed "
        "period; its CSV has a row for each usage event."
    )
    parts = [
        "# The month in figures",
        bought,
        "## What was bought",
        _table(BAND_COLUMNS, band_rows(sums), words=2),
        "## Where the money was",
        " ".join(LEGEND),
        _table(("step", *COLUMNS), money_rows(steps), words=1),
        "## Batches",
        batches,
        _table(FILE_COLUMNS, _usage_files(evidence), words=4),
        "## Payouts",
        _table(("file", "payouts", "paid"), _payout_files(evidence), words=1),
        "## Checks",
        "\n".join(_check_line(check) for check in checks),
    ]
    return "\n\n".join(parts) + "\n"


def band_rows(sums: dict[tuple[str, str], Sum]) -> list[tuple[str, ...]]:
    """Return the sums by currency and band as rows of text."""
    return [
        (
            currency,
            band,
            str(amount.count),
            shown(amount.gross_minor, currency),
            shown(amount.fee_minor, currency),
            shown(amount.receivable_minor, currency),
        )
        for (currency, band), amount in sums.items()
    ]


def _usage_files(evidence: Evidence) -> list[tuple[str, ...]]:
    rows_by_batch = Counter(event.settlement_batch_id for event in evidence.statements.usage_events)
    return [
        (
            _link(f"usage/{evidence.statements.csv_paths[batch.settlement_batch_id].name}"),
            str(batch.plan_type),
            "" if batch.close_at is None else f"{batch.close_at:%Y-%m-%d}",
            str(batch.status),
            str(rows_by_batch[batch.settlement_batch_id]),
            shown(batch.provider_gross_amount_minor, batch.currency),
            shown(batch.protocol_fee_minor, batch.currency),
            shown(batch.provider_receivable_minor, batch.currency),
        )
        for batch in reversed(evidence.statements.batches)
    ]


def _payout_files(evidence: Evidence) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for currency, path in evidence.report_paths.items():
        paid = [
            amount_minor
            for code, amount_minor in map(payout_minor, evidence.payouts)
            if code == currency
        ]
        found.append((_link(path.name), str(len(paid)), shown(sum(paid, Decimal(0)), currency)))
    return found


def _link(name: str) -> str:
    return f"[{name}]({name})"


def money_rows(steps: Sequence[Step]) -> list[tuple[str, ...]]:
    """Return the steps as rows of text, a row a currency."""
    return [
        (
            f"{step.title}, {money.currency}",
            *(shown(amount, money.currency) for amount in money.amounts),
        )
        for step in steps
        for money in step.money
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    marks = ["---" if number < words else "---:" for number in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, marks, *rows))


def _check_line(check: Check) -> str:
    if check.difference is None:
        return f"- ✓ {check.title}"
    return f"- ✗ {check.title}: {check.difference}"


def _json(
    output: Output,
    evidence: Evidence,
    sums: dict[tuple[str, str], Sum],
    steps: Sequence[Step],
    checks: Sequence[Check],
) -> dict[str, Any]:
    return {
        "orders": len(evidence.month.orders),
        "refused": evidence.outcome.refused,
        "bands": [
            {
                "currency": currency,
                "band": band,
                "orders": amount.count,
                "gross_minor": plain(amount.gross_minor),
                "fee_minor": plain(amount.fee_minor),
                "receivable_minor": plain(amount.receivable_minor),
            }
            for (currency, band), amount in sums.items()
        ],
        "steps": [
            {"step": step.title, "currency": money.currency}
            | {
                f"{name.replace(' ', '_')}_minor": plain(amount)
                for name, amount in zip(COLUMNS, money.amounts, strict=True)
            }
            for step in steps
            for money in step.money
        ],
        "batches": len(evidence.statements.batches),
        "usage_events": len(evidence.statements.usage_events),
        "payouts": [payout.id for payout in evidence.payouts],
        "checks": [
            {
                "check": check.title,
                "passed": check.difference is None,
                "difference": check.difference,
            }
            for check in checks
        ],
        "files": sorted(
            str(path.relative_to(output.folder)) for path in output.folder.rglob("*.csv")
        ),
    }
