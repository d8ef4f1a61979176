"""What a buyer may spend: balance, allowance, reservations, and what the caps counted."""

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, bindparam, select, update

from settlekit_mock.kernel.problems import Problem
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger import service as ledger
from settlekit_mock.settlement.buyers import Buyer, buyer_with_id
from settlekit_mock.settlement.rules.acceptance import BuyerFunds, Refused, budget_refusal
from settlekit_mock.settlement.rules.amounts import units_of
from settlekit_mock.settlement.rules.local_time import local_day
from settlekit_mock.settlement.tables import FUNDS


@dataclass(slots=True)
class Purse:
    """A buyer's funds in one currency while a transaction works with them."""

    buyer: Buyer
    currency: str
    chain_account: int
    balance: int
    allowance: int
    reserved: int
    spending_day: str
    day_spent: int
    month_spent: int

    def at(self, instant: int) -> BuyerFunds:
        """Return the funds as the rules see them; a new day or month begins at nothing."""
        today = _day(instant // 60_000, self.buyer.timezone)
        if today != self.spending_day:
            if today[:7] != self.spending_day[:7]:
                self.month_spent = 0
            self.spending_day, self.day_spent = today, 0
        return BuyerFunds(
            balance=self.balance,
            allowance=self.allowance,
            reserved=self.reserved,
            vault_active=self.buyer.vault_active,
            caps=self.buyer.caps,
            spent_today=self.day_spent,
            spent_this_month=self.month_spent,
        )

    def spend(self, gross: int, *, reserve: int) -> None:
        """Count a payment against the caps, and what it reserves until it is settled."""
        self.day_spent += gross
        self.month_spent += gross
        self.reserved += reserve


@lru_cache(maxsize=4096)
def _day(minute: int, timezone: str) -> str:
    # Offsets change on whole minutes, so every instant of a minute has the same day.
    return local_day(minute * 60_000, timezone)


def open_purse(connection: Connection, buyer: Buyer, currency: str) -> Purse:
    """Read a buyer's funds in a currency."""
    row = connection.execute(_READ, {"of_buyer": buyer.buyer_number, "in_currency": currency}).one()
    return Purse(
        buyer=buyer,
        currency=currency,
        chain_account=row.chain_account,
        balance=ledger.balance(connection, row.chain_account),
        allowance=row.allowance,
        reserved=row.reserved,
        spending_day=row.spending_day,
        day_spent=row.day_spent,
        month_spent=row.month_spent,
    )


def keep_purse(connection: Connection, purse: Purse) -> None:
    """Write what changed of a buyer's funds."""
    connection.execute(
        _WRITE,
        {
            "of_buyer": purse.buyer.buyer_number,
            "in_currency": purse.currency,
            **{f"new_{name}": getattr(purse, name) for name in _WRITTEN},
        },
    )


def pay_now(tx: Transaction, *, buyer_id: str, currency: str, amount_minor: int) -> Purse:
    """Take a payment that settles at once out of a buyer's budget; the caller posts it.

    Raises ``Problem`` 402 ``BUDGET_EXCEEDED`` where it doesn't fit balance, allowance,
    vault or caps.
    """
    purse = open_purse(tx.connection, buyer_with_id(tx.connection, buyer_id), currency)
    gross = units_of(amount_minor, currency)
    refused = budget_refusal(purse.at(tx.now), gross, currency)
    if refused is not None:
        raise refusal(refused)
    purse.allowance -= gross
    purse.spend(gross, reserve=0)
    keep_purse(tx.connection, purse)
    return purse


def release(
    connection: Connection, buyer_number: int, currency: str, gross: int, *, allowance: int = 0
) -> None:
    """End a reservation; ``allowance`` gives back or takes (negative) that much of it."""
    connection.execute(
        _RELEASE,
        {
            "of_buyer": buyer_number,
            "in_currency": currency,
            "less": gross,
            "more_allowance": allowance,
        },
    )


def refusal(refused: Refused) -> Problem:
    """Turn a rule's refusal into the problem that the caller is told."""
    return Problem(refused.message, code=refused.code, status=refused.status)


_ONE = (FUNDS.c.buyer_number == bindparam("of_buyer")) & (
    FUNDS.c.currency == bindparam("in_currency")
)
_READ = select(FUNDS).where(_ONE)
_WRITTEN = ("allowance", "reserved", "spending_day", "day_spent", "month_spent")
_WRITE = update(FUNDS).where(_ONE).values({name: bindparam(f"new_{name}") for name in _WRITTEN})
_RELEASE = (
    update(FUNDS)
    .where(_ONE)
    .values(
        reserved=FUNDS.c.reserved - bindparam("less"),
        allowance=FUNDS.c.allowance + bindparam("more_allowance"),
    )
)
