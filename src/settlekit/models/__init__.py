"""What answers are made of: frozen attrs classes, a module a noun.

Amounts are Decimals, instants aware datetimes, states enums that accept values they
don't know.
"""

from settlekit.models.app_usage import AppUsage, DeveloperRevenue
from settlekit.models.audit import AuditEntry
from settlekit.models.base import Model, OpenEnum, Response
from settlekit.models.billing import BalanceChange, Billing, PaymentEvent
from settlekit.models.capability import CapabilityExecution, ChargedUsage
from settlekit.models.checkout_session import CheckoutSession
from settlekit.models.mandate import Mandate
from settlekit.models.merchant import (
    BillingMandate,
    CheckoutSetUp,
    HostedCheckoutReadiness,
    Merchant,
    MerchantAccount,
    MerchantMetadata,
    MerchantReadiness,
    MeteredRiskAcceptance,
    ReadinessCheck,
)
from settlekit.models.open_period import OpenPeriod
from settlekit.models.payment_requirement import (
    ExecutedTransaction,
    Finalization,
    PaymentRequirement,
    Receipt,
    TransactionRequest,
)
from settlekit.models.payout import Payout, PayoutRun
from settlekit.models.platform_status import PlatformStatus
from settlekit.models.reconciliation import LedgerReconciliation, ReconciliationSummary, WalletCheck
from settlekit.models.recurring import (
    CadenceLimit,
    Charge,
    ScheduledAuthorization,
    ScheduledExecution,
    ScheduledSlot,
    Subscription,
)
from settlekit.models.rows import PayoutRow, RevenueReportRow, UsageReportRow, UsageRow
from settlekit.models.settlement_batch import SettlementBatch
from settlekit.models.states import (
    AdjustmentKind,
    AttemptStatus,
    AuthorizationStatus,
    BatchStatus,
    BillingPlan,
    BillingStatus,
    CheckoutStatus,
    DeliveryStatus,
    Direction,
    EndpointStatus,
    ExecutionOutcome,
    ExecutionStatus,
    Finality,
    HoldStatus,
    MandateStatus,
    NoticeStatus,
    OwnerScope,
    PaymentSettlementStatus,
    PayoutStatus,
    PlanType,
    PricingBand,
    ReceiptKind,
    ReceiptStatus,
    RequirementStatus,
    RouteMode,
    SettlementCadence,
    SettlementTrigger,
    SubscriptionStatus,
    TopUpStatus,
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
from settlekit.models.top_up import TopUp
from settlekit.models.usage_event import UsageEvent
from settlekit.models.wallet import Hold, Wallet, WalletAdjustment, WalletCredit, WalletEntry
from settlekit.models.webhook import WebhookDelivery, WebhookEndpoint, WebhookEventName, WebhookTest

__all__ = [
    "AdjustmentKind",
    "AppUsage",
    "AttemptStatus",
    "AuditEntry",
    "AuthorizationStatus",
    "BalanceChange",
    "BalanceSufficiency",
    "BatchStatus",
    "Billing",
    "BillingMandate",
    "BillingPlan",
    "BillingStatus",
    "BuyerSummary",
    "CadenceLimit",
    "CapabilityExecution",
    "Charge",
    "ChargedUsage",
    "CheckoutSession",
    "CheckoutSetUp",
    "CheckoutStatus",
    "DeliveryStatus",
    "DeveloperRevenue",
    "Direction",
    "EndpointStatus",
    "ExecutedTransaction",
    "ExecutionOutcome",
    "ExecutionStatus",
    "Finality",
    "Finalization",
    "Hold",
    "HoldStatus",
    "HostedCheckoutReadiness",
    "LedgerReconciliation",
    "Mandate",
    "MandateStatus",
    "Merchant",
    "MerchantAccount",
    "MerchantMetadata",
    "MerchantReadiness",
    "MeteredRiskAcceptance",
    "Model",
    "NoticeStatus",
    "OpenEnum",
    "OpenPeriod",
    "OwnerScope",
    "PastDueBlock",
    "PaymentEvent",
    "PaymentRequirement",
    "PaymentSettlementStatus",
    "Payout",
    "PayoutRow",
    "PayoutRun",
    "PayoutStatus",
    "PlanType",
    "PlatformStatus",
    "PricingBand",
    "ProviderSummary",
    "ReadinessCheck",
    "Receipt",
    "ReceiptKind",
    "ReceiptStatus",
    "ReconciliationSummary",
    "RequirementStatus",
    "Response",
    "RevenueReportRow",
    "RevenueTotals",
    "RouteMode",
    "ScheduledAuthorization",
    "ScheduledExecution",
    "ScheduledSlot",
    "SettlementBatch",
    "SettlementCadence",
    "SettlementTrigger",
    "Subscription",
    "SubscriptionStatus",
    "TopUp",
    "TopUpStatus",
    "TransactionRequest",
    "UsageEvent",
    "UsageReportRow",
    "UsageRow",
    "UsageStatus",
    "Wallet",
    "WalletAdjustment",
    "WalletCheck",
    "WalletCheckStatus",
    "WalletCredit",
    "WalletEntry",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEventName",
    "WebhookTest",
]
