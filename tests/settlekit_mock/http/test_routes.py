"""What an application does around a route."""

from settlekit_mock.kernel.world import World
from tests.settlekit_mock.http.conftest import Caller


def test_a_refused_call_leaves_nothing_due(caller: Caller, world: World) -> None:
    """What a call left due at once is done, though it was refused after it had written."""
    done: list[str] = []
    world.due.on("step", lambda _tx, subject: done.append(subject))
    assert caller.sent(b"{}", "/v1/commit-and-refuse") == (409, "CONFLICT")
    assert done == ["work"]
