"""Put the room into a world."""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from settlekit_mock.kernel.faults import Door
from settlekit_mock.kernel.world import World
from settlekit_mock.webhooks.delivery import DeliveryErrand
from settlekit_mock.webhooks.faults import DOOR
from settlekit_mock.webhooks.sender import HttpSender, MountedSender, Mounts, Outcome, Sender
from settlekit_mock.webhooks.service import DELIVER


def install(world: World, *, mounts: Mounts | None = None, sender: Sender | None = None) -> Mounts:
    """Deliver the world's webhooks: to what is mounted, else by the sender (over HTTP).

    Returns the mounts, so that applications in this process can be added later.
    """
    otherwise = sender or HttpSender(
        remote_allowed=world.settings.allow_remote_webhooks, own_ports=world.own_ports
    )
    mounted = MountedSender(mounts or Mounts(), otherwise)
    world.due.on_errand(DELIVER, DeliveryErrand(mounted, Door(world, DOOR)))
    world.on_closed(mounted.close)
    _mounts[world] = mounted.mounts
    return mounted.mounts


def mounts_of(world: World) -> Mounts:
    """Return the applications in this process that a world delivers to."""
    return _mounts[world]


_mounts: WeakKeyDictionary[World, Mounts] = WeakKeyDictionary()


class Nowhere:
    """Takes every delivery as a receiver would that answers 200, and passes none on."""

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:  # noqa: ARG002
        """Say that it arrived."""
        return Outcome(200)

    def close(self) -> None:
        """There is nothing to give back."""
