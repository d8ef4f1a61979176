"""The routes of scheduled authorizations: approve, revoke, and order a run."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from settlekit_mock.http.roles import Role, bearer
from settlekit_mock.http.routes import Reply, Request, Route
from settlekit_mock.http.wire import (
    AmountMinor,
    Body,
    Metadata,
    ShortText,
    StrictBody,
    instant,
)
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.recurring.authorizations import (
    CADENCE,
    NOT_ACTIVE,
    Approval,
    Approved,
    authorize,
    revoke,
)
from settlekit_mock.recurring.challenges import Asked
from settlekit_mock.recurring.rules import DAY_LIMIT, EXHAUSTED, Limits
from settlekit_mock.recurring.scheduled import SLOT_REUSED, Executed, Order, execute
from settlekit_mock.recurring.subscription_routes import CHALLENGE_ERRORS, ChallengeText
from settlekit_mock.recurring.wire import (
    AuthorizationAnswer,
    ChargeRequirement,
    ExecutedAnswer,
    Slot,
    authorization_answer,
    charge_fields,
    receipt_answer,
)
from settlekit_mock.settlement.rules.amounts import CURRENCIES_BY_TOKEN

Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
TimeText = Annotated[str, Meta(min_length=1, max_length=64, description="RFC 3339.")]


class CadenceLimit(StrictBody, frozen=True, kw_only=True):
    """The most runs and minor units of a day and a month, in the buyer's time zone."""

    max_runs_per_day: Count | None = None
    max_runs_per_month: Count | None = None
    max_amount_minor_per_day: AmountMinor | None = None
    max_amount_minor_per_month: AmountMinor | None = None


class AuthorizationBody(Body, frozen=True, kw_only=True):
    """What a buyer approves. Names in pairs mean the same; both given, they must agree.

    ``amount_minor`` is what each run costs. The pairs are amount_minor and expected_amount_minor, max_amount_minor_per_run and
    max_amount_minor, token_symbol and buyer_token, expires_at and valid_until, operation_key
    and allowed_operation_key or expected_operation_key.
    """

    merchant: ShortText
    challenge: ChallengeText | None = None
    mode: Literal["external_402"] = "external_402"
    amount_minor: AmountMinor | None = None
    expected_amount_minor: AmountMinor | None = None
    currency: ShortText | None = None
    token_symbol: ShortText | None = None
    buyer_token: ShortText | None = None
    max_runs: Count | None = None
    max_amount_minor: AmountMinor | None = None
    max_amount_minor_per_run: AmountMinor | None = None
    cadence: ShortText | Metadata | None = None
    cadence_limit: CadenceLimit = CadenceLimit()
    expires_at: TimeText | None = None
    valid_until: TimeText | None = None
    listing_id: ShortText | None = None
    product_listing_id: ShortText | None = None
    capability_key: ShortText | None = None
    operation_key: ShortText | None = None
    allowed_operation_key: ShortText | None = None
    expected_operation_key: ShortText | None = None
    agent_id: ShortText | None = None
    metadata: Metadata = msgspec.field(default_factory=Metadata)


class OrderBody(Body, frozen=True, kw_only=True):
    """Which slot to run. Waiting for finality is over at once: a run settles within the call."""

    slot_id: ShortText
    input: Metadata | None = None
    arguments: Metadata | None = None
    scheduled_for: TimeText | None = None
    await_finality: bool | None = None
    metadata: Metadata = msgspec.field(default_factory=Metadata)


def _authorize(request: Request) -> AuthorizationAnswer | Reply:
    body: AuthorizationBody = request.body
    with request.world.transaction() as tx:
        approved = authorize(tx, request.caller.subject, _asked(body), _approval(body))
        if _agreed(body, "listing_id", "product_listing_id") not in (
            None,
            approved.merchant.listing_id,
        ):
            raise Invalid("listing_id: isn't the merchant's")
    answer = authorization_answer(approved)
    return answer if approved.schedule_token is not None else Reply(200, answer)


def _asked(body: AuthorizationBody) -> Asked:
    token = _agreed(body, "token_symbol", "buyer_token")
    currency = body.currency or CURRENCIES_BY_TOKEN.get(str(token).strip().upper())
    if currency is None:
        raise Invalid("currency: must be JPY or USD")
    return Asked(body.merchant, _amount(body), currency, body.challenge, token)


def _amount(body: AuthorizationBody) -> int:
    amount_minor: int | None = _agreed(body, "amount_minor", "expected_amount_minor")
    if amount_minor is None:
        raise Invalid("amount_minor: what does a run cost?")
    return amount_minor


