"""Execute what a requirement prepared: its allowance, then its payment, each once."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from settlekit_mock.kernel.ids import seed_key
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.paying import Payment, charge, tell_both
from settlekit_mock.payments.requirements import (
    EXPIRE,
    become,
    check_open,
    own_requirement,
    prepared,
)
from settlekit_mock.payments.requirements_tables import (
    INSERT_RECEIPT,
    Receipt,
    Requirement,
    receipt_of,
)
from settlekit_mock.payments.rules.requirements import (
    Prepared,
    ReceiptKind,
    RequirementStatus,
    raised_allowance,
    same_transaction,
)
from settlekit_mock.payments.tables import Merchant, merchant_numbered
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.settlement.confirmations import CONFIRMED
from settlekit_mock.settlement.funds import keep_purse, open_purse
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.webhooks.service import emit


class Execution(NamedTuple):
    """A prepared transaction that a buyer's wallet has signed, and what it is for."""

    requirement_id: str
    kind: ReceiptKind
    transaction: Prepared
    metadata: Mapping[str, Any]


def execute(tx: Transaction, buyer_id: str, given: Execution) -> Receipt:
    """Execute a prepared transaction once; asked again, the same receipt is returned.

    Raises ``NotFound`` for another's requirement, ``Invalid`` for a transaction that isn't
    the one it prepared, ``Conflict`` where it isn't open any more, and what ``charge`` raises.
    """
    found = own_requirement(tx.connection, buyer_id, given.requirement_id)
    merchant = merchant_numbered(tx.connection, found.merchant_number)
    own = prepared(found, merchant, given.kind, seed_key(tx.state.seed))
    if not same_transaction(given.transaction, own):
        raise Invalid("transaction_request: isn't the one that this requirement prepared")
    receipt = receipt_of(tx.connection, given.requirement_id, given.kind)
    if receipt is not None:
        return receipt
    check_open(tx, found, RequirementStatus.CONFIRMED)
    if given.kind is ReceiptKind.ALLOWANCE:
        return _allow(tx, found, given.metadata)
    return _pay(tx, found, merchant, given.metadata)


def _allow(tx: Transaction, found: Requirement, metadata: Mapping[str, Any]) -> Receipt:
    currency = found.currency
    purse = open_purse(tx.connection, buyer_with_id(tx.connection, found.buyer_id), currency)
    purse.allowance = raised_allowance(
        purse.allowance, purse.reserved, found.granted_minor, currency
    )
    keep_purse(tx.connection, purse)
    tx.record(
        "allowance.raised",
        found.requirement_id,
        buyer=found.buyer_id,
        currency=currency,
        allowance_minor=wire_minor(purse.allowance, currency),
    )
    return _write_receipt(tx, found, ReceiptKind.ALLOWANCE, tx.new_id("chain"), metadata)


def _pay(
    tx: Transaction, found: Requirement, merchant: Merchant, metadata: Mapping[str, Any]
) -> Receipt:
    payment = Payment(
        buyer_id=found.buyer_id,
        amount_minor=found.amount_minor,
        currency=found.currency,
        challenge=found.challenge,
        expires_at=found.expires_at,
        metadata=msgspec.json.decode(found.metadata),
    )
    charged = charge(tx, merchant, payment, found.requirement_id)
    tx.cancel(EXPIRE, found.requirement_id)
    paid: dict[str, Any] = {
        "fee_bps": charged.fee_bps,
        "chain_receipt_id": charged.chain_receipt_id,
        "confirmed_at": tx.now,
    }
    owner = merchant.merchant_user_id
    if charged.usage is None:
        event_id = emit(tx, owner=owner, event_type=CONFIRMED, data=charged.data)
        paid["confirmed_event_id"] = event_id
        found = become(tx, found, RequirementStatus.CONFIRMED, paid)
    else:
        # Accepted usage is consumed by being accepted: nothing is left to verify.
        confirmed, spent = tell_both(tx, owner, charged.data)
        paid |= {"metered_usage_id": charged.usage.metered_usage_id, "spent_at": tx.now}
        paid |= {"confirmed_event_id": confirmed, "spent_event_id": spent}
        tx.record("requirement.confirmed", found.requirement_id)
        found = become(tx, found, RequirementStatus.SPENT, paid)
    chain = charged.chain_receipt_id
    return _write_receipt(tx, found, ReceiptKind.PAYMENT, chain, metadata)


def _write_receipt(
    tx: Transaction,
    found: Requirement,
    kind: ReceiptKind,
    chain_receipt_id: str | None,
    metadata: Mapping[str, Any],
) -> Receipt:
    receipt = Receipt(
        receipt_id=tx.new_id("rcp"),
        requirement_id=found.requirement_id,
        receipt_kind=kind.value,
        chain_receipt_id=chain_receipt_id,
        metadata=msgspec.json.encode(metadata).decode(),
        created_at=tx.now,
    )
    tx.connection.execute(INSERT_RECEIPT, receipt._asdict())
    return receipt
