"""What the merchant routes answer: an account, its mandate, its readiness."""

from typing import Any, Literal

from settlekit.money import TOKENS
from settlekit_mock.http.wire import Answer, Currency, Timestamp, Token
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.payments.rules.merchants import ATTESTATION_VERSION
from settlekit_mock.payments.rules.readiness import BILLING_BLOCKERS, STEPS, Readiness
from settlekit_mock.payments.tables import Merchant
from settlekit_mock.settlement.rules.acceptance import SETTLEMENT_THRESHOLD_MINOR
from settlekit_mock.settlement.rules.amounts import SETTLEMENT_FEE_MIN_MINOR, plan_named

BillingStatus = Literal["setup_required", "active", "past_due", "suspended"]
MandateStatus = Literal["active", "approval_required"]


class Thresholds(Answer, frozen=True, kw_only=True):
    """The exposure, in minor units, at which a scope settles early and pauses."""

    JPY: int
    USD: int


class RiskAcceptance(Answer, frozen=True, kw_only=True):
    """The receipt of a merchant's acceptance of metered risk."""

    terms_version: str
    accepted_at: Timestamp
    principal_user_id: str
    receipt_id: str
    thresholds: Thresholds


class AccountMetadata(Answer, frozen=True, kw_only=True):
    """What a merchant agreed to and allowed."""

    metered_risk_acceptance: RiskAcceptance | None
    checkout_allowed_origins: list[str]
    allowed_currencies: list[Currency]
    webhook_callback_url: str | None
    sandbox_session_id: str | None
    sandbox_confirmed_at: Timestamp | None
    responsibility_attested_at: Timestamp | None
    responsibility_attestation_version: str | None


class MerchantAccount(Answer, frozen=True, kw_only=True):
    """A merchant account. Amounts are minor units of the billing currency."""

    merchant_account_id: str
    merchant: str
    merchant_user_id: str
    user_wallet_id: str | None
    billing_mandate_id: str | None
    display_name: str
    status: str
    billing_status: BillingStatus
    billing_plan: str
    billing_currency: Currency
    token_symbol: Token
    monthly_fee_minor: int
    settlement_fee_bps: int
    settlement_fee_min_minor: int
    metadata_jsonb: AccountMetadata
    created_at: Timestamp
    updated_at: Timestamp


class Mandate(Answer, frozen=True, kw_only=True):
    """A billing mandate; ``max_amount_minor`` is its cap."""

    mandate_id: str
    status: MandateStatus
    max_amount_minor: int | None


class CheckAnswer(Answer, frozen=True, kw_only=True):
    """One requirement of hosted checkout, and what to do where it isn't met."""

    name: str
    passed: bool
    message: str


class HostedReadiness(Answer, frozen=True, kw_only=True):
    """Whether a merchant is ready for hosted checkout, check by check."""

    scope: Literal["standard_hosted_checkout"]
    ready: bool
    status: Literal["ready", "action_required"]
    checks: list[CheckAnswer]
    missing_requirements: list[str]
    blockers: list[str]
    live_mode_requested: bool
    live_mode_enabled: bool
    merchant_responsibility_attested: bool
    responsibility_attestation_version: str
    business_verification_required: bool
    provider_role: Literal["non_custodial_protocol_provider"]
    responsibility_boundary: Literal["merchant_of_record"]
    ga_blockers: list[str]


class MerchantAnswer(Answer, frozen=True, kw_only=True):
    """A merchant account with its mandate and readiness; never with its secret."""

    merchant_account: MerchantAccount
    listing_id: str
    mandate: Mandate | None
    standard_hosted_checkout_readiness: HostedReadiness
    next_steps: dict[str, str]


class MerchantSetUp(MerchantAnswer, frozen=True, kw_only=True):
    """A merchant account after a change; a new challenge secret is shown this once."""

    challenge_secret: str | None
    challenge_secret_created: bool
    created: bool


class ReadinessAnswer(Answer, frozen=True, kw_only=True):
    """A merchant's readiness."""

    merchant: str
    standard_hosted_checkout_readiness: HostedReadiness


class MandateAnswer(Answer, frozen=True, kw_only=True):
    """A merchant account and its mandate."""

    merchant_account: MerchantAccount
    mandate: Mandate
    created: bool


