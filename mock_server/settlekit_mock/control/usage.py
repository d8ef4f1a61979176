"""Make usage in bulk: one payment, repeated, at once or spread over a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection

from settlekit_mock.control.clock import Duration, milliseconds, within
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, Currency, ShortText, StrictBody
from settlekit_mock.kernel.clock import load_state
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.world import World
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.settlement.scopes import Sale
from settlekit_mock.settlement.usage import Tally, accept_many

GROUP = 5_000
"""Payments that share a transaction at most."""
MOST = 10_000_000


class UsageBody(StrictBody, frozen=True, kw_only=True):
    """Who pays whom, how much, how often, and over what time."""

    buyer: ShortText
    merchant: ShortText
    amount_minor: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    currency: Currency
    count: Annotated[int, Meta(ge=1, le=MOST)] = 1
    over: Duration = None
    listing_id: ShortText | None = None
    capability_key: ShortText | None = None
    operation_key: ShortText | None = None


class UsageAnswer(Answer, frozen=True, kw_only=True):
    """What became of the payments: accepted, or refused by code."""

    accepted: Annotated[int, Meta(ge=0)]
    refused: dict[str, int]
    first_usage_id: str | None
    last_usage_id: str | None


def make_usage(request: Request) -> UsageAnswer:
    """Offer a payment ``count`` times, in order; the clock moves along with ``over``."""
    body, world = request.body, request.world
    span = 0 if body.over is None else milliseconds(body.over, "over")
    with world.snapshot() as connection:
        sale = _sale(connection, body)
        spread = _Spread(load_state(connection).now, span, body.count)
    within(spread.start + span)
    tally = Tally()
    done = 0
    while done < body.count:
        if span:
            world.due.advance(spread.reach(done))
        times = spread.times(done, world.due.next_due_at() if span else None)
        done += _offer_group(world, sale, body.amount_minor, times, tally)
        world.settle()
    if span:
        world.due.advance(spread.reach(body.count))
    return UsageAnswer(
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


def _offer_group(
    world: World, sale: Sale, amount_minor: int, times: list[int], tally: Tally
) -> int:
    with world.transaction() as tx:
        # A real clock has gone on meanwhile, and another call may have moved a frozen one.
        times = [max(at, tx.now) for at in times]
        offered = accept_many(tx, sale, amount_minor, times, tally)
        if tx.now > tx.state.now:
            tx.state = tx.state.moved_to(tx.now)
    return offered


def _sale(connection: Connection, body: UsageBody) -> Sale:
    merchant = merchant_named(connection, body.merchant)
    if merchant is None:
        raise NotFound(f"no merchant {body.merchant!r}", code="EXTERNAL_402_MERCHANT_NOT_FOUND")
    capability = body.capability_key or f"external_402.{merchant.merchant}"
    return Sale(
        buyer_id=body.buyer,
        provider_id=merchant.merchant_user_id,
        merchant=merchant.merchant,
        listing_id=body.listing_id or merchant.listing_id,
        product_listing_id=body.listing_id or merchant.listing_id,
        capability_key=capability,
        operation_key=body.operation_key or "external_402.pay",
        currency=body.currency,
    )
