"""The routes of merchants."""

from typing import Annotated, Any

from msgspec import Meta

from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Reply, Request, Route
from settlekit_mock.http.wire import AmountMinor, Body, ShortText, UrlText
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.payments import merchants
from settlekit_mock.payments.merchant_answers import (
    MandateAnswer,
    MerchantAnswer,
    MerchantSetUp,
    ReadinessAnswer,
    account_answer,
    changed_answer,
    mandate_answer,
    merchant_fields,
)
from settlekit_mock.payments.rules import merchants as rules


class MerchantBody(Body, frozen=True, kw_only=True):
    """What a merchant sets up; a field that isn't given stays as it is.

    Acceptance of the terms and the mandate's cap have two names each, which must agree.
    """

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
    """What a billing mandate covers; its currency has two names, which must agree."""

    currency: ShortText | None = None
    billing_currency: ShortText | None = None
    max_amount_minor: AmountMinor | None = None


def _set_up(request: Request) -> Reply:
    body: MerchantBody = request.body
    given = merchants.SetUp(
        merchant=body.merchant,
        display_name=body.display_name,
        billing_plan=body.billing_plan,
        billing_currency=body.billing_currency,
        allowed_currencies=body.allowed_currencies,
        webhook_callback_url=body.webhook_callback_url,
        mandate_cap_minor=_agreed(body, "max_amount_minor", "billing_mandate_cap_minor"),
        checkout_allowed_origins=body.checkout_allowed_origins,
        terms_accepted=_agreed(body, "standard_terms_accepted", "terms_accepted"),
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
    return Reply(
        201 if created else 200, changed_answer(found, ready, created=created, secret=created)
    )


def _agreed(body: MerchantBody, *names: str) -> Any:
    """Return what one of two names says; both given, they must say the same."""
    said = {getattr(body, name) for name in names} - {None}
    if len(said) > 1:
        raise Invalid(f"{', '.join(names)}: must say the same")
    return next(iter(said), None)


def _get(request: Request) -> MerchantAnswer:
    with request.world.snapshot() as connection:
        found = merchants.owned_merchant(
            connection, request.caller.subject, request.path["merchant"]
        )
        ready = merchants.readiness_of(connection, found)
    return MerchantAnswer(**merchant_fields(found, ready))


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
    return changed_answer(found, ready, created=False, secret=True)


def _mandate(request: Request) -> Reply:
    body: MandateBody = request.body
    named = {name for name in (body.currency, body.billing_currency) if name is not None}
    if len({rules.currency(name) for name in named}) > 1:
        raise Invalid("currency, billing_currency: must say the same")
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
        also_statuses=((200, "Updated"),),
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
        also_statuses=((200, "There already"),),
        errors=(_UNKNOWN,),
        tag="merchants",
    ),
)
