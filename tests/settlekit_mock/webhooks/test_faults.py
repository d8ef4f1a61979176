"""Deliveries that fail as asked, by the clock and the same every time."""

import json
from typing import Any

import pytest

from settlekit.webhooks.signature import SIGNATURE_HEADER, SignatureError, verify_signature
from settlekit_mock.kernel.clock import machine_now
from settlekit_mock.kernel.faults import Door, Fault, add_fault, fault_with_id, faults_at
from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.times import HOUR, MINUTE, SECOND
from settlekit_mock.kernel.world import World
from settlekit_mock.webhooks import faults, service
from settlekit_mock.webhooks.faults import DOOR, LONGEST_WAIT, remove
from settlekit_mock.webhooks.sender import Outcome
from settlekit_mock.webhooks.tables import Delivery, Subscription, newest_deliveries
from tests.settlekit_mock.webhooks.conftest import NOW, Receiver

HOOK = "https://shop.example/hook"
CONFIRMED = "direct_payment.confirmed"


def ask(
    world: World,
    kind: str,
    *,
    ms: int | None = None,
    times: int | None = None,
    rate: float | None = None,
) -> Fault:
    with world.transaction() as tx:
        return add_fault(tx, DOOR, kind, {"ms": ms}, times=times, rate=rate)


def take_away(world: World, fault: Fault) -> None:
    with world.transaction() as tx:
        remove(tx, fault_with_id(tx.connection, DOOR, fault.fault_id))
    world.settle()


@pytest.fixture
def subscription(world: World) -> Subscription:
    with world.transaction() as tx:
        return service.subscribe_endpoint(
            tx, owner="usr_shop", callback_url=HOOK, event_types=[CONFIRMED]
        )


def tell(world: World, *numbers: int) -> None:
    """Tell events in one transaction, so that all are due at once."""
    with world.transaction() as tx:
        for number in numbers:
            service.emit(tx, owner="usr_shop", event_type=CONFIRMED, data={"number": number})
    world.settle()


def got(receiver: Receiver) -> list[int]:
    """The numbers of the events that arrived, in their order."""
    return [json.loads(body)["data"]["number"] for _, _, body in receiver.got]


def deliveries(world: World) -> list[Delivery]:
    with world.snapshot() as connection:
        return newest_deliveries(connection, "usr_shop", limit=100)[::-1]


def journal(world: World) -> list[tuple[str, dict[str, Any]]]:
    with world.snapshot() as connection:
        return [(entry.kind, json.loads(entry.data)) for entry in entries(connection)]


def left(world: World) -> list[Fault]:
    with world.snapshot() as connection:
        return faults_at(connection, DOOR)


def verify(receiver: Receiver, secret: str) -> None:
    """Verify what came last as its receiver does."""
    _, headers, body = receiver.got[-1]
    verify_signature(body, headers[SIGNATURE_HEADER], [secret])


# -- kinds -------------------------------------------------------------------------------


