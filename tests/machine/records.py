"""What the model keeps, and the numbers it goes by: minor units, instants in milliseconds."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from tests.machine.calendar import HOUR

THRESHOLD: Final = Decimal(10_000)
BANDS: Final = {"JPY": {"nano": 49, "micro": 500}, "USD": {"nano": 30, "micro": 300}}
"""The largest price of each metered band."""
FEES: Final = {
    ("JPY", "nano"): Decimal("0.2"),
    ("JPY", "micro"): Decimal(2),
    ("USD", "nano"): Decimal("0.1"),
    ("USD", "micro"): Decimal(1),
}
LEAST_STANDARD_FEE: Final = {"JPY": Decimal(30), "USD": Decimal(20)}
STANDARD_RATE: Final = Decimal("0.018")
GATE: Final = 72 * HOUR
BETWEEN_ATTEMPTS: Final = 6 * HOUR
ATTEMPTS: Final = 28
NOTICE_TRIES: Final = 25
PAST_DUE, OVER_BUDGET = "METERED_SETTLEMENT_PAST_DUE", "BUDGET_EXCEEDED"

BUCKETS: Final = {
    "settled": "settled",
    "uncollectible": "uncollectible",
    "written_off": "written_off",
    "failed": "past_due",
    "past_due": "past_due",
}
"""Where a batch's receivable counts, by its status; every other one is unsettled."""
PAUSING: Final = {"failed_retryable", "retrying", "past_due"}
FINAL: Final = {"settled", "uncollectible", "written_off"}
OPERATOR: Final = {
    "resolve": "submitted_reconcile_required",
    "requeue": "past_due",
    "give_up": "past_due",
    "redeliver_notice": "notice_delivery_failed",
}
"""Where a batch must stand (status, or execution status) for an operator's move."""
PAYOUT_STEPS: Final = {
    "approve": ("pending", "processing"),
    "mark-paid": ("processing", "paid"),
    "cancel": ("pending", "cancelled"),
    "fail": ("processing", "failed"),
}


def band_of(amount_minor: int, currency: str) -> str:
    limits = BANDS[currency]
    return next((band for band, most in limits.items() if amount_minor <= most), "standard")


@dataclass
class Buyer:
    """A buyer, with what was accepted from them in each currency, and when."""

    buyer_id: str
    zone: str
    weekly: dict[str, int]
    monthly: dict[str, int]
    vault: bool
    caps: dict[str, int | None]
    balance: dict[str, Decimal]
    allowance: dict[str, Decimal]
    spent: list[tuple[int, str, Decimal]] = field(default_factory=list)


@dataclass
class Period:
    period_id: str
    key: tuple[str, str, str, str]
    end: int
    rows: list[tuple[int, Decimal]] = field(default_factory=list)
    reached_at: int | None = None

    @property
    def gross(self) -> Decimal:
        return sum((gross for _, gross in self.rows), Decimal(0))

    @property
    def fee(self) -> Decimal:
        return len(self.rows) * FEES[self.key[2], self.key[3]]


@dataclass
class Batch:
    batch_id: str
    period: Period
    closed_at: int
    status: str = "notice_pending"
    execution: str = "scheduled"
    tries: int = 0
    attempts: int = 0
    run: int = 0
    gate: int = 0
    submitted_at: int = 0
    outcome: str = ""
    in_flight: bool = False
    expected: dict[str, int] = field(default_factory=dict)
    """What comes next and when: ``notice``, ``debit`` or ``finish``."""
    asked: str | None = None
    """The operator's move under way."""

    @property
    def buyer_id(self) -> str:
        return self.period.key[0]

    def became(self, status: str, execution: str | None = None) -> None:
        self.status, self.execution = status, execution or status
