"""What an event means: the three kinds of ``direct_payment.confirmed``, told by their fields.

Never by name alone: a payment that settled, one that was accepted and settles later, and
a batch that settled many all bear the same type. What lacks a field of its kind is
``Unknown``, with the reason, so that nothing is booked on a guess. ``interpret`` tells one
kind more: ``direct_payment.spent``, which says that a requirement was consumed.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

import attrs

from settlekit._scalars import parse_instant
from settlekit.models.base import JsonObject
from settlekit.models.states import PricingBand, SettlementCadence
from settlekit.webhooks.events import Event

CONFIRMED = "direct_payment.confirmed"
SPENT = "direct_payment.spent"
PAYMENT_MODE = "external_402"
BATCH_MODE = "metered_settlement_batch"
METERED_FINALITY = "aggregated_onchain_settlement"
STANDARD_FINALITY = "per_payment_onchain"
METERED = {
    "micro": (PricingBand.MICRO, SettlementCadence.WEEKLY),
    "nano": (PricingBand.NANO, SettlementCadence.MONTHLY),
}


class UnknownReason(StrEnum):
    """Why an event is none of the kinds, in the order of the checks."""

    NOT_DIRECT_PAYMENT_CONFIRMED = "not_direct_payment_confirmed"
    UNSUPPORTED_CONFIRMATION_MODE = "unsupported_confirmation_mode"
    INVALID_METERED_SETTLEMENT_CONFIRMATION = "invalid_metered_settlement_confirmation"
    MISSING_STANDARD_SETTLEMENT_FIELDS = "missing_standard_settlement_fields"
    MISSING_METERED_USAGE_FIELDS = "missing_metered_usage_fields"
    UNKNOWN_CONFIRMATION_SHAPE = "unknown_confirmation_shape"


# Without slots a frozen class is made faster, and these live as long as one delivery.
@attrs.frozen(kw_only=True, slots=False)
class Classified:
    """What all kinds have: the event, and what its data says of the payment."""

    kind: ClassVar[str]
    event: Event

    @property
    def merchant(self) -> str | None:
        """The merchant's key."""
        return text(self.event.data, "merchant")

    @property
    def currency(self) -> str | None:
        """JPY or USD."""
        return text(self.event.data, "currency")

    @property
    def token_symbol(self) -> str | None:
        """JPYC or USDC."""
        return text(self.event.data, "token_symbol")

    @property
    def amount_minor(self) -> int | None:
        """The price of one payment in minor units."""
        amount = self.event.data.get("amount_minor")
        return amount if type(amount) is int else None


@attrs.frozen(kw_only=True, slots=False)
class StandardSettled(Classified):
    """A standard payment that settled on chain."""

    kind: ClassVar[str] = "standard_settled"
    requirement_id: str
    challenge_hash: str
    chain_receipt_id: str
    request_hash_v2: str | None = None


@attrs.frozen(kw_only=True, slots=False)
class MeteredUsageAccepted(Classified):
    """A micro or nano payment that was accepted: it is owed, and not yet settled."""

    kind: ClassVar[str] = "metered_usage_accepted"
    requirement_id: str
    challenge_hash: str
    pricing_band: PricingBand
    settlement_cadence: SettlementCadence
    request_hash_v2: str | None = None


@attrs.frozen(kw_only=True, slots=False)
class MeteredBatchSettled(Classified):
    """A batch of metered payments that settled on chain with one debit."""

    kind: ClassVar[str] = "metered_batch_settled"
    settlement_batch_id: str
    chain_receipt_id: str
    usage_event_digest: str
    pricing_band: PricingBand
    settlement_cadence: SettlementCadence
    settled_at: datetime | None = None


@attrs.frozen(kw_only=True, slots=False)
class Unknown(Classified):
    """An event of no known kind, the reason, and what could be read."""

    kind: ClassVar[str] = "unknown"
    reason: UnknownReason
    requirement_id: str | None = None
    settlement_batch_id: str | None = None
    pricing_band: PricingBand | None = None
    settlement_cadence: SettlementCadence | None = None
    settlement_status: str | None = None
    finality: str | None = None


@attrs.frozen(kw_only=True, slots=False)
class Spent(Classified):
    """A requirement that was consumed: its payment can't be used a second time."""

    kind: ClassVar[str] = "spent"
    requirement_id: str
    challenge_hash: str | None = None


Classification = StandardSettled | MeteredUsageAccepted | MeteredBatchSettled | Unknown
Told = Classification | Spent
"""Whatever an event can tell."""


