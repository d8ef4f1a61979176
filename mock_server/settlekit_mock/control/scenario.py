"""List the stories, and play one."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import func, select

from settlekit_mock.control.scenarios.stage import Stage
from settlekit_mock.control.scenarios.stories import STORIES
from settlekit_mock.http.routes import Request
from settlekit_mock.http.wire import Answer, StrictBody, Timestamp
from settlekit_mock.kernel import journal
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.world import World
from settlekit_mock.settlement.tables import BATCHES, BUYERS


class StoryAnswer(Answer, frozen=True, kw_only=True):
    """A story and what it tells."""

    name: str
    tells: str


class Stories(Answer, frozen=True, kw_only=True):
    """Every story."""

    items: list[StoryAnswer]


class PlayBody(StrictBody, frozen=True, kw_only=True):
    """``scale`` multiplies the payments of year_at_scale; ``seed`` begins a fresh world with it."""

    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    scale: Annotated[float, Meta(gt=0, le=100)] = 1.0


class Played(Answer, frozen=True, kw_only=True):
    """What a story made: whose money, how many payments, which batches by status."""

    name: str
    tells: str
    from_at: Timestamp
    to_at: Timestamp
    buyers: list[str]
    merchants: list[str]
    accepted: int
    refused: dict[str, int]
    batches: dict[str, int]
    event_count: int


def list_stories(_request: Request) -> Stories:
    """Answer every story."""
    return Stories(
        items=[StoryAnswer(name=story.name, tells=story.tells) for story in STORIES.values()]
    )


def play(request: Request) -> Played:
    """Play a story in the world as it is, or in a fresh one with another seed."""
    story = STORIES.get(request.path["name"])
    if story is None:
        raise NotFound(f"no scenario of that name; there are {', '.join(STORIES)}")
    world, body = request.world, request.body
    if body.seed is not None:
        world.reset(seed=body.seed)
    start, seen = world.now(), _last_seq(world)
    stage = Stage(world, scale=body.scale)
    story.play(stage)
    with world.snapshot() as connection:
        event_count = journal.count_after(connection, seen)
    return Played(
        name=story.name,
        tells=story.tells,
        from_at=to_text(start),
        to_at=to_text(world.now()),
        buyers=stage.buyers,
        merchants=stage.merchants,
        accepted=stage.tally.accepted,
        refused=dict(sorted(stage.tally.refused.items())),
        batches=_batches(world, stage.buyers),
        event_count=event_count,
    )


def _last_seq(world: World) -> int:
    with world.snapshot() as connection:
        return journal.last_seq(connection)


def _batches(world: World, buyers: list[str]) -> dict[str, int]:
    """Count the batches of some buyers by their status."""
    query = (
        select(BATCHES.c.status, func.count().label("batches"))
        .join(BUYERS, BUYERS.c.buyer_number == BATCHES.c.buyer_number)
        .where(BUYERS.c.buyer_id.in_(buyers))
        .group_by(BATCHES.c.status)
        .order_by(BATCHES.c.status)
    )
    with world.snapshot() as connection:
        return {row.status: row.batches for row in connection.execute(query)}
