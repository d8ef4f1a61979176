"""Where the money is: one look at the whole way, from the customers' wallets to the payout."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from examples.demo.stage import Stage
from settlekit.models import OwnerScope, Payout, PayoutStatus, WalletCheck
from settlekit.money import TOKENS

MINOR_PER_MAJOR = {"JPY": 1, "USD": 100}
COLUMNS = (
    "customers paid",
    "platform fee",
    "receivable",
    "unsettled",
    "settled",
    "wallet",
    "paid out",
)
RECEIVABLE = (
    "Receivable is what the shop has earned, price less fee: unsettled until its debit, settled "
    "after it."
)
PAID = (
    "What customers paid so far is the platform's fee and what is settled; that is in the shop's "
    "wallet until it is paid out."
)
LEGEND = (RECEIVABLE, PAID)


@dataclass(frozen=True, slots=True)
class Money:
    """One currency at one moment, in minor units.

    Receivable is unsettled and settled together; what is settled is in the wallet until it
    is paid out.
    """

    currency: str
    customers_paid: Decimal
    platform_fee: Decimal
    receivable: Decimal
    unsettled: Decimal
    settled: Decimal
    wallet: Decimal
    paid_out: Decimal

    @property
    def amounts(self) -> tuple[Decimal, ...]:
        """The amounts in the order of ``COLUMNS``."""
        return (
            self.customers_paid,
            self.platform_fee,
            self.receivable,
            self.unsettled,
            self.settled,
            self.wallet,
            self.paid_out,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """The money of all currencies at one step of the story."""

    title: str
    money: tuple[Money, ...]


def shown(amount_minor: Decimal | int, currency: str) -> str:
    """Write minor units as people read them: ¥1,200, ¥3,172.2, $12.00, $10.412."""
    amount = Decimal(amount_minor).normalize()
    if currency == "JPY":
        return f"¥{amount:,f}"
    dollars = (amount / 100).normalize()
    return f"${max(dollars, dollars.quantize(Decimal('0.01')), key=_places):,f}"


def _places(amount: Decimal) -> int:
    return -int(amount.as_tuple().exponent)


def plain(amount: Decimal) -> str:
    """Write an amount for programs: no exponent, no trailing zeros."""
    return f"{amount.normalize():f}"


def look(stage: Stage, title: str, currencies: Sequence[str], funds: dict[str, int]) -> Step:
    """Ask everybody who knows: buyers, statements, the journal, the ledger, the payouts.

    ``funds`` is what the customers had at the start, in minor units by currency.
    """
    known = set(stage.buyer_ids.values())
    buyers = [buyer for buyer in stage.control.buyers.all() if buyer.buyer_id in known]
    buckets = stage.provider.provider_statements.summary().totals_by_token
    wallets = stage.operator.operations.reconcile_ledger().items
    payouts = stage.operator.operations.payouts().all()
    standard = standard_payments(stage)
    found = []
    for currency in currencies:
        token = TOKENS[currency]
        left = sum((Decimal(getattr(buyer.balances, token)) for buyer in buyers), Decimal(0))
        metered = buckets[token]
        settled = metered.settled_provider_receivable_minor + sum(
            gross - fee for code, gross, fee in standard if code == currency
        )
        waiting = (
            metered.unsettled_provider_receivable_minor + metered.past_due_provider_receivable_minor
        )
        found.append(
            Money(
                currency=currency,
                customers_paid=funds[currency] - left,
                platform_fee=_in_wallets(wallets, OwnerScope.PLATFORM, currency),
                receivable=waiting + settled,
                unsettled=waiting,
                settled=settled,
                wallet=_in_wallets(wallets, OwnerScope.DEVELOPER, currency),
                paid_out=sum((_paid(payout, currency) for payout in payouts), Decimal(0)),
            )
        )
    return Step(title, tuple(found))


def standard_payments(stage: Stage) -> list[tuple[str, Decimal, Decimal]]:
    """Read the standard payments that settled: currency, gross and fee of each."""
    return [
        (
            entry.data["currency"],
            Decimal(entry.data["amount_minor"]),
            Decimal(entry.data["fee_minor"]),
        )
        for entry in stage.control.events(kind="payment.settled")
    ]


def payout_minor(payout: Payout) -> tuple[str, Decimal]:
    """Return a payout's currency and its amount in minor units."""
    if payout.amount_usd is not None:
        return "USD", payout.amount_usd * 100
    currency = payout.currency or "USD"
    return currency, (payout.amount or Decimal(0)) * MINOR_PER_MAJOR[currency]


def _paid(payout: Payout, currency: str) -> Decimal:
    code, amount_minor = payout_minor(payout)
    paid = payout.status is PayoutStatus.PAID and code == currency
    return amount_minor if paid else Decimal(0)


def _in_wallets(wallets: Sequence[WalletCheck], scope: OwnerScope, currency: str) -> Decimal:
    return sum(
        (_wallet_minor(wallet, currency) for wallet in wallets if wallet.owner_scope is scope),
        Decimal(0),
    )


def _wallet_minor(wallet: WalletCheck, currency: str) -> Decimal:
    if wallet.wallet_balance_usd is not None:
        return wallet.wallet_balance_usd * 100 if currency == "USD" else Decimal(0)
    if wallet.currency != currency or wallet.wallet_balance is None:
        return Decimal(0)
    return wallet.wallet_balance * MINOR_PER_MAJOR[currency]
