"""Adjustments, refunds and chargebacks: what an operator adds to a wallet or takes out of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import insert

from settlekit_mock.kernel.idempotency import once
from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.problems import Invalid, NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger.service import Account, Leg, balance, outside, post, wallet_named
from settlekit_mock.operations.audit import audit
from settlekit_mock.operations.tables import ADJUSTMENTS

KEY_REUSED = "idempotency_key_reused"


class Wanted(NamedTuple):
    """What an operator asks for; ``amount`` in units, a credit positive."""

    wallet_id: str
    kind: str
    currency: str
    amount: int
    reason: str | None
    idempotency_key: str | None

    @property
    def direction(self) -> str:
        """Return which way the money goes."""
        return "credit" if self.amount > 0 else "debit"


class Adjusted(NamedTuple):
    """An adjustment that was applied, and what the wallet held then, in units."""

    adjustment_id: str
    wanted: Wanted
    balance: int


def adjust(
    tx: Transaction, wanted: Wanted, *, actor: str, write: Callable[[Adjusted], bytes]
) -> bytes:
    """Apply an adjustment and return what ``write`` makes of it.

    The same key and payload answer the same bytes and move nothing. Raises ``NotFound``;
    ``Invalid`` for another currency than the wallet's; ``Conflict``
    (``idempotency_key_reused``) for a key that came with another payload;
    ``PaymentRequired`` for a debit beyond the balance. Nothing is written then.
    """
    adjusted = wallet_in(tx, wanted.wallet_id, wanted.currency)

    def effect() -> bytes:
        return write(_apply(tx, adjusted, wanted, actor))

    if wanted.idempotency_key is None:
        return effect()
    return once(
        tx,
        scope="adjustment",
        key=wanted.idempotency_key,
        payload=list(wanted),
        effect=effect,
        conflict_code=KEY_REUSED,
    )


def wallet_in(tx: Transaction, wallet_id: str, currency: str) -> Account:
    """Return a wallet, or raise ``NotFound``, or ``Invalid`` where it holds another currency."""
    found = wallet_named(tx.connection, wallet_id)
    if found is None:
        raise NotFound(f"no wallet {wallet_id}")
    if found.currency != currency:
        raise Invalid(f"the wallet holds {found.currency}, not {currency}")
    return found


def _apply(tx: Transaction, adjusted: Account, wanted: Wanted, actor: str) -> Adjusted:
    adjustment_id = tx.new_id("adj")
    legs = [Leg(adjusted, wanted.amount), Leg(outside(tx, wanted.currency), -wanted.amount)]
    post(
        tx,
        f"wallet_{wanted.kind}",
        legs,
        subject=adjustment_id,
        idempotency_key=_ledger_key(wanted),
        metadata={"adjustment_id": adjustment_id, "reason": wanted.reason},
    )
    _keep(tx, adjustment_id, adjusted, wanted)
    _tell(tx, adjustment_id, wanted, actor)
    return Adjusted(adjustment_id, wanted, balance(tx.connection, adjusted.number))


def _ledger_key(wanted: Wanted) -> str | None:
    key = wanted.idempotency_key
    return None if key is None else f"adjustment:{key}"


def _keep(tx: Transaction, adjustment_id: str, adjusted: Account, wanted: Wanted) -> None:
    row: dict[str, object] = {
        "adjustment_id": adjustment_id,
        "wallet_number": adjusted.number,
        "kind": wanted.kind,
        "amount": wanted.amount,
        "reason": wanted.reason,
        "idempotency_key": wanted.idempotency_key,
        "created_at": tx.now,
    }
    tx.connection.execute(_INSERT, row)


def _tell(tx: Transaction, adjustment_id: str, wanted: Wanted, actor: str) -> None:
    told: dict[str, Any] = {
        "wallet_id": wanted.wallet_id,
        "adjustment": wanted.kind,
        "direction": wanted.direction,
        "currency": wanted.currency,
        "amount": major_text(abs(wanted.amount)),
    }
    tx.record("wallet.adjusted", adjustment_id, **told)
    audit(
        tx,
        actor=actor,
        action="wallet.adjusted",
        resource=adjustment_id,
        **told,
        reason=wanted.reason,
        idempotency_key=wanted.idempotency_key,
    )


_INSERT = insert(ADJUSTMENTS)
