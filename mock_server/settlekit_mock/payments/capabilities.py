"""Run a paid capability: check the budget, call its provider, record usage, once for each key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from settlekit.challenge import challenge_hash, sign
from settlekit.money import Band
from settlekit_mock.kernel.idempotency import payload_hash
from settlekit_mock.kernel.problems import Conflict, Invalid, NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.capabilities_tables import (
    INSERT_EXECUTION,
    UPDATE_EXECUTION,
    Execution,
    execution_of,
    merchant_listed,
)
from settlekit_mock.payments.checkout import check_billing
from settlekit_mock.payments.paying import Payment, Taken, take
from settlekit_mock.payments.rules import merchants as merchant_rules
from settlekit_mock.payments.rules.capabilities import CONSEQUENCES, Consequence, Outcome
from settlekit_mock.payments.rules.checkout import LIFETIME, payable_band
from settlekit_mock.payments.tables import Merchant
from settlekit_mock.settlement import simulations
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.settlement.funds import open_purse, refusal
from settlekit_mock.settlement.rules.acceptance import Refused, decide
from settlekit_mock.settlement.rules.amounts import units_of
from settlekit_mock.settlement.scopes import Sale, open_scope
from settlekit_mock.settlement.usage import record_refusal

KEY_REUSED = "IDEMPOTENCY_KEY_REUSED_WITH_DIFFERENT_PAYLOAD"


@dataclass(frozen=True, slots=True)
class Work:
    """What a buyer's agent asks of a capability, and what it pays."""

    buyer_id: str
    capability_key: str
    listing_id: str
    operation_key: str
    amount_minor: int
    currency: str
    idempotency_key: str
    input: Mapping[str, Any]


class Charge(NamedTuple):
    """What a run charged: the payment that was taken, under the challenge the server made."""

    taken: Taken
    challenge_hash: str


class Ran(NamedTuple):
    """One run of a capability's provider; ``charge`` is null where it charged nothing."""

    execution_id: str
    attempt: int
    work: Work
    merchant: str
    outcome: Outcome
    consequence: Consequence
    charge: Charge | None
    executed_at: int


def execute(tx: Transaction, work: Work, *, write: Callable[[Ran], bytes]) -> bytes:
    """Run a capability and return what ``write`` makes of it.

    An outcome that charged stands: its key answers the same bytes from then on. One that
    didn't runs the provider again. Raises ``NotFound`` for an unknown listing, ``Conflict`` for
    a key that came with another payload and while the scope is paused, ``Invalid`` for an
    amount that isn't metered, 402 ``BUDGET_EXCEEDED``; the provider isn't called then.
    """
    merchant = _listed(tx, work.listing_id)
    work = replace(work, currency=_currency(merchant, work.currency))
    if payable_band(work.amount_minor, work.currency) is Band.STANDARD:
        raise Invalid("amount_minor: capabilities are metered; this amount settles per payment")
    found = _bound(tx, merchant, work)
    if found is not None and found.answer is not None:
        return found.answer
    check_billing(merchant, work.currency)
    _check_funds(tx, merchant, work)
    return _run(tx, merchant, work, found or _begin(tx, merchant, work), write)


def _listed(tx: Transaction, listing_id: str) -> Merchant:
    merchant = merchant_listed(tx.connection, listing_id)
    if merchant is None:
        raise NotFound("no such listing", code="LISTING_NOT_FOUND")
    return merchant


def _currency(merchant: Merchant, text: str) -> str:
    currency = merchant_rules.currency(text)
    if currency not in merchant.currencies:
        raise Invalid(f"currency: this merchant takes {' and '.join(merchant.currencies)}")
    return currency


# -- keys ----------------------------------------------------------------------------------


def _bound(tx: Transaction, merchant: Merchant, work: Work) -> Execution | None:
    """Return what the key stands for; a key belongs to its first payload, charged or not."""
    found = execution_of(
        tx.connection,
        buyer_id=work.buyer_id,
        merchant_number=merchant.merchant_number,
        capability_key=work.capability_key,
        idempotency_key=work.idempotency_key,
    )
    if found is not None and found.payload_hash != _hash(work):
        raise Conflict(
            "this key was used with another payload; use a new key for a new operation",
            code=KEY_REUSED,
        )
    return found


