"""Make usage in bulk: one payment, repeated, at once or spread over a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from msgspec import Meta
from sqlalchemy import Connection

from settlekit.challenge import sign
from settlekit.money import Band
from settlekit_mock.control.clock import Duration, milliseconds, within
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, Currency, ShortText, StrictBody
from settlekit_mock.kernel.clock import load_state
from settlekit_mock.kernel.problems import Invalid, NotFound, Problem
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import World
from settlekit_mock.payments.paying import OPERATION_KEY, Payment, Taken, take
from settlekit_mock.payments.rules.checkout import LIFETIME
from settlekit_mock.payments.tables import Merchant, merchant_named
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.settlement.scopes import Sale
from settlekit_mock.settlement.usage import Tally, accept_many, metered_band

GROUP = 5_000
"""Payments that share a transaction at most."""
MOST = 10_000_000
MOST_LABEL_BYTES = 2_400
"""What an index of PostgreSQL's holds of a sale's names in UTF-8; the listing is in it twice."""


class BulkUsageBody(StrictBody, frozen=True, kw_only=True):
    """Who pays whom, how much, how often, and over what time.

    With ``webhooks`` each accepted payment has a requirement, and its merchant is told of it.
    """

    buyer: ShortText
    merchant: ShortText
    amount_minor: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    currency: Currency
    count: Annotated[int, Meta(ge=1, le=MOST)] = 1
    over: Duration = None
    listing_id: ShortText | None = None
    capability_key: ShortText | None = None
    operation_key: ShortText | None = None
    webhooks: bool = False


class BulkUsage(Answer, frozen=True, kw_only=True):
    """What became of the payments: accepted, or refused by code."""

    accepted: Annotated[int, Meta(ge=0)]
    refused: dict[str, int]
    first_usage_id: str | None
    last_usage_id: str | None


def make_usage(request: Request) -> BulkUsage:
    """Offer a payment ``count`` times, in order; the clock moves along with ``over``."""
    body, world = request.body, request.world
    span = 0 if body.over is None else milliseconds(body.over, "over")
    with world.snapshot() as connection:
        order = _order(connection, body)
        spread = _Spread(load_state(connection).now, span, body.count)
    within(spread.start + span)
    tally = Tally()
    done = 0
    while done < body.count:
        if span:
            world.due.advance(spread.reach(done))
        if body.webhooks:
            done += _offer_told(world, order, tally)
        else:
            times = spread.times(done, world.due.next_due_at() if span else None)
            done += _offer_group(world, order, times, tally)
        world.settle()
    if span:
        world.due.advance(spread.reach(body.count))
    return _answer(tally)


def _answer(tally: Tally) -> BulkUsage:
    return BulkUsage(
        accepted=tally.accepted,
        refused=dict(sorted(tally.refused.items())),
        first_usage_id=tally.first_usage_id,
        last_usage_id=tally.last_usage_id,
    )


@dataclass(frozen=True, slots=True)
class _Spread:
    """When the payments come: all at once, or evenly over a time from a start."""

    start: int
    span: int
    count: int

    def at(self, index: int) -> int:
        return self.start + index * self.span // self.count

    def reach(self, index: int) -> Callable[[int], int]:
        """Return where to advance to for a payment: a real clock may be there already."""
        return lambda now: max(now, self.at(index))

    def times(self, first: int, due: int | None) -> list[int]:
        """Return the times that share a transaction: up to the next thing that falls due."""
        found = [self.at(index) for index in range(first, min(first + GROUP, self.count))]
        if due is None or found[-1] < due:
            return found
        return [at for at in found if at < due] or found[:1]


class _Order(NamedTuple):
    """What is paid each time: the sale, whose it is, and the price."""

    merchant: Merchant
    sale: Sale
    amount_minor: int


def _order(connection: Connection, body: BulkUsageBody) -> _Order:
    merchant = merchant_named(connection, body.merchant)
    if merchant is None:
        raise NotFound(f"no merchant {body.merchant!r}", code="EXTERNAL_402_MERCHANT_NOT_FOUND")
    if metered_band(body.amount_minor, body.currency) is Band.STANDARD:
        raise Invalid("amount_minor: of the standard band, which settles per payment")
    listing_id = body.listing_id or merchant.listing_id
    named = f"{listing_id}{listing_id}{body.capability_key}{body.operation_key}"
    if len(named.encode()) > MOST_LABEL_BYTES:
        raise Invalid("listing_id: too long beside capability_key and operation_key")
    sale = Sale(
        buyer_id=buyer_with_id(connection, body.buyer).buyer_id,
        provider_id=merchant.merchant_user_id,
        merchant=merchant.merchant,
        listing_id=listing_id,
        product_listing_id=listing_id,
        capability_key=body.capability_key or merchant.capability_key,
        operation_key=body.operation_key or OPERATION_KEY,
        currency=body.currency,
    )
    return _Order(merchant, sale, body.amount_minor)


def _offer_group(world: World, order: _Order, times: list[int], tally: Tally) -> int:
    with world.transaction() as tx:
        # A real clock has gone on meanwhile, and another call may have moved a frozen one.
        times = [max(at, tx.now) for at in times]
        offered = accept_many(tx, order.sale, order.amount_minor, times, tally)
        if tx.now > tx.state.now:
            tx.state = tx.state.moved_to(tx.now)
    return offered


# -- with webhooks: one by one, each with its requirement --------------------------------


def _offer_told(world: World, order: _Order, tally: Tally) -> int:
    try:
        with world.transaction() as tx:
            taken = _take(tx, order)
    except Problem as refused:
        if refused.code not in _REFUSALS:
            raise
        tally.refused[refused.code] += 1
        return 1
    assert taken.usage is not None
    tally.accepted += 1
    tally.first_usage_id = tally.first_usage_id or taken.usage.metered_usage_id
    tally.last_usage_id = taken.usage.metered_usage_id
    return 1


def _take(tx: Transaction, order: _Order) -> Taken:
    sale = order.sale
    challenge = sign(
        secret=order.merchant.challenge_secret,
        merchant=sale.merchant,
        amount_minor=order.amount_minor,
        currency=sale.currency,
        nonce=tx.new_id("nonce"),
    )
    payment = Payment(
        buyer_id=sale.buyer_id,
        amount_minor=order.amount_minor,
        currency=sale.currency,
        challenge=challenge,
        expires_at=tx.now + LIFETIME,
        metadata={},
        operation_key=sale.operation_key,
        capability_key=sale.capability_key,
    )
    # The rows bear the listing that was asked for, which needn't be the merchant's own.
    seller = order.merchant._replace(listing_id=sale.listing_id)
    return take(tx, seller, payment, told={"operation_key": sale.operation_key})


_REFUSALS = frozenset({"BUDGET_EXCEEDED", "METERED_SETTLEMENT_PAST_DUE"})
