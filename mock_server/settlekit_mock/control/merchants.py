"""Make, read and change merchants."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import Connection

from settlekit_mock.control.buyers import UserId
from settlekit_mock.control.tokens import new_token
from settlekit_mock.http.routes import Request
from settlekit_mock.http.tables import token_of
from settlekit_mock.http.wire import (
    AmountMinor,
    Answer,
    Currency,
    ShortText,
    StrictBody,
    UrlText,
)
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.merchant_answers import (
    BillingStatus,
    HostedReadiness,
    Mandate,
    MandateStatus,
    MerchantAccount,
    account_answer,
    mandate_answer,
    readiness_answer,
)
from settlekit_mock.payments.merchants import (
    change_merchant,
    create_merchant,
    known_merchant,
    readiness_of,
)
from settlekit_mock.payments.tables import Merchant, all_merchants
from settlekit_mock.webhooks.rules import DEFAULT_EVENT_TYPES
from settlekit_mock.webhooks.tables import Subscription, subscriptions_of

HostedCheckout = Literal["on", "off", "gone"]
Origins = Annotated[list[UrlText], Meta(max_length=100)]
Secret = Annotated[str, Meta(pattern=r"\S", max_length=255, description="Text that isn't blank.")]


class MerchantChanges(StrictBody, frozen=True, kw_only=True):
    """What to change of a merchant: what it sets up itself, and what the platform decides.

    ``webhook_url`` makes or replaces the active subscription to ``direct_payment.confirmed``.
    ``hosted_checkout``: where it isn't on, opening a session is 409 (off) or 404 (gone).
    ``registered`` and ``settlement_wallet`` take the account or its wallet away, and give it back.
    """

    display_name: ShortText | UnsetType = UNSET
    billing_plan: ShortText | UnsetType = UNSET
    billing_currency: Currency | UnsetType = UNSET
    allowed_currencies: list[Currency] | UnsetType = UNSET
    checkout_allowed_origins: Origins | UnsetType = UNSET
    billing_mandate_cap_minor: AmountMinor | UnsetType = UNSET
    terms_accepted: bool | UnsetType = UNSET
    terms_version: ShortText | UnsetType = UNSET
    sandbox_confirmed: bool | UnsetType = UNSET
    sandbox_session_id: ShortText | UnsetType = UNSET
    merchant_responsibility_attested: bool | UnsetType = UNSET
    responsibility_attestation_version: ShortText | UnsetType = UNSET
    live_mode_requested: bool | UnsetType = UNSET
    webhook_url: UrlText | UnsetType = UNSET
    webhook_secret: Secret | UnsetType = UNSET
    billing_status: BillingStatus | UnsetType = UNSET
    mandate_status: MandateStatus | UnsetType = UNSET
    usd_terms_agreed: bool | UnsetType = UNSET
    hosted_checkout: HostedCheckout | UnsetType = UNSET
    registered: bool | UnsetType = UNSET
    settlement_wallet: bool | UnsetType = UNSET


class ControlMerchantBody(MerchantChanges, frozen=True, kw_only=True):
    """What a new merchant is like; what is left out is as with the sandbox's own merchant.

    With ``merchant_user_id`` it belongs to a person who may own others.
    """

    merchant: ShortText
    token: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    merchant_user_id: UserId | UnsetType = UNSET


class ControlMerchant(Answer, frozen=True, kw_only=True):
    """A merchant with its token, its listing and its secrets."""

    merchant: str
    listing_id: str
    token: str | None
    challenge_secret: str
    webhook_url: str | None
    webhook_secret: str | None
    usd_terms_agreed: bool
    hosted_checkout: HostedCheckout
    merchant_account: MerchantAccount
    mandate: Mandate | None
    standard_hosted_checkout_readiness: HostedReadiness


class Merchants(Answer, frozen=True, kw_only=True):
    """Every merchant, oldest first."""

    items: list[ControlMerchant]


_CHANGED_AS = {
    "billing_mandate_cap_minor": "mandate_cap_minor",
    "merchant_responsibility_attested": "attested",
    "responsibility_attestation_version": "attestation_version",
}
"""Fields that the use case calls otherwise."""


def create(request: Request) -> ControlMerchant:
    """Make a merchant, ready for hosted checkout, with a token of its own."""
    body: ControlMerchantBody = request.body
    world = request.world
    owner = None if body.merchant_user_id is UNSET else body.merchant_user_id
    with world.transaction() as tx:
        found = create_merchant(
            tx,
            body.merchant,
            merchant_user_id=owner,
            billing_currency="JPY" if body.billing_currency is UNSET else body.billing_currency,
            checkout_allowed_origins=(world.settings.origin,),
        )
        _give_token(tx, found, None if body.token is UNSET else body.token)
        changes = _changes(tx.connection, found, body)
        found = change_merchant(tx, found.merchant, changes, told=False)
        return shaped(tx.connection, found)


def _give_token(tx: Transaction, found: Merchant, token: str | None) -> None:
    owner = found.merchant_user_id
    if token is not None or token_of(tx.connection, "merchant", owner) is None:
        new_token(tx, role="merchant", subject=owner, token=token)


def get(request: Request) -> ControlMerchant:
    """Answer one merchant."""
    with request.world.snapshot() as connection:
        return shaped(connection, known_merchant(connection, request.path["merchant"]))


def change(request: Request) -> ControlMerchant:
    """Change a merchant."""
    with request.world.transaction() as tx:
        found = known_merchant(tx.connection, request.path["merchant"])
        changes = _changes(tx.connection, found, request.body)
        return shaped(tx.connection, change_merchant(tx, found.merchant, changes))


def list_all(request: Request) -> Merchants:
    """Answer every merchant."""
    with request.world.snapshot() as connection:
        return Merchants(items=[shaped(connection, one) for one in all_merchants(connection)])


def _changes(connection: Connection, found: Merchant, body: MerchantChanges) -> dict[str, Any]:
    given = {
        _CHANGED_AS.get(name, name): getattr(body, name)
        for name in MerchantChanges.__struct_fields__
        if getattr(body, name) is not UNSET
    }
    # A version is written with its agreement, which stays as it is unless it is given too.
    if "terms_version" in given:
        given.setdefault("terms_accepted", found.terms_accepted_at is not None)
    if "attestation_version" in given:
        given.setdefault("attested", found.attested_at is not None)
    if "usd_terms_agreed" in given:
        given["usd_terms_agreed"] = int(given["usd_terms_agreed"])
    if "webhook_secret" in given and "webhook_url" not in given:
        endpoint = _endpoint(connection, found)
        if endpoint is None:
            raise Invalid("webhook_secret: there is no webhook yet; give webhook_url too")
        given["webhook_url"] = endpoint.callback_url
    return given


def _endpoint(connection: Connection, found: Merchant) -> Subscription | None:
    """Return the subscription that ``webhook_url`` makes and replaces."""
    return next(
        (
            one
            for one in subscriptions_of(connection, found.merchant_user_id)
            if one.status == "active" and one.types == DEFAULT_EVENT_TYPES[:1]
        ),
        None,
    )


def shaped(connection: Connection, found: Merchant) -> ControlMerchant:
    """Shape a merchant for the wire, secrets included."""
    endpoint = _endpoint(connection, found)
    hosted_checkout: Any = found.hosted_checkout
    return ControlMerchant(
        merchant=found.merchant,
        listing_id=found.listing_id,
        token=token_of(connection, "merchant", found.merchant_user_id),
        challenge_secret=found.challenge_secret,
        webhook_url=None if endpoint is None else endpoint.callback_url,
        webhook_secret=None if endpoint is None else endpoint.signing_secret,
        usd_terms_agreed=bool(found.usd_terms_agreed),
        hosted_checkout=hosted_checkout,
        merchant_account=account_answer(found),
        mandate=mandate_answer(found),
        standard_hosted_checkout_readiness=readiness_answer(found, readiness_of(connection, found)),
    )
