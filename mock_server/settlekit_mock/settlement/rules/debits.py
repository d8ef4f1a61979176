"""Whether a batch's debit goes through, and what a failed one is called in public.

A reservation locks no tokens: what fitted when a payment was accepted may be gone when
its batch is debited.

Sources: docs/platform.md, "Budgets" and "Attempts"; docs/decisions.md, "Budgets and pauses".
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from settlekit_mock.settlement.rules.acceptance import BuyerFunds, exceeds_cap
from settlekit_mock.settlement.rules.local_time import local_day


class FailureCode(StrEnum):
    """The public codes of a failed debit, in the order in which they are looked for."""

    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    INSUFFICIENT_ALLOWANCE = "INSUFFICIENT_ALLOWANCE"
    BUDGET_VAULT_INACTIVE = "BUDGET_VAULT_INACTIVE"
    PAYOUT_CAP_EXCEEDED = "PAYOUT_CAP_EXCEEDED"
    ONCHAIN_FAILURE = "ONCHAIN_FAILURE"


class FailureReason(NamedTuple):
    """What people read about a failure: its label, and what helps."""

    label: str
    help_text: str


FAILURE_REASONS: Final[Mapping[str, FailureReason]] = MappingProxyType(
    {
        FailureCode.INSUFFICIENT_BALANCE: FailureReason(
            "Balance too low",
            "The buyer's wallet holds less than the amount due. It has to be topped up.",
        ),
        FailureCode.INSUFFICIENT_ALLOWANCE: FailureReason(
            "Allowance too low",
            "The buyer's allowance is less than the amount due. It has to be raised.",
        ),
        FailureCode.BUDGET_VAULT_INACTIVE: FailureReason(
            "Budget vault not active",
            "The buyer's budget vault pays nothing until it is active again.",
        ),
        FailureCode.PAYOUT_CAP_EXCEEDED: FailureReason(
            "Payout cap exceeded",
            "The buyer's caps have become too low for the amount due. They have to be raised.",
        ),
        FailureCode.ONCHAIN_FAILURE: FailureReason(
            "Transaction failed on the chain",
            "The network refused the transaction. Nothing was debited.",
        ),
    }
)


class Debit(NamedTuple):
    """What one batch debits, in units, and the most of it that each cap looks at."""

    gross: int
    largest_payment: int = 0
    largest_day: int = 0
    largest_month: int = 0


def debit_of(usage: Iterable[tuple[int, int]], timezone: str) -> Debit:
    """Add up a batch's usage, pairs of instant and gross, in the buyer's time zone.

    Only a buyer with caps needs it; for another, ``Debit(gross)`` says as much.
    """
    days: Counter[str] = Counter()
    months: Counter[str] = Counter()
    largest_payment = 0
    for accepted_at, gross in usage:
        day = local_day(accepted_at, timezone)
        days[day] += gross
        months[day[:7]] += gross
        largest_payment = max(largest_payment, gross)
    return Debit(
        days.total(),
        largest_payment,
        max(days.values(), default=0),
        max(months.values(), default=0),
    )


def debit_failure(funds: BuyerFunds, debit: Debit, currency: str) -> FailureCode | None:
    """Return why a debit fails when it is submitted, or None where it goes through.

    Reservations don't matter here: the tokens do. The caps in force are read again for
    what the batch holds, so unchanged caps, which let each payment in, let the debit out,
    and a cap that was lowered since may stop it.
    """
    if funds.balance < debit.gross:
        return FailureCode.INSUFFICIENT_BALANCE
    if funds.allowance < debit.gross:
        return FailureCode.INSUFFICIENT_ALLOWANCE
    if not funds.vault_active:
        return FailureCode.BUDGET_VAULT_INACTIVE
    caps = funds.caps
    capped = (
        exceeds_cap(debit.largest_payment, caps.per_payment_minor, currency)
        or exceeds_cap(debit.largest_day, caps.day_minor, currency)
        or exceeds_cap(debit.largest_month, caps.month_minor, currency)
    )
    return FailureCode.PAYOUT_CAP_EXCEEDED if capped else None
