"""Take a payment: settle it at once, or accept it as metered usage, and tell the merchant.

One path for every payment, whoever asks for it: a standard amount moves from the buyer's
chain account to the provider's wallet and the platform's; a micro or nano amount accrues.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.exc import IntegrityError

from settlekit.challenge import challenge_hash, request_hash_v2
from settlekit.money import TOKENS, Band
from settlekit_mock.kernel.bulk import insert_rows
from settlekit_mock.kernel.problems import Conflict, Problem
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger import service as ledger
from settlekit_mock.payments.rules.checkout import payable_band
from settlekit_mock.payments.tables import REQUIREMENTS, Merchant
from settlekit_mock.settlement.confirmations import (
    AGGREGATED,
    CADENCES,
    CONFIRMED,
    metered_amounts,
)
from settlekit_mock.settlement.funds import pay_now
from settlekit_mock.settlement.rules.acceptance import SETTLEMENT_THRESHOLD_MINOR
from settlekit_mock.settlement.rules.amounts import (
    plan_named,
    standard_fee_minor,
    units_of,
    wire_minor,
)
from settlekit_mock.settlement.scopes import Sale
from settlekit_mock.settlement.usage import Usage, accept
from settlekit_mock.webhooks.service import emit_all

SPENT = "direct_payment.spent"
PER_PAYMENT = "per_payment_onchain"
OPERATION_KEY = "external_402.pay"


class Payment(NamedTuple):
    """A payment to take: whose, how much, and the challenge that proves it.

    ``expires_at`` and ``metadata`` are its requirement's.
    """

    buyer_id: str
    amount_minor: int
    currency: str
    challenge: str
    expires_at: int
    metadata: Mapping[str, Any]
    operation_key: str = OPERATION_KEY
    capability_key: str | None = None
    outcome: str | None = None
    """The fate of the work a metered payment is for, where it isn't success."""


class Charged(NamedTuple):
    """What a payment moved: at once (``chain_receipt_id``), or into a period (``usage``).

    ``data`` is what the merchant is told of it, once it is confirmed.
    """

    band: Band
    chain_receipt_id: str | None
    usage: Usage | None
    fee_bps: int | None
    data: dict[str, object]


class Taken(NamedTuple):
    """A payment that was taken; ``chain_receipt_id`` is null for a metered one."""

    requirement_id: str
    band: Band
    chain_receipt_id: str | None
    usage: Usage | None
    confirmed_event_id: str


def take(
    tx: Transaction, merchant: Merchant, payment: Payment, *, told: Mapping[str, object]
) -> Taken:
    """Take a payment that the server asks for itself: its requirement is spent as it is made.

    ``told`` is added to the events' data. Raises what ``charge`` raises, and 409
    ``EXTERNAL_402_CHALLENGE_ALREADY_USED`` where the challenge has a requirement already.
    """
    requirement_id = tx.new_id("dpr")
    charged = charge(tx, merchant, payment, requirement_id)
    charged.data.update(told)
    events = tell_both(tx, merchant.merchant_user_id, charged.data)
    _write(tx, merchant, payment, requirement_id, charged=charged, events=events)
    return Taken(requirement_id, charged.band, charged.chain_receipt_id, charged.usage, events[0])


def charge(tx: Transaction, merchant: Merchant, payment: Payment, requirement_id: str) -> Charged:
    """Move a payment's money, or accept it as metered usage; its requirement is the caller's.

    Raises ``Problem`` 402 ``BUDGET_EXCEEDED`` or 409 ``METERED_SETTLEMENT_PAST_DUE``; nothing
    is written then.
    """
    band = payable_band(payment.amount_minor, payment.currency)
    data = _common(merchant, payment, requirement_id, band)
    if band is not Band.STANDARD:
        usage = accept(tx, _sale(merchant, payment), payment.amount_minor, outcome=payment.outcome)
        return Charged(band, None, usage, None, data | _accepted(usage))
    receipt, settled = _settle(tx, merchant, payment, requirement_id)
    bps = plan_named(merchant.billing_plan).settlement_fee_bps
    return Charged(band, receipt, None, bps, data | settled)


def _common(
    merchant: Merchant, payment: Payment, requirement_id: str, band: Band
) -> dict[str, object]:
    return {
        "mode": "external_402",
        "merchant": merchant.merchant,
        "listing_id": merchant.listing_id,
        "capability_key": payment.capability_key or merchant.capability_key,
        "requirement_id": requirement_id,
        "direct_payment_requirement_id": requirement_id,
        "challenge_hash": challenge_hash(payment.challenge),
        "request_hash_v2": request_hash_v2(
            merchant=merchant.merchant,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            challenge=payment.challenge,
        ),
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "token_symbol": TOKENS[payment.currency],
        "status": "confirmed",
        "pricing_band": band.value,
        "settlement_cadence": CADENCES[band],
        "metadata_jsonb": payment.metadata,
    }


# -- standard: settled at once -----------------------------------------------------------


