"""Payment requirements: an agent asks, executes and proves one payment."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from settlekit import _codec
from settlekit._calls import arguments, terms
from settlekit._calls.call import Call, get, post
from settlekit.challenge import normalize_currency, normalize_merchant
from settlekit.errors import InvalidArgument
from settlekit.models import (
    ExecutedTransaction,
    PaymentRequirement,
    ReceiptKind,
    TransactionRequest,
)
from settlekit.money import check_amount_minor

PATH = "/sdrp/direct-payments/requirements"
EXECUTE_PATH = "/market/web3/transactions/execute-prepared"
MODE: Final = "external_402"
REFERENCE_TYPE: Final = "sdrp_direct_payment_requirement"


def create(
    *,
    merchant: str,
    amount_minor: int,
    currency: str,
    challenge: str,
    token_symbol: str | None = None,
    allowance_amount_minor: int | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[PaymentRequirement]:
    """Make a requirement of a challenge, whose nonce makes the call safe to repeat."""
    call = post(
        PATH,
        _codec.one(PaymentRequirement),
        mode=MODE,
        merchant=normalize_merchant(merchant),
        amount_minor=check_amount_minor(amount_minor),
        currency=normalize_currency(currency),
        challenge=terms.one_time_challenge(challenge),
        token_symbol=arguments.token_symbol(token_symbol),
        allowance_amount_minor=arguments.amount_minor(
            allowance_amount_minor, "allowance_amount_minor"
        ),
        metadata=arguments.metadata(metadata),
    )
    return attrs.evolve(call, repeatable=True)


def fetch(requirement_id: str) -> Call[PaymentRequirement]:
    """Ask for a requirement."""
    return get(_path(requirement_id), _codec.one(PaymentRequirement))


def verify(
    requirement_id: str,
    *,
    receipt_id: str | None = None,
    chain_receipt_id: str | None = None,
    await_finality: bool | None = None,
    await_required_status: str | None = None,
    await_timeout_seconds: int | None = None,
    await_poll_seconds: int | None = None,
) -> Call[PaymentRequirement]:
    """Prove a payment by its receipt."""
    return post(
        f"{_path(requirement_id)}/verify",
        _codec.one(PaymentRequirement),
        receipt_id=arguments.optional(receipt_id, "receipt_id"),
        chain_receipt_id=arguments.optional(chain_receipt_id, "chain_receipt_id"),
        await_finality=arguments.flag(await_finality, "await_finality"),
        await_required_status=arguments.status(await_required_status, "await_required_status"),
        await_timeout_seconds=arguments.count(await_timeout_seconds, "await_timeout_seconds"),
        await_poll_seconds=arguments.count(await_poll_seconds, "await_poll_seconds"),
    )


def execute(
    requirement: PaymentRequirement,
    *,
    await_finality: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> Call[ExecutedTransaction]:
    """Execute a requirement's payment."""
    transaction = requirement.transaction_request
    return _execute(requirement, transaction, ReceiptKind.PAYMENT, await_finality, metadata)


def execute_allowance(
    requirement: PaymentRequirement,
    *,
    await_finality: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> Call[ExecutedTransaction]:
    """Execute the allowance that a requirement needs first."""
    transaction = requirement.approve_transaction_request
    return _execute(requirement, transaction, ReceiptKind.ALLOWANCE, await_finality, metadata)


def _execute(
    requirement: PaymentRequirement,
    transaction: TransactionRequest | None,
    kind: ReceiptKind,
    await_finality: bool,
    metadata: Mapping[str, Any] | None,
) -> Call[ExecutedTransaction]:
    if transaction is None:
        raise InvalidArgument("requirement", f"has no transaction of kind {kind} to execute")
    return post(
        EXECUTE_PATH,
        _codec.one(ExecutedTransaction),
        transaction_request=transaction.to_dict(),
        receipt_kind=str(kind),
        reference_type=REFERENCE_TYPE,
        reference_id=arguments.required(requirement.requirement_id, "requirement"),
        metadata={**transaction.metadata_jsonb, **(arguments.metadata(metadata) or {})},
        await_finality=arguments.flag(await_finality, "await_finality"),
    )


def _path(requirement_id: str) -> str:
    return f"{PATH}/{arguments.path_segment(requirement_id, 'requirement_id')}"
