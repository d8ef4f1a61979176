"""Put the room into a world."""

from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import World
from settlekit_mock.payments import billing, checkout, requirements, sample
from settlekit_mock.webhooks.service import SAMPLE, Sample


def install(world: World) -> None:
    """End sessions and requirements in time, collect base fees, and fill in test webhooks."""
    world.due.on(checkout.EXPIRE, checkout.expire_due)
    world.due.on(requirements.EXPIRE, requirements.expire_due)
    world.due.on(billing.COLLECT, billing.collect_due)
    world.due.on(billing.RETRY, billing.retry_due)
    world.subscribe(SAMPLE, _fill)


def _fill(tx: Transaction, message: Sample) -> None:
    message.data.update(sample.settled_payment(tx, message.owner))