def _settle(
    tx: Transaction, merchant: Merchant, payment: Payment, requirement_id: str
) -> tuple[str, dict[str, object]]:
    currency, amount_minor = payment.currency, payment.amount_minor
    try:
        pay_now(tx, buyer_id=payment.buyer_id, currency=currency, amount_minor=amount_minor)
    except Problem as problem:
        _refused(tx, merchant, payment, problem.code)
        raise
    plan = plan_named(merchant.billing_plan)
    fee_minor = standard_fee_minor(amount_minor, currency, plan)
    _post(tx, merchant, payment, requirement_id, units_of(fee_minor, currency))
    receipt = tx.new_id("chain")
    tx.record(
        "payment.settled",
        requirement_id,
        buyer=payment.buyer_id,
        merchant=merchant.merchant,
        currency=currency,
        amount_minor=str(amount_minor),
        fee_minor=str(fee_minor),
        chain_receipt_id=receipt,
    )
    return receipt, {
        "finality": PER_PAYMENT,
        "settlement_status": "settled",
        "chain_receipt_id": receipt,
        "settled_at": to_text(tx.now),
        "fee_bps": plan.settlement_fee_bps,
        "settlement_fee_minor": str(fee_minor),
        "provider_receivable_minor": str(amount_minor - fee_minor),
        "buyer_debit_minor": str(amount_minor),
        "protocol_fee_minor": None,
    }


def _post(
    tx: Transaction, merchant: Merchant, payment: Payment, requirement_id: str, fee: int
) -> None:
    currency = payment.currency
    gross = units_of(payment.amount_minor, currency)
    owner = merchant.merchant_user_id
    provider = ledger.wallet(tx, owner_scope="developer", owner_id=owner, currency=currency)
    platform = ledger.wallet(tx, owner_scope="platform", owner_id="platform", currency=currency)
    legs = [
        ledger.Leg(ledger.chain_account(tx, payment.buyer_id, currency), -gross),
        ledger.Leg(provider, gross - fee),
        ledger.Leg(platform, fee),
    ]
    ledger.post(tx, "direct_payment", legs, subject=requirement_id)


def _refused(tx: Transaction, merchant: Merchant, payment: Payment, code: str) -> None:
    tx.when_refused(
        lambda after: after.record(
            "payment.refused",
            after.new_id("dprr"),
            buyer=payment.buyer_id,
            merchant=merchant.merchant,
            currency=payment.currency,
            amount_minor=str(payment.amount_minor),
            code=code,
        )
    )


# -- micro and nano: accepted usage ------------------------------------------------------


def _sale(merchant: Merchant, payment: Payment) -> Sale:
    return Sale(
        buyer_id=payment.buyer_id,
        provider_id=merchant.merchant_user_id,
        merchant=merchant.merchant,
        listing_id=merchant.listing_id,
        capability_key=payment.capability_key or merchant.capability_key,
        operation_key=payment.operation_key,
        currency=payment.currency,
        product_listing_id=merchant.listing_id,
    )


def _accepted(usage: Usage) -> dict[str, object]:
    reached = usage.threshold_reached_at
    return {
        "finality": AGGREGATED,
        "settlement_status": "pending_settlement",
        "metered_usage_id": usage.metered_usage_id,
        **metered_amounts(usage.gross, usage.fee, usage.currency),
        "settlement_trigger": "scheduled_close" if reached is None else "amount_threshold",
        "settlement_threshold_minor": str(SETTLEMENT_THRESHOLD_MINOR),
        "threshold_reached_at": optional_text(reached),
        "total_unsettled_exposure_minor": wire_minor(usage.exposure, usage.currency),
    }


# -- what is written and told ------------------------------------------------------------


def _write(
    tx: Transaction,
    merchant: Merchant,
    payment: Payment,
    requirement_id: str,
    *,
    charged: Charged,
    events: tuple[str, str],
) -> None:
    usage = charged.usage
    row = (
        requirement_id,
        merchant.merchant_number,
        payment.buyer_id,
        payment.capability_key,
        payment.amount_minor,
        payment.currency,
        charged.band.value,
        payment.challenge,
        charged.data["challenge_hash"],
        charged.fee_bps,
        "spent",
        charged.chain_receipt_id,
        None if usage is None else usage.metered_usage_id,
        *events,
        msgspec.json.encode(payment.metadata).decode(),
        payment.expires_at,
        tx.now,
        tx.now,
        tx.now,
        tx.now,
    )
    try:
        insert_rows(tx.connection, REQUIREMENTS, _REQUIREMENT_COLUMNS, [row])
    except IntegrityError as error:
        raise challenge_used() from error


def challenge_used() -> Conflict:
    """Make the refusal of a challenge that has a requirement already."""
    return Conflict(
        "this challenge has paid, or was given to another buyer; ask the merchant for a new one",
        code="EXTERNAL_402_CHALLENGE_ALREADY_USED",
    )


_REQUIREMENT_COLUMNS = (
    "requirement_id",
    "merchant_number",
    "buyer_id",
    "capability_key",
    "amount_minor",
    "currency",
    "pricing_band",
    "challenge",
    "challenge_hash",
    "fee_bps",
    "status",
    "chain_receipt_id",
    "metered_usage_id",
    "confirmed_event_id",
    "spent_event_id",
    "metadata",
    "expires_at",
    "confirmed_at",
    "spent_at",
    "created_at",
    "updated_at",
)


def tell_both(tx: Transaction, owner: str, data: dict[str, object]) -> tuple[str, str]:
    """Tell a merchant that a payment was confirmed, and consumed with it."""
    confirmed, spent = emit_all(
        tx, owner=owner, events=[(CONFIRMED, data), (SPENT, as_spent(data, tx.now))]
    )
    return confirmed, spent


def as_spent(confirmed: Mapping[str, object], spent_at: int) -> dict[str, object]:
    """Turn what was told of a confirmed payment into what is told once it is consumed."""
    return {**confirmed, "status": "spent", "spent_at": to_text(spent_at)}
