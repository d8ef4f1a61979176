"""Ids: the same for the same seed, growing, and not to be guessed."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.kernel.ids import Ids, seed_key
from settlekit_mock.kernel.world import World

SEEDS = st.integers(-(2**63), 2**63 - 1)
DRAW = (
    "from settlekit_mock.kernel.ids import Ids; print(Ids(7, 1).new('mu'), Ids(7, 1).secret('s'))"
)


@given(SEEDS, st.integers(1, 2**40))
def test_the_same_seed_and_counter_give_the_same_id(seed: int, number: int) -> None:
    """An id is a function of the seed and the counter."""
    assert Ids(seed, number).new("mu") == Ids(seed, number).new("mu")


@given(SEEDS, SEEDS.filter(bool))
def test_another_seed_gives_other_ids(seed: int, other: int) -> None:
    """Ids and keys of two seeds differ."""
    assert (seed_key(seed) == seed_key(other)) is (seed == other)


@given(SEEDS, st.integers(1, 2**39), st.integers(1, 2**39 - 1))
def test_ids_grow_with_their_counter(seed: int, number: int, more: int) -> None:
    """A later id sorts behind an earlier one."""
    assert Ids(seed, number).new("mu") < Ids(seed, number + more).new("mu")


def test_every_draw_counts() -> None:
    """Ids and secrets come from one counter, and no two are alike."""
    ids = Ids(0, 1)
    drawn = {ids.new("mu"), ids.new("mu"), ids.secret("mu"), ids.secret("mu")}
    assert (len(drawn), ids.next_number) == (4, 5)


def test_an_id_says_what_it_is_of() -> None:
    """An id is its prefix, ten hex digits of the counter and eight of a hash."""
    assert Ids(0, 255).new("msb")[:14] == "msb_00000000ff"
    assert len(Ids(0, 255).new("msb")) == len("msb_") + 18


def test_a_secret_holds_160_bits() -> None:
    """A secret has forty hex digits, none of which is the counter."""
    assert len(Ids(0, 1).secret("whsec")) == len("whsec_") + 40
    assert Ids(0, 1).secret("whsec")[:16] != Ids(0, 2).secret("whsec")[:16]


def test_the_counter_goes_on_between_transactions(world: World) -> None:
    """What one transaction drew, the next one doesn't draw again."""
    with world.transaction() as tx:
        first = tx.new_id("mu")
    with world.transaction() as tx:
        second = tx.new_id("mu")
    assert first < second


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_another_process_draws_the_same(hash_seed: str) -> None:
    """Ids don't depend on the process's own hash seed."""
    run = subprocess.run(
        [sys.executable, "-c", DRAW],
        env={"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == [Ids(7, 1).new("mu"), Ids(7, 1).secret("s")]