def account_answer(found: Merchant) -> MerchantAccount:
    """Show a merchant account, without its secret."""
    plan = plan_named(found.billing_plan)
    currency: Any = found.billing_currency
    status: Any = found.billing_status
    token: Any = TOKENS[currency]
    return MerchantAccount(
        merchant_account_id=found.merchant_account_id,
        merchant=found.merchant,
        merchant_user_id=found.merchant_user_id,
        user_wallet_id=found.user_wallet_id,
        billing_mandate_id=found.mandate_id,
        display_name=found.display_name,
        status=found.status,
        billing_status=status,
        billing_plan=found.billing_plan,
        billing_currency=currency,
        token_symbol=token,
        monthly_fee_minor=plan.monthly_fee_minor[currency],
        settlement_fee_bps=plan.settlement_fee_bps,
        settlement_fee_min_minor=SETTLEMENT_FEE_MIN_MINOR[currency],
        metadata_jsonb=_metadata(found),
        created_at=to_text(found.created_at),
        updated_at=to_text(found.updated_at),
    )


def _metadata(found: Merchant) -> AccountMetadata:
    currencies: Any = list(found.currencies)
    return AccountMetadata(
        metered_risk_acceptance=_risk(found),
        checkout_allowed_origins=list(found.origins),
        allowed_currencies=currencies,
        webhook_callback_url=found.webhook_callback_url,
        sandbox_session_id=found.sandbox_session_id,
        sandbox_confirmed_at=optional_text(found.sandbox_confirmed_at),
        responsibility_attested_at=optional_text(found.attested_at),
        responsibility_attestation_version=found.attestation_version,
    )


def _risk(found: Merchant) -> RiskAcceptance | None:
    if found.terms_accepted_at is None:
        return None
    return RiskAcceptance(
        terms_version=found.terms_version or "",
        accepted_at=to_text(found.terms_accepted_at),
        principal_user_id=found.merchant_user_id,
        receipt_id=found.risk_receipt_id or "",
        thresholds=Thresholds(JPY=SETTLEMENT_THRESHOLD_MINOR, USD=SETTLEMENT_THRESHOLD_MINOR),
    )


def mandate_answer(found: Merchant) -> Mandate | None:
    """Show a merchant's mandate, if there is one."""
    if found.mandate_id is None:
        return None
    status: Any = found.mandate_status
    return Mandate(
        mandate_id=found.mandate_id, status=status, max_amount_minor=found.mandate_cap_minor
    )


def readiness_answer(found: Merchant, ready: Readiness) -> HostedReadiness:
    """Show a merchant's readiness."""
    blocker = BILLING_BLOCKERS.get(found.billing_status)
    return HostedReadiness(
        scope="standard_hosted_checkout",
        ready=ready.ready,
        status="ready" if ready.ready else "action_required",
        checks=[
            CheckAnswer(
                name=check.name,
                passed=check.passed,
                message="ready" if check.passed else _step(found, check.name),
            )
            for check in ready.checks
        ],
        missing_requirements=list(ready.missing),
        blockers=[] if blocker is None else [blocker],
        live_mode_requested=bool(found.live_mode_requested),
        live_mode_enabled=bool(found.live_mode_requested) and ready.ready,
        merchant_responsibility_attested=found.attested_at is not None,
        responsibility_attestation_version=found.attestation_version or ATTESTATION_VERSION,
        business_verification_required=False,
        provider_role="non_custodial_protocol_provider",
        responsibility_boundary="merchant_of_record",
        ga_blockers=[],
    )


def _step(found: Merchant, name: str) -> str:
    return STEPS[name].replace("{merchant}", found.merchant)


def merchant_fields(found: Merchant, ready: Readiness) -> dict[str, Any]:
    """Return the fields that every answer about a merchant has."""
    return {
        "merchant_account": account_answer(found),
        "listing_id": found.listing_id,
        "mandate": mandate_answer(found),
        "standard_hosted_checkout_readiness": readiness_answer(found, ready),
        "next_steps": {name: _step(found, name) for name in ready.missing},
    }


def changed_answer(
    found: Merchant, ready: Readiness, *, created: bool, secret: bool
) -> MerchantSetUp:
    """Show a merchant after a change, with its challenge secret where that is new."""
    return MerchantSetUp(
        **merchant_fields(found, ready),
        challenge_secret=found.challenge_secret if secret else None,
        challenge_secret_created=secret,
        created=created,
    )