def _begin(tx: Transaction, merchant: Merchant, work: Work) -> Execution:
    begun = Execution(tx.new_id("cex"), _hash(work), 0, None)
    row: dict[str, object] = {
        **begun._asdict(),
        "buyer_id": work.buyer_id,
        "merchant_number": merchant.merchant_number,
        "capability_key": work.capability_key,
        "idempotency_key": work.idempotency_key,
        "created_at": tx.now,
    }
    tx.connection.execute(INSERT_EXECUTION, row)
    return begun


def _hash(work: Work) -> bytes:
    return payload_hash([work.operation_key, work.amount_minor, work.currency, work.input])


# -- before the provider is called -----------------------------------------------------------


def _check_funds(tx: Transaction, merchant: Merchant, work: Work) -> None:
    """Refuse work that couldn't be charged, as accepting its usage would."""
    sale = Sale(
        buyer_id=work.buyer_id,
        provider_id=merchant.merchant_user_id,
        merchant=merchant.merchant,
        listing_id=merchant.listing_id,
        capability_key=work.capability_key,
        operation_key=work.operation_key,
        currency=work.currency,
    )
    buyer = buyer_with_id(tx.connection, work.buyer_id)
    scope = open_scope(tx, buyer, sale, payable_band(work.amount_minor, work.currency))
    purse = open_purse(tx.connection, buyer, work.currency)
    gross = units_of(work.amount_minor, work.currency)
    refused = decide(scope.state, purse.at(tx.now), gross, work.currency)
    if isinstance(refused, Refused):
        tx.when_refused(
            lambda after: record_refusal(after, sale, work.amount_minor, refused, after.now)
        )
        raise refusal(refused)


# -- the provider, and what it leaves behind -------------------------------------------------


def _run(
    tx: Transaction,
    merchant: Merchant,
    work: Work,
    execution: Execution,
    write: Callable[[Ran], bytes],
) -> bytes:
    outcome = _called(tx, work)
    consequence = CONSEQUENCES[outcome]
    charge = None
    if consequence.charged:
        charge = _charge(tx, merchant, work, execution.execution_id, consequence)
    ran = Ran(
        execution_id=execution.execution_id,
        attempt=execution.attempt_count + 1,
        work=work,
        merchant=merchant.merchant,
        outcome=outcome,
        consequence=consequence,
        charge=charge,
        executed_at=tx.now,
    )
    answer = write(ran)
    _keep(tx, ran, answer)
    return answer


def _called(tx: Transaction, work: Work) -> Outcome:
    simulated = simulations.take(
        tx, simulations.Kind.PROVIDER_OUTCOME, subject=work.capability_key, buyer_id=work.buyer_id
    )
    return Outcome.SUCCESS if simulated is None else Outcome(simulated)


def _charge(
    tx: Transaction,
    merchant: Merchant,
    work: Work,
    execution_id: str,
    consequence: Consequence,
) -> Charge:
    challenge = sign(
        secret=merchant.challenge_secret,
        merchant=merchant.merchant,
        amount_minor=work.amount_minor,
        currency=work.currency,
        nonce=execution_id,
    )
    payment = Payment(
        buyer_id=work.buyer_id,
        amount_minor=work.amount_minor,
        currency=work.currency,
        challenge=challenge,
        expires_at=tx.now + LIFETIME,
        metadata={},
        operation_key=work.operation_key,
        capability_key=work.capability_key,
        outcome=consequence.usage_outcome,
    )
    told = {"operation_key": work.operation_key, "capability_execution_id": execution_id}
    return Charge(take(tx, merchant, payment, told=told), challenge_hash(challenge))


def _keep(tx: Transaction, ran: Ran, answer: bytes) -> None:
    charge = ran.charge
    requirement_id = None if charge is None else charge.taken.requirement_id
    changed = {
        "given": ran.execution_id,
        "attempt_count": ran.attempt,
        "requirement_id": requirement_id,
        "answer": None if charge is None else answer,
    }
    tx.connection.execute(UPDATE_EXECUTION, changed)
    tx.record(
        "capability.executed",
        ran.execution_id,
        capability_key=ran.work.capability_key,
        merchant=ran.merchant,
        attempt=ran.attempt,
        outcome=ran.outcome.value,
        charged=charge is not None,
        requirement_id=requirement_id,
    )
