"""Put the room into a world."""

from settlekit_mock.kernel.world import World
from settlekit_mock.recurring import authorizations, subscriptions


def install(world: World) -> None:
    """Renew subscriptions, and end authorizations in time."""
    world.due.on(subscriptions.RENEW, subscriptions.renew_due)
    world.due.on(authorizations.EXPIRE, authorizations.expire_due)
