"""The route of paid capabilities."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from settlekit.money import TOKENS, Band
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.http.wire import (
    AmountMinor,
    Answer,
    Body,
    Currency,
    Metadata,
    MinorText,
    ShortText,
    Timestamp,
    Token,
)
from settlekit_mock.kernel.times import to_text
from settlekit_mock.payments.capabilities import KEY_REUSED, Charge, Ran, Work, execute
from settlekit_mock.payments.rules.capabilities import Outcome
from settlekit_mock.settlement.confirmations import CADENCES, metered_amounts
from settlekit_mock.settlement.usage import Usage

Key = Annotated[str, Meta(min_length=1, max_length=128)]


class ExecutionBody(Body, frozen=True, kw_only=True):
    """What to run and what it costs; ``idempotency_key`` names the operation, whoever repeats it."""

    listing_id: ShortText
    operation_key: ShortText
    amount_minor: AmountMinor
    currency: ShortText
    idempotency_key: Key
    input: Metadata = msgspec.field(default_factory=Metadata)


class ExecutionUsage(Answer, frozen=True, kw_only=True):
    """The usage event that a run charged, and the requirement the server made for it."""

    metered_usage_id: str
    requirement_id: str
    challenge_hash: str
    pricing_band: Band
    settlement_cadence: Literal["weekly", "monthly"]
    settlement_status: Literal["pending_settlement"]
    status: Literal["pending_settlement", "failed_chargeable"]
    provider_gross_amount_minor: MinorText
    provider_usage_amount_minor: MinorText
    gross_buyer_debit_minor: MinorText
    buyer_debit_minor: MinorText
    protocol_fee_minor: MinorText
    rounding_delta_minor: MinorText
    created_at: Timestamp


class ExecutionAnswer(Answer, frozen=True, kw_only=True):
    """How a run ended; ``retryable`` where the same key runs the provider again.

    A run that charged is answered in the same bytes for ever, so nothing here says that an
    answer is repeated: its ``executed_at`` does.
    """

    execution_id: str
    listing_id: str
    capability_key: str
    operation_key: str
    merchant: str
    idempotency_key: str
    amount_minor: int
    currency: Currency
    token_symbol: Token
    outcome: Outcome
    provider_status: int | None
    charged: bool
    retryable: bool
    attempt: int
    usage_event: ExecutionUsage | None
    executed_at: Timestamp


def _execute(request: Request) -> msgspec.Raw:
    body: ExecutionBody = request.body
    work = Work(
        buyer_id=request.caller.subject,
        capability_key=request.path["capability_key"],
        listing_id=body.listing_id,
        operation_key=body.operation_key,
        amount_minor=body.amount_minor,
        currency=body.currency,
        idempotency_key=body.idempotency_key,
        input=body.input,
    )
    with request.world.transaction() as tx:
        return msgspec.Raw(execute(tx, work, write=_written))


def _written(ran: Ran) -> bytes:
    work = ran.work
    return msgspec.json.encode(
        ExecutionAnswer(
            execution_id=ran.execution_id,
            listing_id=work.listing_id,
            capability_key=work.capability_key,
            operation_key=work.operation_key,
            merchant=ran.merchant,
            idempotency_key=work.idempotency_key,
            amount_minor=work.amount_minor,
            currency=work.currency,  # type: ignore[arg-type]
            token_symbol=TOKENS[work.currency],  # type: ignore[arg-type]
            outcome=ran.outcome,
            provider_status=ran.consequence.provider_status,
            charged=ran.consequence.charged,
            retryable=not ran.consequence.charged,
            attempt=ran.attempt,
            usage_event=None if ran.charge is None else _usage(ran.charge, ran.outcome),
            executed_at=to_text(ran.executed_at),
        )
    )


def _usage(charge: Charge, outcome: Outcome) -> ExecutionUsage:
    usage = charge.taken.usage
    assert usage is not None
    failed = outcome is Outcome.FAILED_CHARGEABLE
    return ExecutionUsage(
        metered_usage_id=usage.metered_usage_id,
        requirement_id=charge.taken.requirement_id,
        challenge_hash=charge.challenge_hash,
        pricing_band=usage.band,
        settlement_cadence=CADENCES[usage.band],  # type: ignore[arg-type]
        settlement_status="pending_settlement",
        status="failed_chargeable" if failed else "pending_settlement",
        **_amounts(usage),
        created_at=to_text(usage.created_at),
    )


def _amounts(usage: Usage) -> dict[str, str]:
    amounts = metered_amounts(usage.gross, usage.fee, usage.currency)
    # What the seller is owed is the seller's to know: the buyer's own rows don't say it either.
    return {name: text for name, text in amounts.items() if name != "provider_receivable_minor"}


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/market/capabilities/<capability_key>/execute",
        Role.BUYER,
        _execute,
        ExecutionAnswer,
        "Run a paid capability; a key charges once, and what it charged is answered again",
        body=ExecutionBody,
        errors=(
            (402, "BUDGET_EXCEEDED"),
            (404, "LISTING_NOT_FOUND"),
            (404, "BUYER_NOT_FOUND"),
            (409, KEY_REUSED),
            (409, "METERED_SETTLEMENT_PAST_DUE"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_SETUP_REQUIRED"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED"),
            (409, "USD_TERMS_REQUIRED"),
        ),
        tag="capabilities",
    ),
)
