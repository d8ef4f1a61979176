"""Merchants: their account, their billing mandate, whether they are ready for checkout."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from settlekit._redaction import masked_repr
from settlekit.models.base import Instant, JsonObject, Model
from settlekit.models.mandate import Mandate
from settlekit.models.states import (
    BillingPlan,
    BillingStatus,
    MerchantStatus,
    ReadinessStatus,
)
from settlekit.models.webhook import WebhookEndpoint


@attrs.frozen(kw_only=True, getstate_setstate=False)
class MeteredRiskAcceptance(Model):
    """The receipt of a merchant's acceptance of metered risk.

    ``thresholds`` are minor units by currency: the exposure at which a scope settles early.
    """

    terms_version: str | None = None
    accepted_at: Instant | None = None
    principal_user_id: str | None = None
    receipt_id: str | None = None
    thresholds: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])


@attrs.frozen(kw_only=True, getstate_setstate=False)
class MerchantMetadata(Model):
    """What a merchant agreed to and allowed.

    ``allowed_currencies`` comes as it is kept: a list, or currencies by token.
    """

    metered_risk_acceptance: MeteredRiskAcceptance | None = None
    checkout_allowed_origins: tuple[str, ...] = ()
    allowed_currencies: Any = None
    webhook_callback_url: str | None = None
    sandbox_session_id: str | None = None
    sandbox_confirmed_at: Instant | None = None
    responsibility_attested_at: Instant | None = None
    responsibility_attestation_version: str | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class MerchantAccount(Model):
    """A merchant's account; fees are in minor units of the billing currency."""

    merchant: str
    merchant_account_id: str | None = None
    merchant_user_id: str | None = None
    user_wallet_id: str | None = None
    billing_mandate_id: str | None = None
    display_name: str | None = None
    status: MerchantStatus | None = None
    billing_status: BillingStatus | None = None
    billing_plan: BillingPlan | None = None
    billing_currency: str | None = None
    token_symbol: str | None = None
    monthly_fee_minor: Decimal | None = None
    settlement_fee_bps: int | None = None
    settlement_fee_min_minor: Decimal | None = None
    metadata_jsonb: MerchantMetadata = attrs.Factory(MerchantMetadata)
    created_at: Instant | None = None
    updated_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class ReadinessCheck(Model):
    """One requirement of hosted checkout, and what to do where it isn't met."""

    name: str | None = None
    passed: bool | None = None
    message: str | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class HostedCheckoutReadiness(Model):
    """Whether a merchant is ready for hosted checkout; what is missing is named."""

    ready: bool
    scope: str | None = None
    status: ReadinessStatus | None = None
    checks: tuple[ReadinessCheck, ...] = ()
    missing_requirements: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()
    live_mode_requested: bool | None = None
    live_mode_enabled: bool | None = None
    merchant_responsibility_attested: bool | None = None
    responsibility_attestation_version: str | None = None
    business_verification_required: bool | None = None
    provider_role: str | None = None
    responsibility_boundary: str | None = None
    ga_blockers: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Merchant(Model):
    """A merchant account with its mandate and readiness.

    ``challenge_secret`` is there once, when it was made: store it. repr never shows it.
    """

    merchant_account: MerchantAccount
    listing_id: str | None = None
    mandate: Mandate | None = None
    standard_hosted_checkout_readiness: HostedCheckoutReadiness | None = None
    next_steps: JsonObject = attrs.field(factory=dict[str, Any], repr=masked_repr)
    challenge_secret: str | None = attrs.field(default=None, repr=False)
    challenge_secret_created: bool = False
    created: bool | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class MerchantReadiness(Model):
    """A merchant's readiness for hosted checkout."""

    standard_hosted_checkout_readiness: HostedCheckoutReadiness
    merchant: str | None = None

    @property
    def ready(self) -> bool:
        """Whether a checkout can be opened."""
        return self.standard_hosted_checkout_readiness.ready

    @property
    def missing_requirements(self) -> tuple[str, ...]:
        """What is missing, by name."""
        return self.standard_hosted_checkout_readiness.missing_requirements


@attrs.frozen(kw_only=True, getstate_setstate=False)
class BillingMandate(Model):
    """A merchant's billing mandate; ``created`` says whether it is new."""

    mandate: Mandate
    merchant_account: MerchantAccount | None = None
    created: bool | None = None


@attrs.frozen(kw_only=True)
class CheckoutSetUp:
    """All that hosted checkout needs, set up; ``env`` is what a shop has to store.

    The secrets in ``env`` come once. One that existed before isn't shown again, so its
    name is missing there. repr shows none of them.
    """

    merchant: Merchant
    billing_mandate: BillingMandate | None
    webhook_endpoint: WebhookEndpoint | None
    env: Mapping[str, str] = attrs.field(repr=False)
