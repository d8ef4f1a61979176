"""The states and kinds of the wire, open to values that this version doesn't know."""

from settlekit.models.base import OpenEnum


class PlanType(OpenEnum):
    """The metered bands."""

    MICRO = "micro"
    NANO = "nano"


class PricingBand(OpenEnum):
    """How a payment is priced and settled."""

    STANDARD = "standard"
    MICRO = "micro"
    NANO = "nano"


class SettlementCadence(OpenEnum):
    """How often payments of a band settle."""

    PER_PAYMENT = "per_payment"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Finality(OpenEnum):
    """When a payment is final."""

    PER_PAYMENT_ONCHAIN = "per_payment_onchain"
    AGGREGATED_ONCHAIN_SETTLEMENT = "aggregated_onchain_settlement"


class CheckoutStatus(OpenEnum):
    """The states of a checkout session."""

    OPEN = "open"
    AUTHENTICATED = "authenticated"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether the session can't change any more."""
        return self in {
            CheckoutStatus.PAID,
            CheckoutStatus.EXPIRED,
            CheckoutStatus.CANCELLED,
            CheckoutStatus.FAILED,
        }


class PaymentSettlementStatus(OpenEnum):
    """How far the money of one payment has come."""

    PENDING_PAYMENT = "pending_payment"
    PROVISIONAL = "provisional"
    SETTLED = "settled"
    PENDING_SETTLEMENT = "pending_settlement"


class UsageStatus(OpenEnum):
    """The states of a usage event, read off its batch and its own outcome."""

    PENDING_SETTLEMENT = "pending_settlement"
    SETTLED = "settled"
    FAILED_CHARGEABLE = "failed_chargeable"
    PAST_DUE = "past_due"
    UNCOLLECTIBLE = "uncollectible"
    WRITTEN_OFF = "written_off"


class BatchStatus(OpenEnum):
    """The states of a settlement batch."""

    NOTICE_PENDING = "notice_pending"
    NOTICE_DELIVERY_FAILED = "notice_delivery_failed"
    READY = "ready"
    SUBMITTED = "submitted"
    FAILED = "failed"
    PAST_DUE = "past_due"
    SETTLED = "settled"
    UNCOLLECTIBLE = "uncollectible"
    WRITTEN_OFF = "written_off"


class ExecutionStatus(OpenEnum):
    """How far the debit of a settlement batch has come."""

    SCHEDULED = "scheduled"
    SUBMITTED = "submitted"
    SUBMITTED_RECONCILE_REQUIRED = "submitted_reconcile_required"
    FAILED_RETRYABLE = "failed_retryable"
    RETRYING = "retrying"
    PAST_DUE = "past_due"
    SETTLED = "settled"
    UNCOLLECTIBLE = "uncollectible"
    WRITTEN_OFF = "written_off"


class AttemptStatus(OpenEnum):
    """How the latest debit attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class NoticeStatus(OpenEnum):
    """Whether the buyer has been told of a debit."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class SettlementTrigger(OpenEnum):
    """Why a period closed."""

    AMOUNT_THRESHOLD = "amount_threshold"
    SCHEDULED_CLOSE = "scheduled_close"


class PayoutStatus(OpenEnum):
    """The states of a payout."""

    PENDING = "pending"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class WalletCheckStatus(OpenEnum):
    """Whether a wallet's balance is what its entries add up to."""

    BALANCED = "balanced"
    MISMATCH = "mismatch"


class OwnerScope(OpenEnum):
    """Whose wallet it is."""

    PLATFORM = "platform"
    PROVIDER_COST = "provider_cost"
    DEVELOPER = "developer"
    END_USER = "end_user"


class RequirementStatus(OpenEnum):
    """The states of a payment requirement."""

    REQUIRES_PAYMENT = "requires_payment"
    CONFIRMED = "confirmed"
    SPENT = "spent"
    EXPIRED = "expired"
    FAILED = "failed"


class ReceiptKind(OpenEnum):
    """What a prepared transaction does."""

    PAYMENT = "sdrp_direct_payment"
    ALLOWANCE = "sdrp_direct_payment_allowance"


class ReceiptStatus(OpenEnum):
    """How far what a receipt proves has come."""

    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    SETTLED = "settled"


class BillingPlan(OpenEnum):
    """The plans, which set the fee of standard payments; ``free`` is an old name of launch."""

    LAUNCH = "launch"
    FREE = "free"
    STARTER = "starter"
    GROWTH = "growth"
    PRO = "pro"


class BillingStatus(OpenEnum):
    """Where a merchant stands with its monthly fee."""

    SETUP_REQUIRED = "setup_required"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"


class MandateStatus(OpenEnum):
    """The states of a mandate."""

    ACTIVE = "active"
    APPROVAL_REQUIRED = "approval_required"
    CANCELLED = "cancelled"


class SubscriptionStatus(OpenEnum):
    """The states of a subscription."""

    CREATED = "created"


class AuthorizationStatus(OpenEnum):
    """The states of a scheduled authorization."""

    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


class ExecutionOutcome(OpenEnum):
    """How the provider behind a capability ended its work."""

    SUCCESS = "2xx"
    CLIENT_ERROR = "4xx"
    SERVER_ERROR = "5xx"
    TIMEOUT = "timeout"
    CLIENT_DISCONNECT = "client_disconnect"
    FAILED_CHARGEABLE = "failed_chargeable"


class EndpointStatus(OpenEnum):
    """Whether events are delivered to an endpoint."""

    ACTIVE = "active"
    PAUSED = "paused"


class DeliveryStatus(OpenEnum):
    """The states of a webhook's delivery."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"


class HoldStatus(OpenEnum):
    """Whether a hold keeps a wallet from paying out."""

    ACTIVE = "active"
    RELEASED = "released"


class AdjustmentKind(OpenEnum):
    """Why an operator moves a wallet's balance."""

    ADJUSTMENT = "adjustment"
    REFUND = "refund"
    CHARGEBACK = "chargeback"


class Direction(OpenEnum):
    """Which way money moves."""

    CREDIT = "credit"
    DEBIT = "debit"


class RouteMode(OpenEnum):
    """Whose key a call to a model used, which decides how it is priced."""

    PLATFORM = "platform"
    DEVELOPER_KEY = "developer_key"
    BYOK = "byok"
    LOCAL = "local"


class TopUpStatus(OpenEnum):
    """The states of a top-up."""

    PENDING = "pending"
    CREDITED = "credited"


class PlatformState(OpenEnum):
    """Whether the platform works."""

    OPERATIONAL = "operational"


class MerchantStatus(OpenEnum):
    """The states of a merchant's account."""

    ACTIVE = "active"


class ReadinessStatus(OpenEnum):
    """Whether hosted checkout waits for something that the merchant must do."""

    READY = "ready"
    ACTION_REQUIRED = "action_required"


class FinalizationStatus(OpenEnum):
    """Whether what was executed is final; accepted usage is once its batch settles."""

    FINALIZED = "finalized"
    ACCEPTED = "accepted"


class ScheduledExecutionStatus(OpenEnum):
    """What became of an ordered run."""

    EXECUTED = "executed"


class AdjustmentStatus(OpenEnum):
    """What became of an adjustment."""

    APPLIED = "applied"
