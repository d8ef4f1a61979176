"""A story as its listeners know it: what it answered, and the statements it left behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise

import pytest

from settlekit import Client
from settlekit.models import OpenPeriod, RevenueTotals, SettlementBatch
from settlekit_mock import MockServer
from settlekit_mock.control.buyers import BuyerAnswer
from settlekit_mock.control.fate import Fate
from settlekit_mock.control.journal import JournalEntry
from settlekit_mock.control.notices import NoticeAnswer
from settlekit_mock.control.scenario import Played
from settlekit_mock.driver import Driver
from settlekit_mock.kernel.times import from_text, to_moment
from settlekit_mock.seeding import PROVIDER_TOKEN
from tests.both_databases import database, module_database, told_on
from tests.settlekit_mock.cli.serving import driving

__all__ = ["database", "module_database"]
pytest_generate_tests = told_on

SEED = 7


class Told:
    """One story that was played, and everything that can be asked about it."""

    def __init__(self, driver: Driver, provider: Client, played: Played) -> None:
        self.driver = driver
        self.provider = provider
        self.played = played

    @property
    def began_at(self) -> datetime:
        return moment(self.played.from_at)

    def buyer(self) -> BuyerAnswer:
        """Return the story's only buyer."""
        (buyer_id,) = self.played.buyers
        return self.driver.buyers.get(buyer_id)

    def batch(self) -> SettlementBatch:
        """Return the only batch that the provider's statements show."""
        (found,) = self.provider.provider_statements.settlement_batches()
        return found

    def totals(self) -> RevenueTotals:
        return self.provider.provider_statements.summary().totals

    def open_periods(self) -> tuple[OpenPeriod, ...]:
        return self.provider.provider_statements.summary().open_periods

    def events(self, kind: str) -> list[JournalEntry]:
        return list(self.driver.events(kind=kind))

    def times(self, kind: str) -> list[datetime]:
        """Return when things of a kind happened, oldest first."""
        return [moment(entry.at) for entry in self.events(kind)]

    def gaps(self, kind: str) -> set[float]:
        """Return the hours between things of a kind, each length once."""
        return {
            (later - earlier).total_seconds() / 3600
            for earlier, later in pairwise(self.times(kind))
        }

    def fates(self) -> list[Fate]:
        """Return what became of every payment, accepted or refused, in their order."""
        offered = sorted(
            (*self.events("payment.accepted"), *self.events("payment.refused")),
            key=lambda entry: entry.seq,
        )
        return [self.driver.fate(entry.subject) for entry in offered]

    def notices(self, kind: str) -> list[NoticeAnswer]:
        """Return the notices of a kind, oldest first."""
        return self.driver.notices.all(kind=kind)[::-1]


def moment(text: str) -> datetime:
    return to_moment(from_text(text))


@contextmanager
def in_process(mock: MockServer) -> Iterator[tuple[Driver, Client]]:
    yield mock, mock.client("provider")


@contextmanager
def over_http(mock: MockServer) -> Iterator[tuple[Driver, Client]]:
    with (
        mock.serve() as server,
        driving(server.url) as driver,
        Client(base_url=f"{server.url}/v1", token=PROVIDER_TOKEN) as provider,
    ):
        yield driver, provider


Tell = Callable[[str], Told]


@pytest.fixture(params=[in_process, over_http], ids=["in process", "over HTTP"])
def tell(request: pytest.FixtureRequest) -> Iterator[Tell]:
    """Play stories; whatever they tell, every invariant holds at the end."""
    with MockServer(seed=SEED) as mock, request.param(mock) as (driver, provider):
        yield lambda name: Told(driver, provider, driver.scenarios.play(name))
        checked = driver.check()
        assert checked.ok, checked.violations
