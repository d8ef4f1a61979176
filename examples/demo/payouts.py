"""The operator's turn: what is in the shop's wallets is run, approved and marked paid."""

import csv
from decimal import Decimal
from pathlib import Path

from examples.demo.money import Step
from examples.demo.stage import Stage
from settlekit.models import Payout

# The smallest amount there is: nothing that was earned stays behind.
THRESHOLD = Decimal("0.00000001")
NOTE = "checked against the statements"


def run(stage: Stage, currency: str) -> tuple[Payout, ...]:
    """Open a payout for each wallet of a currency that has something in it."""
    operations = stage.operator.operations
    if currency == "USD":
        return operations.run_payouts(threshold_usd=f"{THRESHOLD:f}").items
    return operations.run_payouts(threshold=f"{THRESHOLD:f}", currency=currency).items


def review_and_pay(stage: Stage, payout: Payout) -> tuple[Payout, Payout]:
    """Approve a payout, mark it paid, and return it as it stood after each step."""
    operations = stage.operator.operations
    approved = operations.approve_payout(payout.id, operator_note=NOTE)
    return approved, operations.mark_payout_paid(payout.id)


def save_report(stage: Stage, currency: str, folder: Path) -> Path:
    """Save the payouts of a currency as CSV."""
    path = folder / f"payouts-{currency}.csv"
    stage.operator.operations.payouts_report(currency=currency).save(path)
    return path


def reported(path: Path, currency: str) -> list[tuple[str, str, Decimal]]:
    """Read a saved report: id, status and amount in major units of each payout."""
    column = "amount_usd" if currency == "USD" else "amount"
    with path.open(encoding="utf-8", newline="") as file:
        return [
            (row["payout_id"], row["status"], Decimal(row[column])) for row in csv.DictReader(file)
        ]


def wallet_minor(step: Step, currency: str) -> Decimal:
    """Return what a step found in the shop's wallet."""
    return next(money.wallet for money in step.money if money.currency == currency)
