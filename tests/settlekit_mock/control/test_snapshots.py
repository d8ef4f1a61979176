"""Keep the world, go back to it, and explore other futures from one moment."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from settlekit import RetryPolicy
from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError
from settlekit_mock.webhooks.install import mounts_of
from settlekit_mock.webhooks.sender import Outcome

pytestmark = pytest.mark.sqlite
HOOK = "https://shop.example/hook"
HOOKS = "/market/webhooks"
CONFIRMED = "direct_payment.confirmed"


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer(seed=7, webhook_url=HOOK) as made:
        yield made


class Receiver:
    """Keeps what it got; when told to wait, answers once it is let go."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        self.got.append(body)
        self.reached.set()
        assert self.go_on.wait(10)
        return Outcome(200)


@pytest.fixture
def receiver(mock: MockServer) -> Receiver:
    made = Receiver()
    mounts_of(mock.world).mount(HOOK, made)
    return made


def whole_journal(mock: MockServer) -> list[object]:
    with mock.world.snapshot() as connection:
        return connection.exec_driver_sql("SELECT * FROM events ORDER BY seq").all()  # type: ignore[return-value]


def pay(mock: MockServer, count: int = 40) -> None:
    mock.usage(
        "sandbox_buyer",
        merchant="sandbox_merchant",
        amount_minor=100,
        currency="JPY",
        count=count,
    )


def send_test(mock: MockServer) -> None:
    with mock.client("merchant") as client:
        client.request("POST", f"{HOOKS}/test-deliveries", json={"event_type": CONFIRMED})


# -- snapshots ---------------------------------------------------------------------------


def test_a_restored_world_is_what_it_was(mock: MockServer) -> None:
    """Going back brings every row back: clock, journal, money and counters."""
    pay(mock)
    before = mock.world.image()
    mock.snapshots.take("paid")
    mock.clock.advance(days=30)
    mock.snapshots.restore("paid")
    assert mock.world.image() == before


def test_the_same_calls_after_a_restore_give_the_same_journal(mock: MockServer) -> None:
    """From a snapshot on, the same calls give the same entries to the byte."""
    pay(mock)
    mock.snapshots.take("paid")
    pay(mock, 3)
    mock.clock.advance(days=20)
    first = whole_journal(mock)
    mock.snapshots.restore("paid")
    pay(mock, 3)
    mock.clock.advance(days=20)
    assert whole_journal(mock) == first


def test_a_snapshot_can_be_gone_back_to_twice(mock: MockServer) -> None:
    """Restoring uses nothing up, and loses none of the other snapshots."""
    mock.snapshots.take("first")
    mock.clock.advance(days=1)
    mock.snapshots.take("second")
    for name, day in (("first", 1), ("second", 2), ("first", 1)):
        mock.snapshots.restore(name)
        assert mock.clock.now.day == day


def test_snapshots_are_listed_with_their_time(mock: MockServer) -> None:
    """The list tells each snapshot's name, its clock's time and its size, oldest first."""
    mock.snapshots.take("b")
    mock.clock.advance(days=1)
    mock.snapshots.take("a")
    assert [(one.name, one.taken_at) for one in mock.snapshots.all()] == [
        ("b", "2026-01-01T00:00:00.000Z"),
        ("a", "2026-01-02T00:00:00.000Z"),
    ]
    assert all(one.size_bytes > 10_000 for one in mock.snapshots.all())


def test_a_name_taken_again_is_replaced(mock: MockServer) -> None:
    """A second snapshot of a name takes the place of the first."""
    mock.snapshots.take("here")
    mock.clock.advance(days=1)
    mock.snapshots.take("here")
    mock.clock.advance(days=1)
    mock.snapshots.restore("here")
    assert mock.clock.now.day == 2
    assert len(mock.snapshots.all()) == 1


