"""Collect the monthly base fee of a paid plan, through the merchant's billing mandate.

A plan that costs nothing leaves nothing due: a world without paid plans stays idle.
"""

from typing import Final

from sqlalchemy import update

from settlekit_mock.kernel.problems import PaymentRequired
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger import service as ledger
from settlekit_mock.payments.billing_tables import (
    INSERT_FEE,
    UPDATE_FEE,
    BaseFee,
    base_fee_with_id,
    has_chain_account,
)
from settlekit_mock.payments.rules.billing import first_of_next_month, month_of, next_try_at
from settlekit_mock.payments.tables import MERCHANTS, Merchant, merchant_named, merchant_numbered
from settlekit_mock.settlement.buyers import CURRENCIES, DEFAULT_FUNDS
from settlekit_mock.settlement.rules.amounts import plan_named, units_of

COLLECT: Final = "billing.collect"
"""The kind of due work that collects a month's fee; its subject is the merchant's key."""
RETRY: Final = "billing.retry"
"""The kind of due work that tries an unpaid fee again; its subject is the fee's id."""

_NOT_BILLED: Final = frozenset({"setup_required", "suspended"})


def plan_changed(tx: Transaction, merchant: Merchant, plan: str) -> None:
    """Begin or end the monthly collection; the rest of the month in which a plan begins is free.

    A merchant's first paid plan gives it tokens to pay from, as a buyer has, unless its
    tokens are known.
    """
    costs = any(plan_named(plan).monthly_fee_minor.values())
    cost = any(plan_named(merchant.billing_plan).monthly_fee_minor.values())
    if costs and not cost:
        _fund(tx, merchant)
        tx.schedule(COLLECT, merchant.merchant, first_of_next_month(tx.now))
    elif cost and not costs:
        tx.cancel(COLLECT, merchant.merchant)


def _fund(tx: Transaction, merchant: Merchant) -> None:
    for currency in CURRENCIES:
        if not has_chain_account(tx.connection, merchant.merchant_user_id, currency):
            set_chain_balance(tx, merchant, currency, DEFAULT_FUNDS[currency])


def set_chain_balance(tx: Transaction, merchant: Merchant, currency: str, balance: int) -> None:
    """Bring the tokens of a merchant's owner to a balance in units, from outside or back there."""
    account = ledger.chain_account(tx, merchant.merchant_user_id, currency)
    difference = balance - ledger.balance(tx.connection, account.number)
    if difference:
        legs = [
            ledger.Leg(account, difference),
            ledger.Leg(ledger.outside(tx, currency), -difference),
        ]
        ledger.post(tx, "chain_funding", legs, subject=merchant.merchant_user_id)


def collect_due(tx: Transaction, merchant_key: str) -> None:
    """Collect the fee of the month that begins now, and look ahead to the next.

    A merchant whose billing was never set up, or is suspended, owes none.
    """
    merchant = merchant_named(tx.connection, merchant_key)
    assert merchant is not None
    tx.schedule(COLLECT, merchant_key, first_of_next_month(tx.now))
    if merchant.billing_status not in _NOT_BILLED:
        _try(tx, merchant, _owe(tx, merchant))


def retry_due(tx: Transaction, base_fee_id: str) -> None:
    """Try an unpaid fee again."""
    fee = base_fee_with_id(tx.connection, base_fee_id)
    _try(tx, merchant_numbered(tx.connection, fee.merchant_number), fee)


def _owe(tx: Transaction, merchant: Merchant) -> BaseFee:
    plan = plan_named(merchant.billing_plan)
    currency = merchant.billing_currency
    fee = BaseFee(
        base_fee_id=tx.new_id("bfee"),
        merchant_number=merchant.merchant_number,
        month=month_of(tx.now),
        amount_minor=plan.monthly_fee_minor[currency],
        currency=currency,
        status="unpaid",
        failed_tries=0,
    )
    row: dict[str, object] = {**fee._asdict(), "billing_plan": plan.name, "created_at": tx.now}
    tx.connection.execute(INSERT_FEE, row)
    return fee


def _try(tx: Transaction, merchant: Merchant, fee: BaseFee) -> None:
    obstacle = _mandate_obstacle(merchant, fee)
    if obstacle is None:
        try:
            _paid(tx, merchant, fee, _post(tx, merchant, fee))
            return
        except PaymentRequired:
            obstacle = "INSUFFICIENT_BALANCE"
    _failed(tx, merchant, fee, obstacle)


def _mandate_obstacle(merchant: Merchant, fee: BaseFee) -> str | None:
    if merchant.mandate_status != "active":
        return "MANDATE_INACTIVE"
    cap = merchant.mandate_cap_minor
    return "MANDATE_CAP_EXCEEDED" if cap is not None and fee.amount_minor > cap else None


def _post(tx: Transaction, merchant: Merchant, fee: BaseFee) -> str:
    amount = units_of(fee.amount_minor, fee.currency)
    legs = [
        ledger.Leg(ledger.chain_account(tx, merchant.merchant_user_id, fee.currency), -amount),
        ledger.Leg(_platform(tx, fee.currency), amount),
    ]
    return ledger.post(tx, "monthly_base_fee", legs, subject=fee.base_fee_id)


def _platform(tx: Transaction, currency: str) -> ledger.Account:
    return ledger.wallet(tx, owner_scope="platform", owner_id="platform", currency=currency)


def _paid(tx: Transaction, merchant: Merchant, fee: BaseFee, transaction_id: str) -> None:
    _keep(tx, fee, status="paid", transaction_id=transaction_id, paid_at=tx.now)
    _record(tx, "billing.fee_collected", merchant, fee)
    # A merchant that control has put past due stays so: only what this fee did is undone.
    if fee.failed_tries and merchant.billing_status == "past_due":
        _become(tx, merchant, "active")


def _failed(tx: Transaction, merchant: Merchant, fee: BaseFee, reason: str) -> None:
    fee = fee._replace(failed_tries=fee.failed_tries + 1)
    again_at = next_try_at(fee.failed_tries, tx.now)
    status = "given_up" if again_at is None else "unpaid"
    _keep(tx, fee, status=status, failed_tries=fee.failed_tries)
    _record(tx, "billing.fee_failed", merchant, fee, reason)
    if again_at is None:
        _become(tx, merchant, "suspended")
        return
    tx.schedule(RETRY, fee.base_fee_id, again_at)
    if merchant.billing_status != "past_due":
        _become(tx, merchant, "past_due")


def _keep(tx: Transaction, fee: BaseFee, **columns: object) -> None:
    tx.connection.execute(UPDATE_FEE, {"given": fee.base_fee_id, **columns})


def _become(tx: Transaction, merchant: Merchant, billing_status: str) -> None:
    tx.connection.execute(
        update(MERCHANTS)
        .where(MERCHANTS.c.merchant_number == merchant.merchant_number)
        .values(billing_status=billing_status, updated_at=tx.now)
    )
    tx.record(f"billing.{billing_status}", merchant.merchant)


def _record(
    tx: Transaction, kind: str, merchant: Merchant, fee: BaseFee, reason: str | None = None
) -> None:
    tx.record(
        kind,
        fee.base_fee_id,
        merchant=merchant.merchant,
        month=fee.month,
        currency=fee.currency,
        amount_minor=str(fee.amount_minor),
        failed_tries=fee.failed_tries,
        reason=reason,
    )