def _approval(body: AuthorizationBody) -> Approval:
    most: int | None = _agreed(body, "max_amount_minor_per_run", "max_amount_minor")
    limit = body.cadence_limit
    return Approval(
        max_amount_minor=most or _amount(body),
        limits=Limits(body.max_runs, **msgspec.structs.asdict(limit)),
        cadence=_cadence(body.cadence),
        expires_at=_expiry(body),
        metadata=body.metadata,
        capability_key=body.capability_key,
        operation_key=_agreed(
            body, "operation_key", "allowed_operation_key", "expected_operation_key"
        ),
        agent_id=body.agent_id,
    )


def _agreed(body: AuthorizationBody, *names: str) -> Any:
    """Return what names of one meaning say, or refuse the call where they differ."""
    given = {name: value for name in names if (value := getattr(body, name)) is not None}
    if len(set(given.values())) > 1:
        raise Invalid(f"{', '.join(given)}: must say the same")
    return next(iter(given.values()), None)


def _cadence(given: str | Metadata | None) -> Metadata:
    if isinstance(given, dict):
        unit = given.get("unit", CADENCE)
        if not (isinstance(unit, str) and 1 <= len(unit.strip()) <= 255):
            raise Invalid("cadence.unit: must be text, 1 to 255 characters")
        return {**given, "unit": unit}
    return {"unit": given or CADENCE}


def _expiry(body: AuthorizationBody) -> int | None:
    times = {
        instant(text, name)
        for name in ("expires_at", "valid_until")
        if (text := getattr(body, name)) is not None
    }
    if len(times) > 1:
        raise Invalid("expires_at, valid_until: must say the same")
    return next(iter(times), None)


def _revoke(request: Request) -> AuthorizationAnswer:
    with request.world.transaction() as tx:
        revoked = revoke(tx, request.caller.subject, request.path["authorization_id"])
    return authorization_answer(revoked)


def _execute(request: Request) -> msgspec.Raw:
    body: OrderBody = request.body
    token = bearer(request.headers.get("Authorization"))
    scheduled_for = body.scheduled_for
    order = Order(
        slot_id=body.slot_id,
        scheduled_for=None if scheduled_for is None else instant(scheduled_for, "scheduled_for"),
        input=body.input,
        arguments=body.arguments,
        metadata=body.metadata,
    )
    with request.world.transaction() as tx:
        return msgspec.Raw(execute(tx, token, order, write=_written))


def _written(executed: Executed) -> bytes:
    found, merchant, order, charge = executed
    requirement = charge_fields(charge, merchant, found, found.capability_key)
    return msgspec.json.encode(
        ExecutedAnswer(
            status="executed",
            charge_status="settled" if charge.taken.usage is None else "pending_settlement",
            authorization=authorization_answer(Approved(found, merchant, None)),
            slot=Slot(
                slot_id=order.slot_id,
                run_id=charge.charge_id,
                run_number=found.run_count,
                scheduled_for=optional_text(order.scheduled_for),
                executed_at=to_text(charge.charged_at),
            ),
            reason_code=None,
            reason=None,
            retryable=False,
            manual_reconciliation_required=False,
            direct_payment_requirement_id=charge.taken.requirement_id,
            direct_payment_requirement=ChargeRequirement(**requirement),
            direct_payment_execution=receipt_answer(charge),
            capability_result=None,
        )
    )


_AUTHORIZATIONS = "/v1/account/auto-pay/scheduled-authorizations"

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        _AUTHORIZATIONS,
        Role.BUYER,
        _authorize,
        AuthorizationAnswer,
        "Approve scheduled runs (201, with the token); the same challenge answers the same (200)",
        body=AuthorizationBody,
        status=201,
        also_statuses=((200, "Redeemed before, by this buyer"),),
        errors=CHALLENGE_ERRORS,
        tag="recurring",
    ),
    Route(
        "DELETE",
        f"{_AUTHORIZATIONS}/<authorization_id>",
        Role.BUYER,
        _revoke,
        AuthorizationAnswer,
        "Revoke an authorization: its token orders nothing from then on",
        errors=((409, NOT_ACTIVE),),
        tag="recurring",
    ),
    Route(
        "POST",
        "/v1/market/api-store/scheduled-auto-pay/execute",
        Role.SCHEDULE,
        _execute,
        ExecutedAnswer,
        "Order a run, with the schedule token as the bearer; a slot is charged once",
        body=OrderBody,
        errors=(
            (402, "BUDGET_EXCEEDED"),
            (409, SLOT_REUSED),
            (409, EXHAUSTED.code),
            (409, DAY_LIMIT.code),
            (409, "METERED_SETTLEMENT_PAST_DUE"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_SETUP_REQUIRED"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED"),
            (409, "USD_TERMS_REQUIRED"),
        ),
        tag="recurring",
    ),
)
