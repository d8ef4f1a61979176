"""Keep the world as it is under a name, and go back to it."""

from dataclasses import dataclass, field
from typing import Annotated
from weakref import WeakKeyDictionary

from msgspec import Meta

from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, Timestamp
from settlekit_mock.kernel.problems import Conflict, NotFound
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.world import Image, World

MOST = 50
"""Snapshots kept at a time: each is a whole copy in memory."""


class Snapshot(Answer, frozen=True, kw_only=True):
    """The world at one moment: when by its clock, and how large the copy is."""

    name: str
    taken_at: Timestamp
    size_bytes: Annotated[int, Meta(ge=0)]


class Snapshots(Answer, frozen=True, kw_only=True):
    """The snapshots that are kept, oldest first."""

    items: list[Snapshot]


@dataclass(frozen=True, slots=True)
class _Kept:
    snapshot: Snapshot
    image: Image = field(repr=False)


_kept: WeakKeyDictionary[World, dict[str, _Kept]] = WeakKeyDictionary()
"""Beside the worlds, not in them: going back to one snapshot loses none of the others."""


def take(request: Request) -> Snapshot:
    """Keep the world as it is; a snapshot of the same name is replaced."""
    world, name = request.world, request.path["name"]
    kept = _kept.setdefault(world, {})
    if len(kept) >= MOST and name not in kept:
        raise Conflict(
            f"{MOST} snapshots are kept, which is as many as there may be; remove one",
            code="TOO_MANY_SNAPSHOTS",
        )
    image = world.image()
    snapshot = Snapshot(name=name, taken_at=to_text(image.taken_at), size_bytes=len(image.content))
    kept.pop(name, None)
    kept[name] = _Kept(snapshot, image)
    return snapshot


def restore(request: Request) -> Snapshot:
    """Make the world what it was when the snapshot was taken."""
    found = _named(request)
    request.world.restore(found.image)
    return found.snapshot


def list_all(request: Request) -> Snapshots:
    """Answer the snapshots that are kept."""
    kept = _kept.get(request.world, {})
    return Snapshots(items=[one.snapshot for one in [*kept.values()]])


def remove(request: Request) -> Snapshot:
    """Forget a snapshot."""
    found = _named(request)
    _kept[request.world].pop(found.snapshot.name, None)
    return found.snapshot


def _named(request: Request) -> _Kept:
    request.world.demand_memory()
    found = _kept.get(request.world, {}).get(request.path["name"])
    if found is None:
        raise NotFound(f"no snapshot {request.path['name']!r}", code="SNAPSHOT_NOT_FOUND")
    return found
