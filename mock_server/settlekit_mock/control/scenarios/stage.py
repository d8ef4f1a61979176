"""What a story is told with: buyers of its own, payments, time, and what goes wrong."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.world import World
from settlekit_mock.payments.tables import Merchant, merchant_named
from settlekit_mock.settlement import operator
from settlekit_mock.settlement.buyers import Buyer, NewBuyer, create_buyer
from settlekit_mock.settlement.outcomes import resolve
from settlekit_mock.settlement.scopes import Sale
from settlekit_mock.settlement.simulations import Kind, Target, simulate
from settlekit_mock.settlement.tables import BATCHES
from settlekit_mock.settlement.usage import Tally, accept_many

GROUP = 5_000


@dataclass(slots=True)
class Stage:
    """The world a story plays in, and what it has made there."""

    world: World
    scale: float = 1.0
    buyers: list[str] = field(default_factory=list[str])
    merchants: list[str] = field(default_factory=list[str])
    tally: Tally = field(default_factory=Tally)

    def merchant(self) -> Merchant:
        """Return the sandbox's merchant."""
        name = self.world.settings.merchant
        with self.world.snapshot() as connection:
            found = merchant_named(connection, name)
        assert found is not None
        if name not in self.merchants:
            self.merchants.append(name)
        return found

    def buyer(self, **funds: Any) -> Buyer:
        """Make a buyer of the story's own."""
        with self.world.transaction() as tx:
            made = create_buyer(tx, NewBuyer(**funds))
        self.buyers.append(made.buyer_id)
        return made

    def pay(self, buyer: Buyer, merchant: Merchant, amount_minor: int, count: int) -> None:
        """Have a buyer pay an amount ``count`` times, now."""
        sale = sale_of(buyer, merchant)
        done = 0
        while done < count:
            with self.world.transaction() as tx:
                times = [tx.now] * min(GROUP, count - done)
                done += accept_many(tx, sale, amount_minor, times, self.tally)
            self.world.settle()

    def wait(self, kind: str, *, days: int = 120) -> None:
        """Let time pass until something of a kind happens."""
        self.world.due.advance(lambda now: now + days * DAY, until=kind)

    def simulate(self, kind: Kind, buyer: Buyer, *, times: int, detail: str = "") -> None:
        """Have something go wrong for a buyer."""
        with self.world.transaction() as tx:
            simulate(tx, kind, Target(buyer_id=buyer.buyer_id), times=times, detail=detail)

    def requeue(self, buyer: Buyer) -> None:
        """Requeue the buyer's newest batch."""
        with self.world.transaction() as tx:
            operator.requeue(tx, self.newest_batch(tx.connection, buyer))

    def write_off(self, buyer: Buyer, reason_code: str) -> None:
        """Write the buyer's newest batch off."""
        with self.world.transaction() as tx:
            batch_id = self.newest_batch(tx.connection, buyer)
            operator.give_up(tx, batch_id, "written_off", reason_code)

    def find_receipt(self, buyer: Buyer) -> None:
        """Resolve the unknown outcome of the buyer's newest batch as settled."""
        with self.world.transaction() as tx:
            resolve(tx, self.newest_batch(tx.connection, buyer), "settled", "ONCHAIN_FAILURE")
        self.world.settle()

    def newest_batch(self, connection: Any, buyer: Buyer) -> str:
        """Return the id of the buyer's newest batch."""
        batch_id: str = connection.execute(
            select(BATCHES.c.settlement_batch_id)
            .where(BATCHES.c.buyer_number == buyer.buyer_number)
            .order_by(BATCHES.c.batch_number.desc())
            .limit(1)
        ).scalar_one()
        return batch_id


def sale_of(buyer: Buyer, merchant: Merchant) -> Sale:
    """Return the sale of a merchant's own capability to a buyer."""
    return Sale(
        buyer_id=buyer.buyer_id,
        provider_id=merchant.merchant_user_id,
        merchant=merchant.merchant,
        listing_id=merchant.listing_id,
        capability_key=merchant.capability_key,
        operation_key="direct_payment",
        currency="JPY",
        product_listing_id=merchant.listing_id,
    )
