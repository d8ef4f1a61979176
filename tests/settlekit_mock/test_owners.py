"""What strangers are refused its owner is answered, in a copy of the world for each call."""

from collections.abc import Iterator

import pytest

from settlekit_mock.http.routes import Route
from tests.conformance.lived import TOKENS, Lived
from tests.settlekit_mock.test_tenants import OWN_ONLY, Strangers, name_of

pytestmark = pytest.mark.sqlite


@pytest.fixture(scope="module")
def strangers() -> Iterator[Strangers]:
    lived = Lived()
    yield Strangers(lived)
    lived.mock.close()


@pytest.mark.parametrize(
    "route", [route for route, holder in OWN_ONLY if holder == route.role], ids=name_of
)
def test_its_owner_is_answered(strangers: Strangers, route: Route) -> None:
    """The very call that strangers are refused is right: whose token it carries decides."""
    with strangers.lived.mock.fork() as fork:
        answer = strangers.call(route, TOKENS[f"{route.role}Token"], fork)
    expected = {422} if route.path.endswith("execute-prepared") else {200, 201}
    assert answer.status_code in expected, answer.text
