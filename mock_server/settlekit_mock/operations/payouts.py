"""Payouts: run, reviewed by an operator, and only then paid."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger.service import Leg, outside, post, wallet
from settlekit_mock.ledger.tables import ACCOUNTS
from settlekit_mock.operations.audit import audit
from settlekit_mock.operations.holds import refuse_held
from settlekit_mock.operations.rules.payouts import OPEN, TOWARDS_PAYMENT, Status, Step, after
from settlekit_mock.operations.tables import PAYOUTS

PAID_REASON = "mock_payout_paid"


class Payout(NamedTuple):
    """One payout, as it stands; ``amount`` in units."""

    number: int
    payout_id: str
    wallet_number: int
    developer_id: str
    currency: str
    amount: int
    status: Status
    operator_note: str | None
    reason: str | None
    provider_payout_id: str | None
    created_at: int
    updated_at: int
    approved_at: int | None
    paid_at: int | None


def run_payouts(tx: Transaction, *, actor: str, currency: str, threshold: int) -> list[Payout]:
    """Open a payout of the whole balance for each developer who has none open.

    Wallets below the threshold are left alone, so a second run opens nothing.
    """
    wallets = tx.connection.execute(_RIPE, {"in_currency": currency, "at_least": threshold})
    opened = [_open(tx, currency, *wallet_row) for wallet_row in wallets.all()]
    for payout in opened:
        _tell(tx, actor, payout)
    return opened


def _open(
    tx: Transaction, currency: str, wallet_number: int, developer_id: str, balance: int
) -> Payout:
    row: dict[str, object] = {
        "payout_id": tx.new_id("payout"),
        "wallet_number": wallet_number,
        "developer_id": developer_id,
        "currency": currency,
        "amount": balance,
        "status": Status.PENDING,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    return read_payout(tx.connection.execute(_INSERT, row).one())


def take_step(
    tx: Transaction,
    step: Step,
    payout_id: str,
    *,
    actor: str,
    operator_note: str | None = None,
    reason: str | None = None,
) -> Payout:
    """Take an operator's step with a payout and return it.

    A step taken before changes nothing. Raises ``NotFound``, ``Problem`` (400) for a step
    that the payout's status doesn't allow, ``Conflict`` where the wallet is on hold, and
    ``PaymentRequired`` where its balance fell below the amount.
    """
    payout = _locked(tx.connection, payout_id)
    status = after(payout.status, step)
    if status is payout.status:
        return payout
    if step in TOWARDS_PAYMENT:
        refuse_held(tx.connection, payout.wallet_number)
    changed = payout._replace(
        status=status,
        updated_at=tx.now,
        operator_note=operator_note or payout.operator_note,
        reason=reason or payout.reason,
        **_effect(tx, step, payout),
    )
    tx.connection.execute(_UPDATE, {**changed._asdict(), "of_number": payout.number})
    _tell(tx, actor, changed, operator_note=operator_note, reason=reason)
    return changed


def _effect(tx: Transaction, step: Step, payout: Payout) -> dict[str, Any]:
    if step is Step.APPROVE:
        return {"approved_at": tx.now}
    if step is Step.MARK_PAID:
        _debit(tx, payout)
        return {"paid_at": tx.now, "provider_payout_id": tx.new_id("po_mock")}
    return {}


def _debit(tx: Transaction, payout: Payout) -> None:
    source = wallet(
        tx, owner_scope="developer", owner_id=payout.developer_id, currency=payout.currency
    )
    legs = [Leg(source, -payout.amount), Leg(outside(tx, payout.currency), payout.amount)]
    post(
        tx,
        PAID_REASON,
        legs,
        subject=payout.payout_id,
        idempotency_key=f"payout:{payout.payout_id}",
    )


def _tell(tx: Transaction, actor: str, payout: Payout, **said: str | None) -> None:
    action = f"payout.{'created' if payout.status is Status.PENDING else payout.status}"
    told: dict[str, Any] = {
        "developer_id": payout.developer_id,
        "currency": payout.currency,
        "amount": major_text(payout.amount),
    }
    tx.record(action, payout.payout_id, **told)
    audit(tx, actor=actor, action=action, resource=payout.payout_id, **told, **said)


def payout_named(connection: Connection, payout_id: str) -> Payout:
    """Return a payout, or raise ``NotFound``."""
    return _payout(connection.execute(_NAMED, {"named": payout_id}).first(), payout_id)


def _locked(connection: Connection, payout_id: str) -> Payout:
    return _payout(connection.execute(_NAMED_LOCKED, {"named": payout_id}).first(), payout_id)


def _payout(row: Any | None, payout_id: str) -> Payout:
    if row is None:
        raise NotFound(f"no payout {payout_id}")
    return read_payout(row)


def read_payout(row: Any) -> Payout:
    """Read a row of ``PAYOUTS``."""
    payout = Payout(*row)
    return payout._replace(status=Status(payout.status))


def payouts(
    connection: Connection, *, status: Status | None, before: int | None, limit: int
) -> list[Payout]:
    """Return payouts older than number ``before``, newest first."""
    query = _PAYOUT.order_by(PAYOUTS.c.payout_number.desc()).limit(limit)
    if status is not None:
        query = query.where(PAYOUTS.c.status == status)
    if before is not None:
        query = query.where(PAYOUTS.c.payout_number < before)
    return [read_payout(row) for row in connection.execute(query)]


_COLUMNS = tuple(PAYOUTS.c)
_PAYOUT = select(*_COLUMNS)
_NAMED = _PAYOUT.where(PAYOUTS.c.payout_id == bindparam("named"))
_NAMED_LOCKED = _NAMED.with_for_update()
_INSERT = insert(PAYOUTS).returning(*_COLUMNS)
_UPDATE = (
    update(PAYOUTS)
    .where(PAYOUTS.c.payout_number == bindparam("of_number"))
    .values(
        {
            column: bindparam(column.name)
            for column in (
                PAYOUTS.c.status,
                PAYOUTS.c.operator_note,
                PAYOUTS.c.reason,
                PAYOUTS.c.provider_payout_id,
                PAYOUTS.c.updated_at,
                PAYOUTS.c.approved_at,
                PAYOUTS.c.paid_at,
            )
        }
    )
)
_HAS_OPEN = (
    select(PAYOUTS.c.payout_number)
    .where(
        PAYOUTS.c.developer_id == ACCOUNTS.c.owner_id,
        PAYOUTS.c.currency == ACCOUNTS.c.currency,
        PAYOUTS.c.status.in_(OPEN),
    )
    .exists()
)
_RIPE = (
    select(ACCOUNTS.c.account_number, ACCOUNTS.c.owner_id, ACCOUNTS.c.balance)
    .where(
        ACCOUNTS.c.kind == "wallet",
        ACCOUNTS.c.owner_scope == "developer",
        ACCOUNTS.c.currency == bindparam("in_currency"),
        ACCOUNTS.c.balance >= bindparam("at_least"),
        ~_HAS_OPEN,
    )
    .order_by(ACCOUNTS.c.account_number)
)
