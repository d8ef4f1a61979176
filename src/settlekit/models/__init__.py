"""What answers are made of: frozen attrs classes, a module a noun.

Amounts are Decimals, instants aware datetimes, states enums that accept values they
don't know.
"""

from settlekit.models.base import Model, OpenEnum, Response
from settlekit.models.checkout_session import CheckoutSession
from settlekit.models.open_period import OpenPeriod
from settlekit.models.payout import Payout, PayoutRun
from settlekit.models.platform_status import PlatformStatus
from settlekit.models.reconciliation import (
    LedgerReconciliation,
    ReconciliationSummary,
    WalletCheck,
)
from settlekit.models.rows import PayoutRow, UsageRow
from settlekit.models.settlement_batch import SettlementBatch
from settlekit.models.states import (
    AttemptStatus,
    BatchStatus,
    CheckoutStatus,
    ExecutionStatus,
    Finality,
    NoticeStatus,
    OwnerScope,
    PaymentSettlementStatus,
    PayoutStatus,
    PlanType,
    PricingBand,
    SettlementCadence,
    SettlementTrigger,
    UsageStatus,
    WalletCheckStatus,
)
from settlekit.models.summary import (
    BalanceSufficiency,
    BuyerSummary,
    PastDueBlock,
    ProviderSummary,
    RevenueTotals,
)
from settlekit.models.usage_event import UsageEvent

__all__ = [
    "AttemptStatus",
    "BalanceSufficiency",
    "BatchStatus",
    "BuyerSummary",
    "CheckoutSession",
    "CheckoutStatus",
    "ExecutionStatus",
    "Finality",
    "LedgerReconciliation",
    "Model",
    "NoticeStatus",
    "OpenEnum",
    "OpenPeriod",
    "OwnerScope",
    "PastDueBlock",
    "PaymentSettlementStatus",
    "Payout",
    "PayoutRow",
    "PayoutRun",
    "PayoutStatus",
    "PlanType",
    "PlatformStatus",
    "PricingBand",
    "ProviderSummary",
    "ReconciliationSummary",
    "Response",
    "RevenueTotals",
    "SettlementBatch",
    "SettlementCadence",
    "SettlementTrigger",
    "UsageEvent",
    "UsageRow",
    "UsageStatus",
    "WalletCheck",
    "WalletCheckStatus",
]
