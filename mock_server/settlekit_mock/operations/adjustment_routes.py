"""The route of adjustments, refunds and chargebacks."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta

from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.http.wire import AmountText, Answer, Currency, NoteText, StrictBody
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.operations.adjustments import KEY_REUSED, Adjusted, Wanted, adjust
from settlekit_mock.operations.amounts import amounts, asked_amount, two_shapes
from settlekit_mock.operations.wire import OptionalCurrency, OptionalMajor

Kind = Literal["adjustment", "refund", "chargeback"]
Direction = Literal["credit", "debit"]
IdempotencyKey = Annotated[str, Meta(min_length=1, max_length=128)]


class AdjustmentBody(StrictBody, frozen=True, kw_only=True):
    """What to add or take: ``amount_usd`` of a USD wallet, else amount and currency."""

    kind: Kind
    direction: Direction
    amount_usd: AmountText | None = None
    amount: AmountText | None = None
    currency: Currency | None = None
    reason: NoteText | None = None
    idempotency_key: IdempotencyKey | None = None


class AdjustmentFields(Answer, frozen=True, kw_only=True):
    """An adjustment, and what the wallet held after it."""

    id: str
    wallet_id: str
    kind: Kind
    direction: Direction
    currency: OptionalCurrency = UNSET
    amount: OptionalMajor = UNSET
    amount_usd: OptionalMajor = UNSET
    status: Literal["applied"] = "applied"
    reason: str | None
    idempotency_key: str | None
    wallet_balance: OptionalMajor = UNSET
    wallet_balance_usd: OptionalMajor = UNSET


AdjustmentAnswer = Annotated[AdjustmentFields, two_shapes("amount", "wallet_balance")]


def _adjust(request: Request) -> bytes:
    wanted = _wanted(request.path["wallet_id"], request.body)
    with request.world.transaction() as tx:
        return adjust(tx, wanted, actor=request.caller.subject, write=_written)


def _wanted(wallet_id: str, body: AdjustmentBody) -> Wanted:
    currency, amount = asked_amount("amount", body.amount_usd, body.amount, body.currency)
    if amount is None:
        raise Invalid("amount_usd: say how much, or amount and currency for another wallet")
    return Wanted(
        wallet_id=wallet_id,
        kind=body.kind,
        currency=currency,
        amount=amount if body.direction == "credit" else -amount,
        reason=body.reason,
        idempotency_key=body.idempotency_key,
    )


def _written(adjusted: Adjusted) -> bytes:
    wanted: Any = adjusted.wanted
    answer = AdjustmentFields(
        id=adjusted.adjustment_id,
        wallet_id=wanted.wallet_id,
        kind=wanted.kind,
        direction=wanted.direction,
        **amounts(wanted.currency, amount=abs(wanted.amount), wallet_balance=adjusted.balance),
        reason=wanted.reason,
        idempotency_key=wanted.idempotency_key,
    )
    return msgspec.json.encode(answer)


ADJUSTMENT_ROUTES: Final = (
    Route(
        "POST",
        "/v1/admin/wallets/<wallet_id>/adjustments",
        Role.ADMIN,
        _adjust,
        AdjustmentAnswer,
        "Adjust a wallet, refund to it or charge back from it",
        body=AdjustmentBody,
        status=201,
        dialect=OPERATIONS,
        errors=((402, "insufficient_balance"), (409, KEY_REUSED)),
    ),
)
