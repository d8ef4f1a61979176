"""A year of a platform: many buyers and merchants, every week of it settled."""

import random
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, select

from settlekit_mock.control.scenarios.stage import GROUP, Stage, sale_of
from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.merchants import create_merchant
from settlekit_mock.payments.tables import Merchant
from settlekit_mock.settlement import operator
from settlekit_mock.settlement.batches import NOTICED, batch_with_id
from settlekit_mock.settlement.buyers import Buyer, NewBuyer, create_buyer
from settlekit_mock.settlement.scopes import Sale
from settlekit_mock.settlement.simulations import Kind, Target, simulate
from settlekit_mock.settlement.tables import BATCHES, BUYERS
from settlekit_mock.settlement.usage import accept_many

BUYER_COUNT: Final = 200
MERCHANT_COUNT: Final = 20
MICRO_SCOPES: Final = 320
NANO_SCOPES: Final = 160
WEEKS: Final = 52
REST_DAYS: Final = 45
"""A month's period, 72 hours and 28 attempts: what was paid has come to its end by then."""
OFFERED: Final = 1_050_000
"""Payments offered; what comes while its scope is paused is refused, a million are accepted."""
FUNDS: Final = {"JPY": 50_000_000 * 10**8}
FAILING: Final = 0.05
"""The share of first debits that fail once or more."""

Deal = tuple[Sale, int]
"""A sale and the price that is paid for it."""


def year_at_scale(stage: Stage) -> None:
    """Settle a year of 200 buyers and 20 merchants: a million payments, 18,000 batches.

    ``scale`` multiplies the payments; a fraction keeps buyers, merchants and batches, down
    to one payment a week in each scope. Below that (0.025) the year is cut short instead:
    0.001 is two weeks of it, and 45 days in which they settle.
    """
    world = stage.world
    draw = random.Random(world.state().seed)  # noqa: S311 - the same year for the same seed
    deals = _deals(stage, draw)
    weekly = OFFERED * stage.scale / (WEEKS * len(deals))
    weeks = max(round(WEEKS * min(weekly, 1)), 1)
    start = world.now()
    fails = _Failing(stage, draw)
    with world.listening(NOTICED, fails):
        for day in range(weeks * 7):
            world.due.advance(start + day * DAY)
            if day % 7 == 0:
                _look_after_past_due(stage, draw)
            _pay(stage, deals[day % 7 :: 7], max(round(weekly), 1))
        world.due.advance(start + (weeks * 7 + 1 + REST_DAYS) * DAY)
    _write_off_some(stage, draw)


def _deals(stage: Stage, draw: random.Random) -> list[Deal]:
    with stage.world.transaction() as tx:
        buyers = [
            create_buyer(tx, NewBuyer(balances=FUNDS, allowances=FUNDS)) for _ in range(BUYER_COUNT)
        ]
        merchants = [create_merchant(tx, tx.new_id("shop")) for _ in range(MERCHANT_COUNT)]
    stage.buyers += [buyer.buyer_id for buyer in buyers]
    stage.merchants += [merchant.merchant for merchant in merchants]
    pairs = draw.sample([(b, m) for b in buyers for m in merchants], MICRO_SCOPES)
    deals = [_deal(pair, draw.randint(50, 58)) for pair in pairs]
    return deals + [_deal(pair, draw.randint(1, 5)) for pair in pairs[:NANO_SCOPES]]


def _deal(pair: tuple[Buyer, Merchant], amount_minor: int) -> Deal:
    return sale_of(*pair), amount_minor


def _pay(stage: Stage, deals: list[Deal], count: int) -> None:
    for first in range(0, len(deals), max(GROUP // count, 1)):
        with stage.world.transaction() as tx:
            for sale, amount_minor in deals[first : first + max(GROUP // count, 1)]:
                accept_many(tx, sale, amount_minor, [tx.now] * count, stage.tally)


class _Failing:
    """Has a share of the story's first debits fail, some of them until they are past due."""

    def __init__(self, stage: Stage, draw: random.Random) -> None:
        self._buyers = frozenset(stage.buyers)
        self._draw = draw

    def __call__(self, tx: Transaction, batch_id: str) -> None:
        if batch_with_id(tx.connection, batch_id).buyer_id not in self._buyers:
            return
        if self._draw.random() < FAILING:
            times = self._draw.choice((1, 1, 1, 2, 3, 28))
            target = Target(subject=batch_id)
            simulate(tx, Kind.DEBIT_FAILURE, target, times=times, detail="ONCHAIN_FAILURE")


def _look_after_past_due(stage: Stage, draw: random.Random) -> None:
    """Do what an operator does once a week: write off, requeue, or leave it for another week."""
    with stage.world.transaction() as tx:
        for batch_id in list(_past_due(tx.connection, stage)):
            chance = draw.random()
            if chance < 0.5:
                operator.give_up(tx, batch_id, "written_off", "buyer_unreachable")
            elif chance < 0.9:
                operator.requeue(tx, batch_id)
    stage.world.settle()


def _write_off_some(stage: Stage, draw: random.Random) -> None:
    with stage.world.transaction() as tx:
        for batch_id in list(_past_due(tx.connection, stage)):
            if draw.random() < 0.5:
                operator.give_up(tx, batch_id, "written_off", "year_end")


def _past_due(connection: Connection, stage: Stage) -> Iterator[str]:
    """Yield the ids of the story's own past-due batches, oldest first."""
    own = frozenset(stage.buyers)
    for row in connection.execute(_PAST_DUE):
        if row.buyer_id in own:
            yield row.settlement_batch_id


_PAST_DUE = (
    select(BATCHES.c.settlement_batch_id, BUYERS.c.buyer_id)
    .join(BUYERS, BUYERS.c.buyer_number == BATCHES.c.buyer_number)
    .where(BATCHES.c.status == "past_due")
    .order_by(BATCHES.c.batch_number)
)
