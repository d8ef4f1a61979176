"""The live journal of one process, while another process begins the world anew."""

import threading
from collections.abc import Iterator

import pytest

from settlekit_mock import MockServer
from settlekit_mock.control import stream

Two = tuple[MockServer, MockServer]
PATIENCE_SECONDS = 20


@pytest.fixture
def two(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """Two processes' mocks on one database."""
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.01)
    with MockServer(db=postgresql_url) as one, MockServer(db=postgresql_url) as other:
        yield one, other


def mark(mock: MockServer, *subjects: str) -> None:
    with mock.world.transaction() as tx:
        for subject in subjects:
            tx.record("test.mark", subject)


def rest_of(seen: Iterator[object]) -> list[object]:
    """Return what a stream still says before it ends."""
    found = list[object]()
    reading = threading.Thread(target=lambda: found.extend(seen), daemon=True)
    reading.start()
    reading.join(PATIENCE_SECONDS)
    assert not reading.is_alive(), "the stream goes on"
    return found


@pytest.mark.parametrize("written", [0, 40], ids=["a shorter journal", "a longer journal"])
def test_a_reset_by_another_process_ends_a_stream(two: Two, written: int) -> None:
    """The new world's entries aren't told behind the old one's numbers, however many they are."""
    one, other = two
    mark(one, "before")
    seen = one.follow(after=0)
    known = [next(seen) for _ in range(len(list(one.events())))]
    assert known[-1].subject == "before"
    other.reset()
    mark(other, *(f"after {number}" for number in range(written)))
    assert rest_of(seen) == []
    assert one.world.streams.enter()


def test_who_comes_back_follows_the_new_world(two: Two) -> None:
    """With the number of the old world a stream begins at the new one's end."""
    one, other = two
    mark(one, *(f"before {number}" for number in range(30)))
    last = list(one.events())[-1].seq
    other.reset()
    seen = one.follow(after=last, limit=1)
    writing = threading.Timer(0.2, mark, args=(other, "after"))
    writing.start()
    assert next(seen).subject == "after"
    writing.join()


def test_a_stream_goes_on_through_what_another_process_writes(two: Two) -> None:
    """Entries that another process writes, and its advances, come in order and once."""
    one, other = two
    begun = len(list(one.events()))
    mark(other, "a", "b")
    other.clock.advance(days=1)
    mark(one, "c")
    listed = list(other.events(after=begun))
    assert list(one.follow(after=begun, limit=len(listed))) == listed


@pytest.mark.parametrize("seed", [None, 7])
def test_a_seed_is_the_worlds_in_every_process(two: Two, seed: int | None) -> None:
    """After a reset with a seed, another process's reset begins the same world again."""
    one, other = two
    one.world.reset(seed=seed)
    made = [one.buyers.create().buyer_id]
    other.reset()
    made.append(other.buyers.create().buyer_id)
    assert made[0] == made[1]
