"""Stories on PostgreSQL leave what they leave on SQLite, with every invariant held."""

import pytest
from sqlalchemy import select

from settlekit.models import BatchStatus
from settlekit_mock import MockServer
from settlekit_mock.kernel.tables import DUE
from settlekit_mock.kernel.world import World
from tests.conformance.lived import Lived
from tests.settlekit_mock.control.conftest import rows_of


def test_a_story_is_whole(postgresql_url: str) -> None:
    """From usage to the settled batch: webhook, statement and CSV agree, and the digest checks."""
    with MockServer(db=postgresql_url) as mock:
        inbox = mock.webhooks.collect()
        buyer = mock.buyers.create()
        mock.usage(buyer, merchant="sandbox_merchant", amount_minor=100, currency="JPY", count=43)
        mock.clock.advance(days=14)
        provider = mock.client("provider").provider_statements
        (batch,) = provider.settlement_batches()
        with provider.usage_csv(batch.settlement_batch_id) as rows:
            assert len(list(rows)) == 43
            assert rows.digest() == batch.usage_event_digest
        assert batch.status is BatchStatus.SETTLED
        assert [event.type for event in inbox.events] == ["direct_payment.confirmed"]
        assert mock.check().violations == []


@pytest.mark.parametrize(
    "name", ["past_due_then_written_off", "outcome_unknown_then_settled", "monthly_nano"]
)
def test_stories_are_told_alike(postgresql_url: str, name: str) -> None:
    """What plays on SQLite plays here, to the same journal."""
    with MockServer(db=postgresql_url, seed=7) as mock, MockServer(seed=7) as other:
        assert mock.scenarios.play(name) == other.scenarios.play(name)
        assert list(mock.events()) == list(other.events())
        assert mock.check().violations == []


def told(world: World) -> list[object]:
    """Return every row; SQLite counts the queue anew when it was empty, so its numbers are left."""
    queue = select(DUE.c.at, DUE.c.kind, DUE.c.subject).order_by(DUE.c.due_number)
    with world.snapshot() as connection:
        waiting = [tuple(row) for row in connection.execute(queue)]
    return [rows_of(world, DUE), waiting]


def test_a_life_leaves_the_same_rows(postgresql_url: str) -> None:
    """A bit of everything that there is leaves the same rows in every table of both databases."""
    with Lived(db=postgresql_url).mock as here, Lived().mock as there:
        assert told(here.world) == told(there.world)
        assert here.check().violations == []
