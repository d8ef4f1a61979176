"""The routes of merchants."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from settlekit.money import TOKENS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Reply, Request, Route
from settlekit_mock.http.wire import (
    AmountMinor,
    Answer,
    Body,
    Currency,
    ShortText,
    Timestamp,
    Token,
    UrlText,
)
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.payments import merchants
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


class MerchantBody(Body, frozen=True, kw_only=True):
    """What a merchant sets up; a field that isn't given stays as it is."""

    merchant: ShortText
    display_name: ShortText | None = None
    billing_plan: ShortText | None = None
    billing_currency: ShortText | None = None
    allowed_currencies: list[str] | dict[str, str] | None = None
    webhook_callback_url: UrlText | None = None
    billing_mandate_cap_minor: AmountMinor | None = None
    max_amount_minor: AmountMinor | None = None
    checkout_allowed_origins: Annotated[list[UrlText], Meta(max_length=100)] | None = None
    standard_terms_accepted: bool | None = None
    terms_accepted: bool | None = None
    terms_version: ShortText | None = None
    sandbox_confirmed: bool | None = None
    sandbox_session_id: ShortText | None = None
    merchant_responsibility_attested: bool | None = None
    responsibility_attestation_version: ShortText | None = None
    live_mode_requested: bool | None = None


class MandateBody(Body, frozen=True, kw_only=True):
    """What a billing mandate covers."""

    currency: ShortText | None = None
    billing_currency: ShortText | None = None
    max_amount_minor: AmountMinor | None = None


def _set_up(request: Request) -> Reply:
    body: MerchantBody = request.body
    accepted = body.terms_accepted
    if body.standard_terms_accepted is not None:
        accepted = body.standard_terms_accepted
    given = merchants.SetUp(
        merchant=body.merchant,
        display_name=body.display_name,
        billing_plan=body.billing_plan,
        billing_currency=body.billing_currency,
        allowed_currencies=body.allowed_currencies,
        webhook_callback_url=body.webhook_callback_url,
        mandate_cap_minor=body.max_amount_minor or body.billing_mandate_cap_minor,
        checkout_allowed_origins=body.checkout_allowed_origins,
        terms_accepted=accepted,
        terms_version=body.terms_version,
        sandbox_confirmed=body.sandbox_confirmed,
        sandbox_session_id=body.sandbox_session_id,
        attested=body.merchant_responsibility_attested,
        attestation_version=body.responsibility_attestation_version,
        live_mode_requested=body.live_mode_requested,
    )
    with request.world.transaction() as tx:
        found, created = merchants.set_up(tx, request.caller.subject, given)
        ready = merchants.readiness_of(tx.connection, found)
    return Reply(201 if created else 200, _changed(found, ready, created=created, secret=created))


def _get(request: Request) -> MerchantAnswer:
    with request.world.snapshot() as connection:
        found = merchants.owned_merchant(
            connection, request.caller.subject, request.path["merchant"]
        )
        ready = merchants.readiness_of(connection, found)
    return MerchantAnswer(**_fields(found, ready))


def _readiness(request: Request) -> ReadinessAnswer:
    answer = _get(request)
    return ReadinessAnswer(
        merchant=answer.merchant_account.merchant,
        standard_hosted_checkout_readiness=answer.standard_hosted_checkout_readiness,
    )


def _rotate(request: Request) -> MerchantSetUp:
    with request.world.transaction() as tx:
        found = merchants.rotate_challenge_secret(
            tx, request.caller.subject, request.path["merchant"]
        )
        ready = merchants.readiness_of(tx.connection, found)
    return _changed(found, ready, created=False, secret=True)


def _mandate(request: Request) -> Reply:
    body: MandateBody = request.body
    with request.world.transaction() as tx:
        found, created = merchants.prepare_mandate(
            tx,
            request.caller.subject,
            request.path["merchant"],
            currency=body.billing_currency or body.currency,
            max_amount_minor=body.max_amount_minor,
        )
    mandate = mandate_answer(found)
    assert mandate is not None
    answer = MandateAnswer(merchant_account=account_answer(found), mandate=mandate, created=created)
    return Reply(201 if created else 200, answer)


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


def _fields(found: Merchant, ready: Readiness) -> dict[str, Any]:
    return {
        "merchant_account": account_answer(found),
        "listing_id": found.listing_id,
        "mandate": mandate_answer(found),
        "standard_hosted_checkout_readiness": readiness_answer(found, ready),
        "next_steps": {name: _step(found, name) for name in ready.missing},
    }


def _changed(found: Merchant, ready: Readiness, *, created: bool, secret: bool) -> MerchantSetUp:
    return MerchantSetUp(
        **_fields(found, ready),
        challenge_secret=found.challenge_secret if secret else None,
        challenge_secret_created=secret,
        created=created,
    )


_MERCHANTS = "/v1/sdrp/direct-payments/merchants"
_ONE = f"{_MERCHANTS}/<merchant>"
_UNKNOWN = (404, "EXTERNAL_402_MERCHANT_NOT_FOUND")

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        _MERCHANTS,
        Role.MERCHANT,
        _set_up,
        MerchantSetUp,
        "Create a merchant account (201), or update it (200)",
        body=MerchantBody,
        status=201,
        tag="merchants",
    ),
    Route(
        "GET",
        _ONE,
        Role.MERCHANT,
        _get,
        MerchantAnswer,
        "Read a merchant account",
        errors=(_UNKNOWN,),
        tag="merchants",
    ),
    Route(
        "GET",
        f"{_ONE}/readiness",
        Role.MERCHANT,
        _readiness,
        ReadinessAnswer,
        "Say whether a merchant is ready for hosted checkout, and what is missing",
        errors=(_UNKNOWN,),
        tag="merchants",
    ),
    Route(
        "POST",
        f"{_ONE}/challenge-secret/rotate",
        Role.MERCHANT,
        _rotate,
        MerchantSetUp,
        "Draw a new challenge secret, shown this once; the old one proves nothing any more",
        errors=(_UNKNOWN,),
        tag="merchants",
    ),
    Route(
        "POST",
        f"{_ONE}/billing-mandate",
        Role.MERCHANT,
        _mandate,
        MandateAnswer,
        "Prepare the billing mandate (201 where it is new)",
        body=MandateBody,
        status=201,
        errors=(_UNKNOWN,),
        tag="merchants",
    ),
)