def interpret(event: Event) -> Told:
    """Say what an event tells: Spent for a consumed requirement, else as ``classify`` does."""
    if event.type == SPENT and (requirement_id := _requirement_id(event.data)):
        challenge = text(event.data, "challenge_hash")
        return Spent(event=event, requirement_id=requirement_id, challenge_hash=challenge)
    return classify(event)


def classify(event: Event) -> Classification:
    """Say which kind of event this is; the same data always gives the same kind."""
    data = event.data
    if event.type != CONFIRMED:
        return _unknown(event, UnknownReason.NOT_DIRECT_PAYMENT_CONFIRMED)
    mode = text(data, "mode")
    if mode == BATCH_MODE:
        return _batch(event, data)
    if mode != PAYMENT_MODE:
        return _unknown(event, UnknownReason.UNSUPPORTED_CONFIRMATION_MODE)
    band = text(data, "pricing_band")
    if band == "standard":
        return _standard(event, data)
    if band is not None and band in METERED:
        return _usage(event, data, band)
    return _unknown(event, UnknownReason.UNKNOWN_CONFIRMATION_SHAPE)


def text(data: JsonObject, name: str) -> str | None:
    """Return a field's text, trimmed; None where there is none."""
    value: Any = data.get(name)
    return (value.strip() or None) if type(value) is str else None


def _batch(event: Event, data: JsonObject) -> MeteredBatchSettled | Unknown:
    batch_id = text(data, "settlement_batch_id")
    receipt = text(data, "chain_receipt_id")
    digest = text(data, "usage_event_digest")
    settled = text(data, "settlement_status") == "settled"
    metered = _metered(data, text(data, "pricing_band"))
    if not (batch_id and receipt and digest and settled and metered):
        return _unknown(event, UnknownReason.INVALID_METERED_SETTLEMENT_CONFIRMATION)
    return MeteredBatchSettled(
        event=event,
        settlement_batch_id=batch_id,
        chain_receipt_id=receipt,
        usage_event_digest=digest,
        pricing_band=metered[0],
        settlement_cadence=metered[1],
        settled_at=_instant(text(data, "settled_at")),
    )


def _standard(event: Event, data: JsonObject) -> StandardSettled | Unknown:
    requirement_id = _requirement_id(data)
    challenge = text(data, "challenge_hash")
    receipt = text(data, "chain_receipt_id")
    final = text(data, "finality") == STANDARD_FINALITY
    settled = text(data, "settlement_status") == "settled"
    if not (requirement_id and challenge and receipt and final and settled):
        return _unknown(event, UnknownReason.MISSING_STANDARD_SETTLEMENT_FIELDS)
    return StandardSettled(
        event=event,
        requirement_id=requirement_id,
        challenge_hash=challenge,
        chain_receipt_id=receipt,
        request_hash_v2=text(data, "request_hash_v2"),
    )


def _usage(event: Event, data: JsonObject, band: str) -> MeteredUsageAccepted | Unknown:
    requirement_id = _requirement_id(data)
    challenge = text(data, "challenge_hash")
    pending = text(data, "settlement_status") == "pending_settlement"
    metered = _metered(data, band)
    if not (requirement_id and challenge and pending and metered):
        return _unknown(event, UnknownReason.MISSING_METERED_USAGE_FIELDS)
    return MeteredUsageAccepted(
        event=event,
        requirement_id=requirement_id,
        challenge_hash=challenge,
        pricing_band=metered[0],
        settlement_cadence=metered[1],
        request_hash_v2=text(data, "request_hash_v2"),
    )


def _metered(data: JsonObject, band: str | None) -> tuple[PricingBand, SettlementCadence] | None:
    """Return band and cadence, where they and the finality go together."""
    metered = METERED.get(band or "")
    if metered is None or text(data, "finality") != METERED_FINALITY:
        return None
    # An enum's == is slower than that of its text.
    return metered if text(data, "settlement_cadence") == metered[1].value else None


def _unknown(event: Event, reason: UnknownReason) -> Unknown:
    data = event.data
    band, cadence = text(data, "pricing_band"), text(data, "settlement_cadence")
    return Unknown(
        event=event,
        reason=reason,
        requirement_id=_requirement_id(data),
        settlement_batch_id=text(data, "settlement_batch_id"),
        pricing_band=PricingBand(band) if band else None,
        settlement_cadence=SettlementCadence(cadence) if cadence else None,
        settlement_status=text(data, "settlement_status"),
        finality=text(data, "finality"),
    )


def _requirement_id(data: JsonObject) -> str | None:
    return text(data, "requirement_id") or text(data, "direct_payment_requirement_id")


def _instant(value: str | None) -> datetime | None:
    try:
        return None if value is None else parse_instant(value)
    except ValueError:
        return None
