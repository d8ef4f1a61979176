"""Holds: wallets that didn't reconcile pay nothing out until an operator looked at them."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.problems import Conflict, NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger.rebuild import rebuild_wallet
from settlekit_mock.ledger.tables import ACCOUNTS
from settlekit_mock.operations.audit import audit
from settlekit_mock.operations.tables import HOLDS


class Hold(NamedTuple):
    """One hold: what the wallet held and what its entries said, in units."""

    number: int
    hold_id: str
    wallet_number: int
    wallet_balance: int
    ledger_balance: int
    created_at: int
    released_at: int | None
    released_by: str | None
    note: str | None
    wallet_id: str
    owner_scope: str
    owner_id: str
    currency: str


def hold_if_mismatched(tx: Transaction, wallet_number: int, *, actor: str) -> None:
    """Put a hold on a wallet that doesn't reconcile and has none yet."""
    found = rebuild_wallet(tx.connection, wallet_number)
    if not found.delta or _active_hold(tx.connection, wallet_number) is not None:
        return
    hold_id = tx.new_id("hold")
    row: dict[str, object] = {
        "hold_id": hold_id,
        "wallet_number": wallet_number,
        "wallet_balance": found.stored,
        "ledger_balance": found.rebuilt,
        "created_at": tx.now,
    }
    tx.connection.execute(_INSERT, row)
    told: dict[str, Any] = {
        "wallet_id": found.wallet_id,
        "currency": found.currency,
        "delta": major_text(found.delta),
    }
    tx.record("hold.placed", hold_id, **told)
    audit(tx, actor=actor, action="hold.placed", resource=hold_id, **told)


def release_hold(tx: Transaction, hold_id: str, *, note: str, actor: str) -> Hold:
    """Release a hold with a note; one that was released before stays as it was.

    Raises ``NotFound``.
    """
    hold = _hold_named(tx.connection, hold_id)
    if hold.released_at is not None:
        return hold
    released: dict[str, object] = {
        "of_number": hold.number,
        "at": tx.now,
        "by": actor,
        "with_note": note,
    }
    tx.connection.execute(_RELEASE, released)
    told: dict[str, Any] = {"wallet_id": hold.wallet_id}
    tx.record("hold.released", hold_id, **told)
    audit(tx, actor=actor, action="hold.released", resource=hold_id, **told, note=note)
    return _hold_named(tx.connection, hold_id)


def refuse_held(connection: Connection, wallet_number: int) -> None:
    """Raise ``Conflict`` (``reconciliation_hold``) while a wallet is on hold."""
    hold_id = _active_hold(connection, wallet_number)
    if hold_id is not None:
        raise Conflict(
            f"the wallet didn't reconcile and is on hold; release {hold_id} first",
            code="reconciliation_hold",
        )


def holds(
    connection: Connection, *, active: bool | None, before: int | None, limit: int
) -> list[Hold]:
    """Return holds older than number ``before``, newest first."""
    query = _HOLD.order_by(HOLDS.c.hold_number.desc()).limit(limit)
    if active is not None:
        ended = HOLDS.c.released_at
        query = query.where(ended.is_(None) if active else ended.is_not(None))
    if before is not None:
        query = query.where(HOLDS.c.hold_number < before)
    return [_hold(row) for row in connection.execute(query)]


def _active_hold(connection: Connection, wallet_number: int) -> str | None:
    found: str | None = connection.execute(_ACTIVE, {"of_wallet": wallet_number}).scalar()
    return found


def _hold_named(connection: Connection, hold_id: str) -> Hold:
    row = connection.execute(_NAMED, {"named": hold_id}).first()
    if row is None:
        raise NotFound(f"no hold {hold_id}")
    return _hold(row)


def _hold(row: Any) -> Hold:
    return Hold(*row)


_HOLD = select(
    *HOLDS.c,
    ACCOUNTS.c.account_id,
    ACCOUNTS.c.owner_scope,
    ACCOUNTS.c.owner_id,
    ACCOUNTS.c.currency,
).join(ACCOUNTS, ACCOUNTS.c.account_number == HOLDS.c.wallet_number)
_NAMED = _HOLD.where(HOLDS.c.hold_id == bindparam("named"))
_ACTIVE = select(HOLDS.c.hold_id).where(
    HOLDS.c.wallet_number == bindparam("of_wallet"), HOLDS.c.released_at.is_(None)
)
_INSERT = insert(HOLDS)
_RELEASE = (
    update(HOLDS)
    .where(HOLDS.c.hold_number == bindparam("of_number"))
    .values(released_at=bindparam("at"), released_by=bindparam("by"), note=bindparam("with_note"))
)
