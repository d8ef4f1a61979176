"""The flow of money: what all customers promised, and where it is now.

Each link runs from where money came from to where it went. What comes into a node inside
goes out of it again, whole.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, bindparam, or_, select

from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, Currency, MinorText, StrictBody
from settlekit_mock.ledger.tables import ACCOUNTS, ENTRIES, TRANSACTIONS, exact_sum, joined
from settlekit_mock.operations.payouts import PAID_REASON
from settlekit_mock.settlement.rules.amounts import wire_minor
from settlekit_mock.settlement.rules.standing import Bucket, bucket_of
from settlekit_mock.settlement.tables import BATCHES, PERIODS

OPEN: Final = "open"
_NODES: Final[Mapping[Bucket, str]] = {
    **{bucket: bucket.value for bucket in Bucket},
    Bucket.UNSETTLED: "waiting",
}
_TARGETS: Final = {PAID_REASON: "paid_out"}
"""What leaves wallets has its ledger reason for a name, but for these."""


class FlowQuery(StrictBody, frozen=True, kw_only=True):
    """In which currency."""

    currency: Currency = "JPY"


class FlowLink(Answer, frozen=True, kw_only=True):
    """So much went from one node to another."""

    source: str
    target: str
    amount_minor: MinorText


class Flow(Answer, frozen=True, kw_only=True):
    """What all customers promised, and where it is now."""

    currency: Currency
    links: list[FlowLink]


class _Link(NamedTuple):
    source: str
    target: str
    units: int


def get_flow(request: Request) -> Flow:
    """Answer the flow of money."""
    currency: Currency = request.query.currency
    with request.world.snapshot() as connection:
        links = [*_metered(connection, currency), *_ledger(connection, currency)]
    return Flow(
        currency=currency,
        links=[
            FlowLink(source=source, target=target, amount_minor=wire_minor(units, currency))
            for source, target, units in links
            if units
        ],
    )


def _metered(connection: Connection, currency: str) -> Iterator[_Link]:
    gross, fee = dict.fromkeys((OPEN, *_NODES.values()), 0), 0
    for status, *halves in connection.execute(_PROMISED, {"in_currency": currency}):
        node = OPEN if status is None else _NODES[bucket_of(status)]
        gross[node] += joined(*halves[:2])
        fee += joined(*halves[2:]) if node == Bucket.SETTLED else 0
    yield from (_Link("metered", node, units) for node, units in gross.items())
    yield _Link("settled", "fees", fee)
    yield _Link("settled", "wallets", gross[Bucket.SETTLED] - fee)


def _ledger(connection: Connection, currency: str) -> Iterator[_Link]:
    given = {"in_currency": currency}
    moved = {
        (scope, reason): joined(high, low)
        for scope, reason, high, low in connection.execute(_MOVED, given)
    }
    wallets = {reason: units for (scope, reason), units in moved.items() if scope == "developer"}
    entered = sum(wallets.values())
    wallets.pop("batch_settled", None)  # what a settled batch paid is told by its period
    yield _Link("standard", "fees", moved.get(("platform", "direct_payment"), 0))
    yield _Link("standard", "wallets", wallets.pop("direct_payment", 0))
    for reason, units in sorted(wallets.items()):
        yield _through_wallets(reason, units)
    held = joined(*connection.execute(_HELD, given).one())
    yield _through_wallets("mismatch", held - entered)
    yield _Link("wallets", "held", held) if held > 0 else _Link("overdrawn", "wallets", -held)


def _through_wallets(reason: str, units: int) -> _Link:
    """Link what a reason gave to wallets or, where it took more than it gave, took from them."""
    if units > 0:
        return _Link(reason, "wallets", units)
    return _Link("wallets", _TARGETS.get(reason, reason), -units)


_IN_CURRENCY: Final = ACCOUNTS.c.currency == bindparam("in_currency")
_IS_DEVELOPERS: Final = and_(ACCOUNTS.c.kind == "wallet", ACCOUNTS.c.owner_scope == "developer")
_IS_STANDARD_FEE: Final = and_(
    ACCOUNTS.c.kind == "wallet",
    ACCOUNTS.c.owner_scope == "platform",
    TRANSACTIONS.c.reason == "direct_payment",
)
_PROMISED = (
    select(BATCHES.c.status, *exact_sum(PERIODS.c.gross), *exact_sum(PERIODS.c.fee))
    .select_from(PERIODS.outerjoin(BATCHES, BATCHES.c.period_number == PERIODS.c.period_number))
    .where(PERIODS.c.currency == bindparam("in_currency"))
    .group_by(BATCHES.c.status)
)
_MOVED = (
    select(ACCOUNTS.c.owner_scope, TRANSACTIONS.c.reason, *exact_sum(ENTRIES.c.amount))
    .join(ENTRIES, ENTRIES.c.account_number == ACCOUNTS.c.account_number)
    .join(TRANSACTIONS, TRANSACTIONS.c.transaction_number == ENTRIES.c.transaction_number)
    .where(_IN_CURRENCY, or_(_IS_DEVELOPERS, _IS_STANDARD_FEE))
    .group_by(ACCOUNTS.c.owner_scope, TRANSACTIONS.c.reason)
)
_HELD = select(*exact_sum(ACCOUNTS.c.balance)).where(_IN_CURRENCY, _IS_DEVELOPERS)
