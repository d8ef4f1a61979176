"""Idempotency: one effect for one key, whatever is sent again."""

import pytest

from settlekit_mock.kernel.idempotency import once, payload_hash
from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.world import World

pytestmark = pytest.mark.both_databases


def paid(
    world: World, key: str = "k1", scope: str = "a", payload: object = None, *, fails: bool = False
) -> bytes:
    """Pay once by a key; each payment journals itself and answers its number."""
    with world.transaction() as tx:

        def effect() -> bytes:
            tx.record("paid", key)
            if fails:
                raise Conflict("not now", code="NOT_NOW")
            return tx.new_id("pay").encode()

        return once(
            tx, scope=scope, key=key, payload=payload, effect=effect, conflict_code="REUSED"
        )


def effects(world: World) -> int:
    with world.snapshot() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one())


def test_the_same_key_and_payload_answer_the_first_answer(world: World) -> None:
    """A call that comes again has no second effect and the same bytes for an answer."""
    assert paid(world, payload={"a": 1}) == paid(world, payload={"a": 1})
    assert effects(world) == 1


def test_another_payload_is_refused_and_changes_nothing(world: World) -> None:
    """A key that was used for something else is a conflict with the caller's code."""
    first = paid(world, payload={"a": 1})
    with pytest.raises(Conflict, match="another payload") as refused:
        paid(world, payload={"a": 2})
    assert refused.value.code == "REUSED"
    assert (effects(world), paid(world, payload={"a": 1})) == (1, first)


@pytest.mark.parametrize(("key", "scope"), [("k2", "a"), ("k1", "b")])
def test_another_key_or_scope_is_another_call(world: World, key: str, scope: str) -> None:
    """Keys count within their scope alone."""
    assert paid(world) != paid(world, key, scope)
    assert effects(world) == 2


def test_a_refused_effect_keeps_its_key_free(world: World) -> None:
    """An effect that was refused left nothing, so its key may be used again."""
    with pytest.raises(Conflict, match="not now"):
        paid(world, fails=True)
    assert paid(world).startswith(b"pay_")
    assert effects(world) == 1


def test_the_order_of_keys_is_no_difference() -> None:
    """Payloads that mean the same hash the same."""
    assert payload_hash({"a": 1, "b": [2]}) == payload_hash({"b": [2], "a": 1})


@pytest.mark.parametrize("other", [{"a": "1"}, {"a": 1.5}, {"a": 1, "b": None}, {}, {"a": [1]}])
def test_payloads_that_differ_hash_differently(other: object) -> None:
    """A value, a type or a field more is another payload."""
    assert payload_hash({"a": 1}) != payload_hash(other)