def test_an_unknown_snapshot_is_404(mock: MockServer) -> None:
    """What wasn't taken, or was removed, can't be restored or removed."""
    mock.snapshots.take("gone")
    mock.snapshots.remove("gone")
    with pytest.raises(ControlError, match="404 SNAPSHOT_NOT_FOUND"):
        mock.snapshots.restore("gone")
    with pytest.raises(ControlError, match="404 SNAPSHOT_NOT_FOUND"):
        mock.snapshots.remove("gone")


def test_a_name_may_be_any_text(mock: MockServer) -> None:
    """Names with spaces and letters of any script go through a URL and back."""
    mock.snapshots.take("vor dem Ausfall 支払")
    assert mock.snapshots.restore("vor dem Ausfall 支払").name == "vor dem Ausfall 支払"


def test_snapshots_are_bounded(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many snapshots and no more, but a kept name can still be taken again."""
    monkeypatch.setattr("settlekit_mock.control.snapshots.MOST", 2)
    mock.snapshots.take("a")
    mock.snapshots.take("b")
    with pytest.raises(ControlError, match="409 TOO_MANY_SNAPSHOTS"):
        mock.snapshots.take("c")
    mock.snapshots.take("b")


def test_a_mock_on_a_file_says_what_it_cant(tmp_path: Path) -> None:
    """On a file, taking, restoring, removing and forking are one clear 409."""
    with MockServer(db=str(tmp_path / "mock.db")) as mock:
        for refused in (
            lambda: mock.snapshots.take("a"),
            lambda: mock.snapshots.restore("a"),
            lambda: mock.snapshots.remove("a"),
            mock.fork,
        ):
            with pytest.raises(ControlError, match=r"409 SNAPSHOTS_NEED_MEMORY: .* without --db"):
                refused()


def test_a_restore_waits_for_a_delivery_under_way(mock: MockServer, receiver: Receiver) -> None:
    """A world isn't replaced under a delivery: the restore waits until its outcome is written."""
    mock.snapshots.take("before")
    receiver.go_on.clear()
    telling = threading.Thread(target=send_test, args=(mock,))
    telling.start()
    assert receiver.reached.wait(10)
    restoring = threading.Thread(target=mock.snapshots.restore, args=("before",))
    restoring.start()
    restoring.join(0.2)
    assert restoring.is_alive()
    receiver.go_on.set()
    restoring.join(10)
    telling.join(10)
    assert not restoring.is_alive()
    assert list(mock.events(kind="webhook.delivered")) == []


def test_a_handler_cant_replace_the_world(mock: MockServer) -> None:
    """A webhook handler that takes, restores or forks is refused instead of waiting for itself."""
    mock.snapshots.take("before")
    refused: list[str] = []

    def handler(url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        for call in (
            lambda: mock.snapshots.take("now"),
            lambda: mock.snapshots.restore("before"),
            mock.fork,
        ):
            with pytest.raises(ControlError) as told:
                call()
            refused.append(told.value.code)
        return Outcome(200)

    mounts_of(mock.world).mount(HOOK, handler)
    send_test(mock)
    assert refused == ["CLOCK_BUSY"] * 3


# -- forks -------------------------------------------------------------------------------


def test_a_fork_leaves_its_parent_as_it_is(mock: MockServer) -> None:
    """Whatever happens in a fork, the parent's rows stay the same to the byte."""
    pay(mock)
    before = mock.world.image()
    with mock.fork() as world:
        world.simulate.debit_failure(times=28)
        world.clock.advance(days=40)
        assert len(whole_journal(world)) > len(whole_journal(mock)) + 28
    assert mock.world.image() == before


def test_a_fork_begins_where_its_parent_is(mock: MockServer) -> None:
    """A fork has its parent's clock, journal, buyers and tokens."""
    buyer = mock.buyers.create(timezone="Asia/Tokyo")
    mock.clock.advance(days=3)
    with mock.fork() as world:
        assert world.world.image() == mock.world.image()
        with world.client("buyer", buyer=buyer) as client:
            assert client.buyer_statements.usage_events().items == ()


def test_two_futures_differ_and_the_same_one_repeats(mock: MockServer) -> None:
    """Forks of one moment given the same calls agree to the byte; given others they differ."""
    pay(mock)

    def future(times: int) -> list[object]:
        with mock.fork() as world:
            world.simulate.debit_failure(times=times)
            world.clock.advance(days=40)
            return whole_journal(world)

    assert future(27) == future(27)
    assert future(27) != future(28)


def test_paid_at_the_27th_attempt_beside_never_paid(mock: MockServer) -> None:
    """Two forks of one due batch end differently: settled late, and past due."""
    pay(mock)
    mock.clock.advance(until="notice.recorded")
    with mock.fork() as late, mock.fork() as never:
        late.simulate.debit_failure(times=26)
        never.simulate.debit_failure(times=28)
        late.clock.advance(days=30)
        never.clock.advance(days=30)
        assert [entry.kind for entry in late.events(kind="batch.settled")] == ["batch.settled"]
        assert list(never.events(kind="batch.settled")) == []
        assert len(list(never.events(kind="batch.past_due"))) == 1
        assert late.check().ok
        assert never.check().ok


def test_forks_fork(mock: MockServer) -> None:
    """A fork of a fork begins where that one is, and changes neither."""
    with mock.fork() as child:
        child.clock.advance(days=1)
        with child.fork() as grandchild:
            assert grandchild.clock.now.day == 2
            grandchild.clock.advance(days=1)
        assert child.clock.now.day == 2
    assert mock.clock.now.day == 1


def test_a_forks_webhooks_reach_nobody(mock: MockServer, receiver: Receiver) -> None:
    """A fork's deliveries count as delivered and reach none of its parent's receivers."""
    with mock.fork() as world:
        send_test(world)
        (entry,) = world.events(kind="webhook.delivered")
        assert entry.data["response_status"] == 200
    assert receiver.got == []
    send_test(mock)
    assert len(receiver.got) == 1


def test_a_fork_has_receivers_of_its_own(mock: MockServer, receiver: Receiver) -> None:
    """What is mounted in a fork gets the fork's deliveries, and not its parent's."""
    with mock.fork() as world:
        own = Receiver()
        mounts_of(world.world).mount(HOOK, own)
        send_test(world)
        send_test(mock)
    assert (len(own.got), len(receiver.got)) == (1, 1)


def test_a_fork_shares_receivers_when_asked(mock: MockServer, receiver: Receiver) -> None:
    """A fork that is asked to tells its parent's receivers."""
    with mock.fork(webhooks=True) as world:
        send_test(world)
    assert len(receiver.got) == 1


def test_a_fork_has_no_snapshots_yet(mock: MockServer) -> None:
    """Snapshots belong to the mock that took them: a fork begins with none."""
    mock.snapshots.take("parents")
    with mock.fork() as world:
        assert world.snapshots.all() == []
        world.snapshots.take("childs")
    assert [one.name for one in mock.snapshots.all()] == ["parents"]


def test_a_fork_takes_its_parents_faults_along(mock: MockServer) -> None:
    """Faults are part of the world: a fork meets them, and uses up its own copy."""
    mock.faults.create("GET /v1/*", "status", status=503, times=1)
    with mock.fork() as world:
        with world.client("merchant", retries=RetryPolicy(backoff_seconds=0)) as client:
            client.request("GET", f"{HOOKS}/subscriptions")
        assert world.faults.all() == []
    assert len(mock.faults.all()) == 1


def test_a_fork_waits_for_a_delivery_under_way(mock: MockServer, receiver: Receiver) -> None:
    """A fork is made when nothing is under way, so that no delivery happens in both worlds."""
    receiver.go_on.clear()
    telling = threading.Thread(target=send_test, args=(mock,))
    telling.start()
    assert receiver.reached.wait(10)
    made: list[MockServer] = []
    forking = threading.Thread(target=lambda: made.append(mock.fork()))
    forking.start()
    forking.join(0.2)
    assert made == []
    receiver.go_on.set()
    forking.join(10)
    telling.join(10)
    with made[0] as world:
        assert len(list(world.events(kind="webhook.delivered"))) == 1
