"""Checkout sessions: a payment that a person approves on the hosted page."""

from decimal import Decimal

import attrs

from settlekit._redaction import masked_repr
from settlekit.models.base import Instant, JsonObject, Model
from settlekit.models.states import (
    CheckoutStatus,
    Finality,
    PaymentSettlementStatus,
    PricingBand,
    SettlementCadence,
)


@attrs.frozen(kw_only=True, getstate_setstate=False)
class CheckoutSession(Model):
    """A hosted checkout; ``amount_minor`` is in minor units.

    Creating one answers its address, hash, status and expiry; getting it answers all.
    ``protocol_fee_minor`` is None for standard payments.
    """

    session_id: str
    status: CheckoutStatus
    checkout_url: str | None = None
    challenge_hash: str | None = None
    expires_at: Instant | None = None
    merchant: str | None = None
    currency: str | None = None
    token_symbol: str | None = None
    amount_minor: int | None = None
    requirement_id: str | None = None
    pricing_band: PricingBand | None = None
    settlement_cadence: SettlementCadence | None = None
    finality: Finality | None = None
    protocol_fee_minor: Decimal | None = None
    settlement_status: PaymentSettlementStatus | None = None
    chain_receipt_id: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
    authenticated_at: Instant | None = None
    paid_at: Instant | None = None
    cancelled_at: Instant | None = None
    created_at: Instant | None = None
    metadata_jsonb: JsonObject | None = attrs.field(default=None, repr=masked_repr)

    @property
    def is_settled(self) -> bool:
        """Whether its money has come: settled, with a receipt of the chain."""
        return self.settlement_status is PaymentSettlementStatus.SETTLED and bool(
            self.chain_receipt_id
        )
