"""Payment requirements: one payment asked of one buyer, and its execution."""

from decimal import Decimal
from typing import Any

import attrs

from settlekit._redaction import masked_repr
from settlekit.models.base import Instant, JsonObject, Model
from settlekit.models.states import (
    Finality,
    FinalizationStatus,
    PaymentSettlementStatus,
    PricingBand,
    ReceiptKind,
    ReceiptStatus,
    RequirementStatus,
    SettlementCadence,
)


@attrs.frozen(kw_only=True, getstate_setstate=False)
class TransactionRequest(Model):
    """A transaction for the buyer's own wallet; the platform holds no keys.

    ``from_`` is ``from`` on the wire.
    """

    to: str
    from_: str | None = None
    data: str | None = attrs.field(default=None, repr=False)
    value: str | None = None
    network: str | None = None
    chain_id: int | None = None
    metadata_jsonb: JsonObject = attrs.field(factory=dict[str, Any], repr=masked_repr)


@attrs.frozen(kw_only=True, getstate_setstate=False)
class PaymentRequirement(Model):
    """One payment asked of one buyer; ``amount_minor`` is in minor units.

    ``protocol_fee_minor`` is None for a standard payment, ``approve_transaction_request``
    where no allowance is needed.
    """

    requirement_id: str
    status: RequirementStatus
    id: str | None = None
    direct_payment_requirement_id: str | None = None
    mode: str | None = None
    merchant: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    token_symbol: str | None = None
    challenge_hash: str | None = None
    requirement_hash: str | None = None
    request_hash: str | None = None
    request_hash_v2: str | None = None
    siglume_signature: str | None = attrs.field(default=None, repr=False)
    buyer_user_id: str | None = attrs.field(default=None, repr=False)
    product_listing_id: str | None = None
    listing_id: str | None = None
    capability_key: str | None = None
    fee_bps: int | None = None
    pricing_band: PricingBand | None = None
    settlement_cadence: SettlementCadence | None = None
    finality: Finality | None = None
    protocol_fee_minor: Decimal | None = None
    settlement_status: PaymentSettlementStatus | None = None
    chain_receipt_id: str | None = None
    expires_at: Instant | None = None
    confirmed_at: Instant | None = None
    spent_at: Instant | None = None
    agent_id: str | None = None
    access_grant_id: str | None = None
    buyer_confirmation: JsonObject | None = attrs.field(default=None, repr=False)
    transaction_request: TransactionRequest | None = None
    approve_transaction_request: TransactionRequest | None = None
    non_custodial: bool | None = None
    metadata_jsonb: JsonObject = attrs.field(factory=dict[str, Any], repr=masked_repr)
    created_at: Instant | None = None
    updated_at: Instant | None = None

    @property
    def is_settled(self) -> bool:
        """Whether its money has come: settled, with a receipt of the chain."""
        return self.settlement_status is PaymentSettlementStatus.SETTLED and bool(
            self.chain_receipt_id
        )


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Receipt(Model):
    """What was executed; ``chain_receipt_id`` is None where no transaction was sent."""

    receipt_id: str
    chain_receipt_id: str | None = None
    receipt_kind: ReceiptKind | None = None
    reference_type: str | None = None
    reference_id: str | None = None
    status: ReceiptStatus | None = None
    finality: Finality | None = None
    finalized_at: Instant | None = None
    network: str | None = None
    chain_id: int | None = None
    metadata_jsonb: JsonObject = attrs.field(factory=dict[str, Any], repr=masked_repr)
    created_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Finalization(Model):
    """Whether it is final: a transaction at once, accepted usage when its batch settles."""

    status: FinalizationStatus | None = None
    finality: Finality | None = None
    finalized_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class ExecutedTransaction(Model):
    """The receipt of a prepared transaction."""

    receipt: Receipt
    finalization: Finalization | None = None
