"""Whether a metered payment is accepted, and whether it closes its period.

Sources: docs/platform.md, "Slots and closing", "Exposure and pauses" and "Budgets";
docs/decisions.md, "Budgets and pauses".
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from settlekit_mock.kernel.money import LIMIT
from settlekit_mock.settlement.rules.amounts import UNITS_PER_MINOR

SETTLEMENT_THRESHOLD_MINOR: Final = 10_000
"""Closes a period and pauses a scope: 10,000 yen or 100.00 dollars."""


class ScopeState(NamedTuple):
    """What a scope has run up, in units, and how many of its batches pause it.

    ``exposure`` is the gross of the open period and of all batches not settled,
    uncollectible or written off; ``open_gross`` is the open period's part of it.
    """

    exposure: int = 0
    open_gross: int = 0
    paused_batches: int = 0


class Caps(NamedTuple):
    """The most a buyer lets through, in minor units of the payment's currency; None: no cap."""

    per_payment_minor: int | None = None
    day_minor: int | None = None
    month_minor: int | None = None


NO_CAPS: Final = Caps()


class BuyerFunds(NamedTuple):
    """A buyer's means in one currency, in units.

    ``reserved`` is the gross accepted and not yet settled or given up. ``spent_today`` and
    ``spent_this_month`` are what was accepted in the buyer's own day and month.
    """

    balance: int
    allowance: int
    reserved: int = 0
    vault_active: bool = True
    caps: Caps = NO_CAPS
    spent_today: int = 0
    spent_this_month: int = 0


class Reason(StrEnum):
    """Why a payment is refused, in the order in which the reasons are looked for."""

    BATCH_PAST_DUE = "batch_past_due"
    EXPOSURE = "exposure"
    VAULT_INACTIVE = "vault_inactive"
    PER_PAYMENT_CAP = "per_payment_cap"
    DAY_CAP = "day_cap"
    MONTH_CAP = "month_cap"
    BALANCE = "balance"
    ALLOWANCE = "allowance"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The payment is accepted; ``closes_period`` where it reaches the threshold."""

    closes_period: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The payment is refused with an error code and an HTTP status; nothing is recorded."""

    code: str
    status: int
    reason: Reason
    message: str


ACCEPTED: Final = Accepted(closes_period=False)
ACCEPTED_AND_CLOSED: Final = Accepted(closes_period=True)


def _paused(reason: Reason, message: str) -> Refused:
    return Refused("METERED_SETTLEMENT_PAST_DUE", 409, reason, message)


def _over_budget(reason: Reason, message: str) -> Refused:
    return Refused("BUDGET_EXCEEDED", 402, reason, message)


PAUSED_BY_BATCH: Final = _paused(
    Reason.BATCH_PAST_DUE, "a settlement of this buyer with this provider has failed or is past due"
)
PAUSED_BY_EXPOSURE: Final = _paused(
    Reason.EXPOSURE, "what this buyer owes this provider has reached the settlement threshold"
)
VAULT_INACTIVE: Final = _over_budget(Reason.VAULT_INACTIVE, "the buyer's budget vault isn't active")
OVER_PER_PAYMENT_CAP: Final = _over_budget(
    Reason.PER_PAYMENT_CAP, "the amount is above the buyer's cap for one payment"
)
OVER_DAY_CAP: Final = _over_budget(
    Reason.DAY_CAP, "the amount doesn't fit the buyer's cap for the day"
)
OVER_MONTH_CAP: Final = _over_budget(
    Reason.MONTH_CAP, "the amount doesn't fit the buyer's cap for the month"
)
OVER_BALANCE: Final = _over_budget(
    Reason.BALANCE, "the amount doesn't fit the buyer's balance, less what is reserved"
)
OVER_ALLOWANCE: Final = _over_budget(
    Reason.ALLOWANCE, "the amount doesn't fit the buyer's allowance, less what is reserved"
)


def decide(scope: ScopeState, funds: BuyerFunds, gross: int, currency: str) -> Accepted | Refused:
    """Decide on one metered payment of ``gross`` units.

    A pause is looked for before the budget: a scope that accrues nothing asks for no funds.
    """
    refused = pause_of(scope, currency) or budget_refusal(funds, gross, currency)
    if refused is not None:
        return refused
    if scope.open_gross + gross >= settlement_threshold(currency):
        return ACCEPTED_AND_CLOSED
    return ACCEPTED


def settlement_threshold(currency: str) -> int:
    """Return the threshold in units."""
    return SETTLEMENT_THRESHOLD_MINOR * UNITS_PER_MINOR[currency]


def pause_of(scope: ScopeState, currency: str) -> Refused | None:
    """Return why a scope accrues nothing now, or None where it does."""
    if scope.paused_batches:
        return PAUSED_BY_BATCH
    return PAUSED_BY_EXPOSURE if scope.exposure >= settlement_threshold(currency) else None


def budget_refusal(funds: BuyerFunds, gross: int, currency: str) -> Refused | None:
    """Return why a payment doesn't fit a buyer's budget, or None where it does.

    It fits balance and allowance beside everything reserved before it.
    """
    if not funds.vault_active:
        return VAULT_INACTIVE
    if funds.spent_this_month + gross > LIMIT:  # no cap, and yet no number beyond it
        return OVER_MONTH_CAP
    if funds.caps != NO_CAPS and (refused := _cap_refusal(funds, gross, currency)):
        return refused
    if funds.balance - funds.reserved < gross:
        return OVER_BALANCE
    return OVER_ALLOWANCE if funds.allowance - funds.reserved < gross else None


def _cap_refusal(funds: BuyerFunds, gross: int, currency: str) -> Refused | None:
    caps = funds.caps
    if exceeds_cap(gross, caps.per_payment_minor, currency):
        return OVER_PER_PAYMENT_CAP
    if exceeds_cap(funds.spent_today + gross, caps.day_minor, currency):
        return OVER_DAY_CAP
    if exceeds_cap(funds.spent_this_month + gross, caps.month_minor, currency):
        return OVER_MONTH_CAP
    return None


def exceeds_cap(amount: int, cap_minor: int | None, currency: str) -> bool:
    """Say whether units are more than a cap in minor units; None is no cap."""
    return cap_minor is not None and amount > cap_minor * UNITS_PER_MINOR[currency]
