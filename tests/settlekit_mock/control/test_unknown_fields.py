"""What no control route knows is refused by all of them, also where nothing need be said."""

import re

import pytest

from settlekit_mock import MockServer
from settlekit_mock.app import ROUTES
from settlekit_mock.http.roles import Role
from tests.settlekit_mock.control.conftest import Control, rows_of

POSTS = [
    route.path.removeprefix("/_mock/")
    for route in ROUTES
    if route.method == "POST" and route.role is Role.CONTROL
]


@pytest.mark.parametrize("path", POSTS)
def test_an_unknown_field_is_refused(mock: MockServer, control: Control, path: str) -> None:
    """A field that a route would ignore is 422, and nothing happens."""
    before = rows_of(mock.world)
    refused = control.post(re.sub("<.*?>", "some", path), unheard_of=5)
    assert refused == (422, "INVALID_REQUEST")
    assert rows_of(mock.world) == before
    assert mock.snapshots.all() == []
