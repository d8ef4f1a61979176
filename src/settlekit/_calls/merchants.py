"""Merchants: accounts, secrets, billing mandates, and all of hosted checkout at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from settlekit import _codec
from settlekit._calls import arguments, terms, webhook_endpoints
from settlekit._calls.call import Call, Steps, agreeing, get, post
from settlekit.errors import SettlekitError, SetUpIncomplete
from settlekit.models import (
    BillingMandate,
    CheckoutSetUp,
    Merchant,
    MerchantReadiness,
    WebhookEndpoint,
)
from settlekit.money import check_currency

PATH = "/sdrp/direct-payments/merchants"


def set_up(
    *,
    merchant: str,
    billing_plan: str = "launch",
    billing_currency: str = "JPY",
    display_name: str | None = None,
    allowed_currencies: Mapping[str, str] | Sequence[str] | None = None,
    webhook_callback_url: str | None = None,
    billing_mandate_cap_minor: int | None = None,
    max_amount_minor: int | None = None,
    checkout_allowed_origins: Sequence[str] | None = None,
    standard_terms_accepted: bool | None = None,
    terms_accepted: bool | None = None,
    terms_version: str | None = None,
    sandbox_confirmed: bool | None = None,
    sandbox_session_id: str | None = None,
    merchant_responsibility_attested: bool | None = None,
    responsibility_attestation_version: str | None = None,
    live_mode_requested: bool | None = None,
) -> Call[Merchant]:
    """Create or update an account; not repeated, for its secret comes once."""
    call = post(
        PATH,
        _codec.one(Merchant),
        merchant=terms.merchant_key(merchant),
        billing_plan=terms.billing_plan(billing_plan),
        billing_currency=check_currency(billing_currency, "billing_currency"),
        display_name=arguments.optional(display_name, "display_name"),
        allowed_currencies=terms.allowed_currencies(allowed_currencies),
        webhook_callback_url=_callback_url(webhook_callback_url),
        billing_mandate_cap_minor=arguments.amount_minor(
            billing_mandate_cap_minor, "billing_mandate_cap_minor"
        ),
        max_amount_minor=arguments.amount_minor(max_amount_minor, "max_amount_minor"),
        checkout_allowed_origins=arguments.origins(
            checkout_allowed_origins, "checkout_allowed_origins"
        ),
        standard_terms_accepted=arguments.flag(standard_terms_accepted, "standard_terms_accepted"),
        terms_accepted=arguments.flag(terms_accepted, "terms_accepted"),
        terms_version=arguments.optional(terms_version, "terms_version"),
        sandbox_confirmed=arguments.flag(sandbox_confirmed, "sandbox_confirmed"),
        sandbox_session_id=arguments.optional(sandbox_session_id, "sandbox_session_id"),
        merchant_responsibility_attested=arguments.flag(
            merchant_responsibility_attested, "merchant_responsibility_attested"
        ),
        responsibility_attestation_version=arguments.optional(
            responsibility_attestation_version, "responsibility_attestation_version"
        ),
        live_mode_requested=arguments.flag(live_mode_requested, "live_mode_requested"),
    )
    return agreeing(
        call,
        ("standard_terms_accepted", "terms_accepted"),
        ("max_amount_minor", "billing_mandate_cap_minor"),
    )


def fetch(merchant: str) -> Call[Merchant]:
    """Ask for an account, which comes without its secret."""
    return get(_path(merchant), _codec.one(Merchant))


def readiness(merchant: str) -> Call[MerchantReadiness]:
    """Ask what hosted checkout still needs."""
    return get(f"{_path(merchant)}/readiness", _codec.one(MerchantReadiness))


def rotate_challenge_secret(merchant: str) -> Call[Merchant]:
    """Draw a new challenge secret; not repeated, for it comes once."""
    return post(f"{_path(merchant)}/challenge-secret/rotate", _codec.one(Merchant))


def prepare_billing_mandate(
    merchant: str,
    *,
    currency: str | None = None,
    billing_currency: str | None = None,
    max_amount_minor: int | None = None,
) -> Call[BillingMandate]:
    """Prepare the mandate that collects the plan's base fee."""
    call = post(
        f"{_path(merchant)}/billing-mandate",
        _codec.one(BillingMandate),
        currency=arguments.currency(currency),
        billing_currency=arguments.currency(billing_currency, "billing_currency"),
        max_amount_minor=arguments.amount_minor(max_amount_minor, "max_amount_minor"),
    )
    return agreeing(call, ("currency", "billing_currency"))


def set_up_checkout(
    account: Call[Merchant],
    *,
    prepare_mandate: bool,
    create_webhook: bool | None,
    event_types: Sequence[str] | None,
    description: str | None,
) -> Steps[CheckoutSetUp]:
    """Set up account, mandate and webhook, each after the one before, and name the secrets."""
    asked = dict(account.body or {})
    callback_url = asked.get("webhook_callback_url")
    # Made first, so that a bad argument is told before anything is sent.
    endpoint = webhook_endpoints.create(
        callback_url=callback_url or "https://localhost",
        event_types=event_types,
        description=description or f"{asked['merchant']} checkout",
        metadata={"merchant": asked["merchant"]},
    )
    merchant: Merchant = yield account
    mandate: BillingMandate | None = None
    webhook: WebhookEndpoint | None = None
    try:
        if prepare_mandate:
            mandate = yield _mandate_of(merchant, asked)
        if callback_url and create_webhook is not False:
            webhook = yield endpoint
    except SettlekitError as error:
        # The account's secret was shown this once: it must not go with the error.
        raise SetUpIncomplete(str(error), _made(merchant, mandate, webhook)) from error
    return _made(merchant, mandate, webhook)


def _made(
    merchant: Merchant, mandate: BillingMandate | None, webhook: WebhookEndpoint | None
) -> CheckoutSetUp:
    return CheckoutSetUp(
        merchant=merchant,
        billing_mandate=mandate,
        webhook_endpoint=webhook,
        env=_environment(merchant, webhook),
    )


def _mandate_of(merchant: Merchant, asked: Mapping[str, Any]) -> Call[BillingMandate]:
    account = merchant.merchant_account
    return prepare_billing_mandate(
        account.merchant,
        billing_currency=account.billing_currency or asked["billing_currency"],
        max_amount_minor=asked.get("max_amount_minor") or asked.get("billing_mandate_cap_minor"),
    )


def _environment(merchant: Merchant, webhook: WebhookEndpoint | None) -> dict[str, str]:
    found = {
        "SIGLUME_DIRECT_PAYMENT_MERCHANT": merchant.merchant_account.merchant,
        "SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET": merchant.challenge_secret,
        "SIGLUME_WEBHOOK_SECRET": None if webhook is None else webhook.signing_secret,
    }
    return {name: value for name, value in found.items() if value}


def _callback_url(value: str | None) -> str | None:
    return None if value is None else arguments.web_url(value, "webhook_callback_url")


def _path(merchant: str) -> str:
    return f"{PATH}/{terms.merchant_key(merchant)}"