def test_a_delay_puts_the_attempt_off(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A delayed delivery waits by the clock, goes once then, and counts one attempt."""
    ask(world, "delay", ms=2 * HOUR, times=1)
    tell(world, 1)
    (waiting,) = deliveries(world)
    assert (got(receiver), waiting.delivery_status, waiting.attempt_count) == ([], "queued", 0)
    assert waiting.next_attempt_at == NOW + 2 * HOUR
    world.due.advance(NOW + 2 * HOUR - 1)
    assert got(receiver) == []
    world.due.advance(NOW + 2 * HOUR)
    (arrived,) = deliveries(world)
    assert (got(receiver), arrived.delivery_status, arrived.attempt_count) == ([1], "delivered", 1)
    assert arrived.delivered_at == NOW + 2 * HOUR


def test_a_delay_of_everything_delays_each_attempt_once(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A delay without end puts each delivery off once, not for ever."""
    ask(world, "delay", ms=HOUR)
    tell(world, 1, 2)
    world.due.advance(NOW + HOUR)
    assert got(receiver) == [1, 2]


def test_a_delay_strikes_the_next_attempt_anew(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """Where an attempt fails, the one after it is delayed again."""
    ask(world, "delay", ms=HOUR)
    receiver.failing(1)
    tell(world, 1)
    world.due.advance(NOW + 2 * HOUR + 1 * MINUTE)
    assert got(receiver) == [1, 1]
    assert deliveries(world)[0].delivered_at == NOW + 2 * HOUR + 1 * MINUTE


def test_a_duplicate_arrives_twice(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A doubled delivery brings the same bytes and signature twice, and counts one attempt."""
    ask(world, "duplicate", times=1)
    tell(world, 1)
    assert len(receiver.got) == 2
    assert receiver.got[0] == receiver.got[1]
    (delivery,) = deliveries(world)
    assert (delivery.delivery_status, delivery.attempt_count) == ("delivered", 1)


def test_the_last_answer_to_a_duplicate_counts(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A receiver that chokes on the second copy is told again later."""
    ask(world, "duplicate", times=1)
    receiver.answers = [Outcome(200), Outcome(500)]
    tell(world, 1)
    assert deliveries(world)[0].delivery_status == "failed"
    world.due.advance(NOW + 1 * MINUTE)
    assert got(receiver) == [1, 1, 1]
    assert deliveries(world)[0].delivery_status == "delivered"


def test_a_reordering_lets_the_next_one_go_first(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A delivery is held until the next one to its subscription has gone, then follows."""
    ask(world, "reorder", times=1)
    tell(world, 1)
    assert got(receiver) == []
    tell(world, 2)
    assert got(receiver) == [2, 1]
    tell(world, 3)
    world.due.advance(NOW + 2 * LONGEST_WAIT)
    assert got(receiver) == [2, 1, 3]


def test_a_delayed_one_doesnt_follow_the_next(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A delayed delivery keeps its time whatever goes meanwhile."""
    ask(world, "delay", ms=HOUR, times=1)
    tell(world, 1)
    ask(world, "reorder", times=1)
    tell(world, 2)
    tell(world, 3)
    assert got(receiver) == [3, 2]
    world.due.advance(NOW + HOUR)
    assert got(receiver) == [3, 2, 1]


def test_a_reordering_of_everything_swaps_pairs(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """One delivery is held at a time, so that a reordering without end swaps pairs."""
    ask(world, "reorder")
    for number in range(1, 7):
        tell(world, number)
    assert got(receiver) == [2, 1, 4, 3, 6, 5]


def test_a_reordering_works_among_what_is_due_at_once(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """Of deliveries that are due together, each held one queues up again after the next."""
    ask(world, "reorder")
    tell(world, 1, 2, 3, 4)
    assert got(receiver) == [2, 4, 1, 3]


def test_a_held_delivery_goes_by_itself_in_the_end(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """Where no next delivery comes, a held one goes after an hour of the clock."""
    ask(world, "reorder", times=1)
    tell(world, 1)
    world.due.advance(NOW + LONGEST_WAIT - 1)
    assert got(receiver) == []
    world.due.advance(NOW + LONGEST_WAIT)
    assert got(receiver) == [1]
    tell(world, 2)
    assert got(receiver) == [1, 2]


def test_only_the_same_subscription_lets_a_held_delivery_go(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A delivery to another subscription leaves a held one where it is."""
    ask(world, "reorder", times=1)
    tell(world, 1)
    with world.transaction() as tx:
        service.subscribe_endpoint(
            tx, owner="usr_other", callback_url=HOOK, event_types=[CONFIRMED]
        )
        service.emit(tx, owner="usr_other", event_type=CONFIRMED, data={"number": 9})
    world.settle()
    assert got(receiver) == [9]
    tell(world, 2)
    assert got(receiver) == [9, 2, 1]


def test_taking_a_reordering_away_lets_what_it_holds_go(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """What a reordering holds goes at once when the fault is taken away."""
    fault = ask(world, "reorder")
    tell(world, 1)
    take_away(world, fault)
    assert got(receiver) == [1]
    tell(world, 2)
    assert got(receiver) == [1, 2]


@pytest.mark.parametrize("kind", ["bad_signature", "other_secret"])
def test_a_wrong_signature_is_well_formed_and_doesnt_hold(
    world: World, receiver: Receiver, subscription: Subscription, kind: str
) -> None:
    """A wrongly signed delivery has a proper header that no secret of the receiver's made."""
    ask(world, kind, times=1)
    tell(world, 1)
    with pytest.raises(SignatureError) as refused:
        verify(receiver, subscription.signing_secret)
    assert refused.value.reason == "mismatch"
    tell(world, 2)
    verify(receiver, subscription.signing_secret)


def test_another_secret_signs_the_whole_body(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """With another secret the signature is right for whoever knows that one."""
    ask(world, "other_secret", times=1)
    tell(world, 1)
    verify(receiver, "whsec_of_somebody_else")


def test_a_wrong_signature_is_of_the_right_time(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A bad signature carries the time that a good one would."""
    ask(world, "bad_signature", times=1)
    tell(world, 1)
    signed_at = int(receiver.got[0][1][SIGNATURE_HEADER].partition(",")[0].removeprefix("t="))
    assert abs(signed_at * SECOND - machine_now()) < 1 * MINUTE


def test_a_receiver_that_refuses_a_wrong_signature_is_told_again(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A delivery that was refused for its signature comes again, rightly signed."""
    ask(world, "bad_signature", times=1)
    receiver.failing(1, status=401)
    tell(world, 1)
    world.due.advance(NOW + 1 * MINUTE)
    verify(receiver, subscription.signing_secret)
    assert deliveries(world)[0].delivery_status == "delivered"


def test_a_dropped_attempt_fails_and_is_tried_again(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A lost attempt reaches nobody, counts as failed, and is followed by the next."""
    ask(world, "drop", times=1)
    tell(world, 1)
    (lost,) = deliveries(world)
    assert got(receiver) == []
    assert (lost.delivery_status, lost.attempt_count, lost.response_status) == ("failed", 1, None)
    assert lost.error == "lost on the way, as a fault asked"
    world.due.advance(NOW + 1 * MINUTE)
    assert got(receiver) == [1]


def test_everything_dropped_uses_the_attempts_up(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """Where every attempt is lost, a delivery ends after its nine attempts."""
    ask(world, "drop")
    tell(world, 1)
    world.due.advance(NOW + 100 * HOUR)
    (lost,) = deliveries(world)
    assert (lost.attempt_count, lost.next_attempt_at, got(receiver)) == (9, None, [])


# -- how often ---------------------------------------------------------------------------


def test_times_are_attempts(world: World, receiver: Receiver, subscription: Subscription) -> None:
    """A fault with times strikes so many attempts and is gone then."""
    ask(world, "drop", times=2)
    tell(world, 1, 2, 3)
    assert got(receiver) == [3]
    assert left(world) == []


@pytest.mark.sqlite
def test_a_rate_strikes_the_same_attempts_again(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """From one moment on, the same deliveries fail however often it is tried."""
    ask(world, "drop", rate=0.5)
    image = world.image()
    tell(world, *range(40))
    first = got(receiver)
    receiver.got.clear()
    world.restore(image)
    tell(world, *range(40))
    assert got(receiver) == first
    assert 8 <= len(first) <= 32


def test_the_journal_tells_of_a_webhooks_fault(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """Each attempt that a fault strikes is in the journal, before how it went."""
    ask(world, "drop", times=1)
    tell(world, 1)
    told = journal(world)[-2:]
    assert [kind for kind, _ in told] == ["webhook_fault.applied", "webhook.failed"]
    assert told[0][1] == {"fault": "drop", "delivery_id": deliveries(world)[0].delivery_id}


@pytest.mark.sqlite
def test_small_steps_and_a_large_one_meet_the_same_faults(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """Advancing by the hour gives the journal that advancing at once gives, faults and all."""
    for kind in ("delay", "reorder", "drop"):
        ask(world, kind, ms=90 * MINUTE, rate=0.4)
    receiver.failing(5)
    tell(world, *range(6))
    image, answers = world.image(), list(receiver.answers)
    world.due.advance(NOW + 48 * HOUR)
    at_once, receiver.answers = journal(world), answers
    world.restore(image)
    for hour in range(1, 49):
        world.due.advance(NOW + hour * HOUR)
    assert journal(world) == at_once


@pytest.mark.sqlite
def test_nothing_asked_costs_no_look(
    world: World,
    receiver: Receiver,
    subscription: Subscription,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once a delivery saw that there are no faults, the next ones don't look for any."""
    tell(world, 1)
    monkeypatch.setattr(faults, "faults_at", lambda *_: pytest.fail("looked again"))
    tell(world, 2)
    assert got(receiver) == [1, 2]


def test_a_door_doesnt_rest_while_something_is_held(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A used-up fault that still holds a delivery keeps the door awake until it has gone."""
    door = Door(world, DOOR)
    ask(world, "reorder", times=1)
    tell(world, 1)
    with world.transaction() as tx:
        faults.meet(tx, door, deliveries_of(tx)[0]._replace(delivery_id="whdel_other"))
    assert not door.quiet


def deliveries_of(tx: Any) -> list[Delivery]:
    return newest_deliveries(tx.connection, "usr_shop")


def test_a_pause_and_a_delay_go_together(
    world: World, receiver: Receiver, subscription: Subscription
) -> None:
    """A delayed delivery to a paused subscription waits for both, and arrives once."""
    ask(world, "delay", ms=HOUR, times=1)
    tell(world, 1)
    with world.transaction() as tx:
        service.pause(tx, "usr_shop", subscription.subscription_id)
    world.due.advance(NOW + 2 * HOUR)
    assert got(receiver) == []
    with world.transaction() as tx:
        service.resume(tx, "usr_shop", subscription.subscription_id)
    world.settle()
    assert got(receiver) == [1]
