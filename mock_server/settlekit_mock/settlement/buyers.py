"""Buyers: who pays, from which funds, and when their periods close."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from settlekit_mock.kernel.problems import Conflict, Invalid, NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger import service as ledger
from settlekit_mock.settlement.rules.acceptance import NO_CAPS, Caps
from settlekit_mock.settlement.rules.local_time import zone_named
from settlekit_mock.settlement.rules.slots import (
    MonthlySlot,
    WeeklySlot,
    draw_monthly_slot,
    draw_weekly_slot,
)
from settlekit_mock.settlement.tables import BUYERS, FUNDS

CURRENCIES = ("JPY", "USD")


@dataclass(frozen=True, slots=True)
class Buyer:
    """A buyer account."""

    buyer_number: int
    buyer_id: str
    timezone: str
    weekly_slot: WeeklySlot
    monthly_slot: MonthlySlot
    vault_active: bool
    caps: Caps
    created_at: int


@dataclass(frozen=True, slots=True)
class NewBuyer:
    """What a buyer account starts with; ``None`` takes the default or is drawn."""

    buyer_id: str | None = None
    timezone: str = "UTC"
    weekly_slot: WeeklySlot | None = None
    monthly_slot: MonthlySlot | None = None
    vault_active: bool = True
    caps: Caps = NO_CAPS
    balances: dict[str, int] | None = None
    allowances: dict[str, int] | None = None


DEFAULT_FUNDS = {"JPY": 1_000_000 * 10**8, "USD": 10_000 * 10**8}
"""A new buyer's balance and allowance, in units: JPYC 1,000,000 and USDC 10,000.00."""


def create_buyer(tx: Transaction, new: NewBuyer) -> Buyer:
    """Open a buyer account with funds on chain.

    Raises ``Conflict`` for an id that is taken, ``Invalid`` for an unknown time zone.
    """
    buyer_id = new.buyer_id or tx.new_id("buyer")
    if find_buyer(tx.connection, buyer_id) is not None:
        raise Conflict(f"there is a buyer {buyer_id!r} already", code="BUYER_EXISTS")
    weekly = new.weekly_slot or draw_weekly_slot(buyer_id, tx.state.seed)
    monthly = new.monthly_slot or draw_monthly_slot(buyer_id, tx.state.seed)
    columns = {
        "buyer_id": buyer_id,
        "timezone": _checked_zone(new.timezone),
        **_slot_columns(weekly, monthly),
        "vault_active": int(new.vault_active),
        **_cap_columns(new.caps),
        "created_at": tx.now,
    }
    tx.connection.execute(insert(BUYERS).values(columns))
    buyer = buyer_with_id(tx.connection, buyer_id)
    _open_funds(tx, buyer, new)
    tx.record("buyer.created", buyer_id, timezone=buyer.timezone)
    return buyer


def _open_funds(tx: Transaction, buyer: Buyer, new: NewBuyer) -> None:
    for currency in CURRENCIES:
        account = ledger.chain_account(tx, buyer.buyer_id, currency)
        allowance = {**DEFAULT_FUNDS, **(new.allowances or {})}[currency]
        balance = {**DEFAULT_FUNDS, **(new.balances or {})}[currency]
        tx.connection.execute(
            insert(FUNDS).values(
                buyer_number=buyer.buyer_number,
                currency=currency,
                chain_account=account.number,
                allowance=allowance,
                reserved=0,
                spending_day="",
                day_spent=0,
                month_spent=0,
            )
        )
        set_balance(tx, buyer, currency, balance)


def set_balance(tx: Transaction, buyer: Buyer, currency: str, balance: int) -> None:
    """Bring a buyer's tokens to a balance, by moving the difference in or out."""
    account = ledger.chain_account(tx, buyer.buyer_id, currency)
    difference = balance - ledger.balance(tx.connection, account.number)
    if difference:
        outside = ledger.outside(tx, currency)
        ledger.post(
            tx,
            "chain_funding",
            [ledger.Leg(account, difference), ledger.Leg(outside, -difference)],
            subject=buyer.buyer_id,
        )


