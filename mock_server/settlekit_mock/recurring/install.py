"""Put the room into a world."""

from sqlalchemy import Connection

from settlekit_mock.http.roles import Role
from settlekit_mock.kernel.world import World
from settlekit_mock.recurring import authorizations, subscriptions


def install(world: World) -> None:
    """Renew subscriptions, end authorizations in time, and know who holds a schedule token."""
    world.due.on(subscriptions.RENEW, subscriptions.renew_due)
    world.due.on(authorizations.EXPIRE, authorizations.expire_due)
    world.holders[Role.SCHEDULE] = _holder


def _holder(connection: Connection, token: str, now: int) -> str:
    return authorizations.token_holder(connection, token, now).authorization_id
