"""A world in which something of each kind has happened, and its control routes."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from settlekit_mock.console.routes import ROUTES
from tests.conformance.lived import Lived
from tests.settlekit_mock.control.conftest import Control, control, mock

__all__ = ["control", "mock"]

STORIES: Final = (
    "recovers_at_third_attempt",
    "past_due_then_written_off",
    "past_due_then_requeued",
    "outcome_unknown_then_settled",
    "monthly_nano",
    "refused_over_budget",
)
READS: Final = [route.path.removeprefix("/_mock/") for route in ROUTES if route.method == "GET"]
LISTS: Final = {
    "batches": 1000,
    "deliveries": 100,
    "accounts": 1000,
    "accounts/<account_id>/entries": 1000,
}
"""What is read by pages, and how much a page holds at most."""
MOST: Final = 1000
"""More pages than any of these lists has rows."""


class Eventful:
    """A mock with a past, and what its routes answer."""

    def __init__(self, *stories: str) -> None:
        lived = Lived()
        self.mock, self._known = lived.mock, lived.known
        for story in stories:
            self.mock.scenarios.play(story)
        self._control = Control(self.mock)

    def path(self, path: str) -> str:
        """Return a route's path with ids of what is there."""
        return re.sub("<([a-z_]+)>", lambda name: self._known[name[1]], path)

    def get(self, path: str, **query: Any) -> Any:
        status, data = self._control.get(self.path(path), **query)
        assert status == 200, data
        return data

    def refused(self, path: str, **query: Any) -> tuple[int, str]:
        return self._control.get(self.path(path), **query)

    def walk(self, path: str, **query: Any) -> list[Any]:
        """Return the items of every page."""
        items: list[Any] = []
        cursor = ""
        for _ in range(MOST):
            page = self.get(path, cursor=cursor, **query)
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items
        raise AssertionError("the pages don't come to an end")


@pytest.fixture
def eventful(database: str) -> Iterator[Eventful]:
    """A world with batches in every bucket, standard payments, deliveries and open periods."""
    made = Eventful(*STORIES)
    yield made
    assert made.mock.check().ok
    made.mock.close()


@pytest.fixture(scope="module")
def town(module_database: None) -> Iterator[Eventful]:
    """Such a world for tests that only look."""
    made = Eventful(*STORIES)
    yield made
    made.mock.close()