def change_buyer(tx: Transaction, buyer_id: str, changes: dict[str, Any]) -> Buyer:
    """Change a buyer's time zone, slots, vault, caps, balances or allowances.

    A changed slot or time zone applies from the next period on: an open one keeps its end.
    """
    buyer = buyer_with_id(tx.connection, buyer_id)
    columns: dict[str, Any] = {}
    if "timezone" in changes:
        columns["timezone"] = _checked_zone(changes["timezone"])
    if "weekly_slot" in changes or "monthly_slot" in changes:
        weekly = changes.get("weekly_slot", buyer.weekly_slot)
        monthly = changes.get("monthly_slot", buyer.monthly_slot)
        columns |= _slot_columns(weekly, monthly)
    if "vault_active" in changes:
        columns["vault_active"] = int(changes["vault_active"])
    if "caps" in changes:
        columns |= _cap_columns(changes["caps"])
    if columns:
        tx.connection.execute(
            update(BUYERS).where(BUYERS.c.buyer_number == buyer.buyer_number).values(columns)
        )
    _change_funds(tx, buyer, changes)
    tx.record("buyer.changed", buyer_id, fields=sorted(changes))
    return buyer_with_id(tx.connection, buyer_id)


def _change_funds(tx: Transaction, buyer: Buyer, changes: dict[str, Any]) -> None:
    for currency, balance in changes.get("balances", {}).items():
        set_balance(tx, buyer, currency, balance)
    for currency, allowance in changes.get("allowances", {}).items():
        tx.connection.execute(
            update(FUNDS)
            .where(FUNDS.c.buyer_number == buyer.buyer_number, FUNDS.c.currency == currency)
            .values(allowance=allowance)
        )


def _checked_zone(name: str) -> str:
    try:
        zone_named(name)
    except ValueError as error:
        raise Invalid(f"timezone: {error}") from error
    return name


def _slot_columns(weekly: WeeklySlot, monthly: MonthlySlot) -> dict[str, int]:
    return {
        "weekly_weekday": weekly.weekday,
        "weekly_hour": weekly.hour,
        "weekly_minute": weekly.minute,
        "monthly_day": monthly.day,
        "monthly_hour": monthly.hour,
        "monthly_minute": monthly.minute,
    }


def _cap_columns(caps: Caps) -> dict[str, int | None]:
    return {
        "cap_per_payment": caps.per_payment_minor,
        "cap_day": caps.day_minor,
        "cap_month": caps.month_minor,
    }


_ALL = select(BUYERS)
_BY_ID = _ALL.where(BUYERS.c.buyer_id == bindparam("with_id"))
_BY_NUMBER = _ALL.where(BUYERS.c.buyer_number == bindparam("with_number"))


def find_buyer(connection: Connection, buyer_id: str) -> Buyer | None:
    """Return a buyer by id, if there is one."""
    row = connection.execute(_BY_ID, {"with_id": buyer_id}).first()
    return None if row is None else _buyer(row)


def buyer_with_id(connection: Connection, buyer_id: str) -> Buyer:
    """Return a buyer by id; raises ``NotFound``."""
    buyer = find_buyer(connection, buyer_id)
    if buyer is None:
        raise NotFound(f"no buyer {buyer_id!r}", code="BUYER_NOT_FOUND")
    return buyer


def buyer_numbered(connection: Connection, buyer_number: int) -> Buyer:
    """Return the buyer of a row that names one."""
    return _buyer(connection.execute(_BY_NUMBER, {"with_number": buyer_number}).one())


def all_buyers(connection: Connection) -> list[Buyer]:
    """Return every buyer, oldest first."""
    return [_buyer(row) for row in connection.execute(_ALL.order_by(BUYERS.c.buyer_number))]


def _buyer(row: Row[Any]) -> Buyer:
    return Buyer(
        buyer_number=row.buyer_number,
        buyer_id=row.buyer_id,
        timezone=row.timezone,
        weekly_slot=WeeklySlot(row.weekly_weekday, row.weekly_hour, row.weekly_minute),
        monthly_slot=MonthlySlot(row.monthly_day, row.monthly_hour, row.monthly_minute),
        vault_active=bool(row.vault_active),
        caps=Caps(row.cap_per_payment, row.cap_day, row.cap_month),
        created_at=row.created_at,
    )
