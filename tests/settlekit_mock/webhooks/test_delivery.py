import pytest

from settlekit.webhooks.signature import SIGNATURE_HEADER, read_header, sign, verify_signature
from settlekit_mock.kernel.clock import machine_now
from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.times import DAY, HOUR, MINUTE, from_text
from settlekit_mock.kernel.world import World
from settlekit_mock.webhooks import service
from settlekit_mock.webhooks.sender import Outcome
from settlekit_mock.webhooks.tables import Delivery, Subscription, newest_deliveries
from tests.settlekit_mock.webhooks.conftest import NOW, Receiver, body_of

HOOK = "https://shop.example/hook"
CONFIRMED = "direct_payment.confirmed"


def subscribe(
    world: World, *, owner: str = "usr_shop", url: str = HOOK, **kwargs: object
) -> Subscription:
    with world.transaction() as tx:
        return service.subscribe_endpoint(tx, owner=owner, callback_url=url, **kwargs)


def tell(world: World, *, event_type: str = CONFIRMED, owner: str = "usr_shop") -> str:
    with world.transaction() as tx:
        event_id = service.emit(tx, owner=owner, event_type=event_type, data={"amount_minor": 1200})
    world.settle()
    return event_id


def deliveries(world: World) -> list[Delivery]:
    with world.snapshot() as connection:
        return newest_deliveries(connection, "usr_shop", limit=100)


def journal(world: World) -> list[tuple[str, int]]:
    with world.snapshot() as connection:
        return [
            (entry.kind, entry.at)
            for entry in entries(connection)
            if entry.kind.startswith("webhook.")
        ]


def test_an_event_reaches_its_subscription(world: World, receiver: Receiver) -> None:
    """An event goes to the subscription's address with id, type, version, time and data."""
    subscribe(world)
    event_id = tell(world)
    assert receiver.got[0][0] == HOOK
    assert body_of(receiver) == {
        "id": event_id,
        "type": CONFIRMED,
        "api_version": "2026-06-20",
        "occurred_at": "2026-03-02T09:00:00.000Z",
        "data": {"amount_minor": 1200, "environment": "sandbox"},
    }


def test_a_delivery_is_signed(world: World, receiver: Receiver) -> None:
    """The signature holds for the raw body under the subscription's secret, at the machine's time."""
    secret = subscribe(world).signing_secret
    tell(world)
    _, headers, body = receiver.got[0]
    verify_signature(body, headers[SIGNATURE_HEADER], [secret])
    assert headers["x-siglume-environment"] == "sandbox"
    assert headers["Content-Type"] == "application/json"


def test_the_clock_signs_when_told_to(world: World, receiver: Receiver) -> None:
    """With sign_with_clock the signature's time is the clock's."""
    with world.transaction() as tx:
        from dataclasses import replace

        tx.state = replace(tx.state, sign_with_clock=True)
    secret = subscribe(world).signing_secret
    tell(world)
    _, headers, body = receiver.got[0]
    assert headers[SIGNATURE_HEADER] == sign(body, secret, timestamp=NOW // 1000)


def test_only_matching_active_subscriptions_are_told(world: World, receiver: Receiver) -> None:
    """An event goes to its owner's active subscriptions to its type, and to no others."""
    subscribe(world, url="https://shop.example/both")
    subscribe(world, url="https://shop.example/spent", event_types=["direct_payment.spent"])
    subscribe(
        world, url="https://shop.example/prefix", event_types=["direct_payment.confirmed_later"]
    )
    subscribe(world, url="https://shop.example/other", owner="usr_other")
    paused = subscribe(world, url="https://shop.example/paused")
    with world.transaction() as tx:
        service.pause(tx, "usr_shop", paused.subscription_id)
    tell(world)
    assert [url for url, *_ in receiver.got] == ["https://shop.example/both"]


@pytest.mark.both_databases
def test_nothing_is_sent_before_the_commit(world: World, receiver: Receiver) -> None:
    """An event of a transaction that is rolled back is never delivered."""
    subscribe(world)

    def tell_and_fail() -> None:
        with world.transaction() as tx:
            service.emit(tx, owner="usr_shop", event_type=CONFIRMED, data={})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        tell_and_fail()
    world.due.settle()
    assert (receiver.got, deliveries(world)) == ([], [])


@pytest.mark.both_databases
def test_attempts_follow_the_schedule(world: World, receiver: Receiver) -> None:
    """A failing receiver gets nine attempts, at the times of the schedule, by the clock."""
    receiver.failing(20)
    subscribe(world)
    tell(world)
    world.due.advance(NOW + 10 * DAY)
    waits = [0, MINUTE, 5 * MINUTE, 30 * MINUTE, *(n * HOUR for n in (2, 6, 12, 24, 24))]
    times = [NOW + sum(waits[: count + 1]) for count in range(9)]
    assert journal(world) == [("webhook.failed", at) for at in times]


def test_a_delivery_that_arrives_late(world: World, receiver: Receiver) -> None:
    """After a failed attempt the next one delivers the same bytes, and no further one comes."""
    receiver.failing(1)
    subscribe(world)
    tell(world)
    (failed,) = deliveries(world)
    world.due.advance(NOW + DAY)
    (delivered,) = deliveries(world)
    assert (failed.delivery_status, failed.response_status) == ("failed", 500)
    assert failed.next_attempt_at == NOW + MINUTE
    assert (delivered.delivery_status, delivered.response_status) == ("delivered", 200)
    assert (delivered.delivered_at, delivered.next_attempt_at) == (NOW + MINUTE, None)
    assert len(receiver.got) == 2
    assert receiver.got[0][2] == receiver.got[1][2]


def test_each_attempt_is_signed_afresh(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry carries the time of its own sending, so that a handler's tolerance holds."""
    receiver.failing(1)
    subscribe(world)
    tell(world)
    later = machine_now() + HOUR
    monkeypatch.setattr("settlekit_mock.webhooks.delivery.machine_now", lambda: later)
    world.due.advance(NOW + MINUTE)
    first, second = (read_header(headers[SIGNATURE_HEADER])[0] for _, headers, _ in receiver.got)
    assert int(second) == later // 1000
    assert int(first) < int(second)


def test_a_refused_target_says_so(world: World) -> None:
    """A subscription to another machine fails its deliveries, naming the reason."""
    subscribe(world, url="https://10.0.0.1/hook")
    tell(world)
    (delivery,) = deliveries(world)
    assert delivery.delivery_status == "failed"
    assert delivery.error.startswith("refused target: 10.0.0.1")


def test_rotation_signs_twice_for_a_day(world: World, receiver: Receiver) -> None:
    """For 24 hours after a rotation both secrets sign, the new one's first and the old one's last."""
    old = subscribe(world)
    with world.transaction() as tx:
        new = service.rotate_secret(tx, "usr_shop", old.subscription_id)
    tell(world)
    world.due.advance(NOW + DAY)
    tell(world)
    (_, during, body), (_, after, _) = receiver.got
    timestamp, signatures = read_header(during[SIGNATURE_HEADER])
    expected = [sign(body, one.signing_secret, timestamp=int(timestamp)) for one in (new, old)]
    assert [f"t={timestamp},v1={one}" for one in signatures] == expected
    assert len(read_header(after[SIGNATURE_HEADER])[1]) == 1


def test_a_pause_holds_what_is_on_its_way(world: World, receiver: Receiver) -> None:
    """A paused subscription gets no retry; when it is resumed, what was held goes at once."""
    receiver.failing(1)
    found = subscribe(world)
    tell(world)
    with world.transaction() as tx:
        service.pause(tx, "usr_shop", found.subscription_id)
    world.due.advance(NOW + DAY)
    assert len(receiver.got) == 1
    with world.transaction() as tx:
        service.resume(tx, "usr_shop", found.subscription_id)
    world.settle()
    assert journal(world)[-1] == ("webhook.delivered", NOW + DAY)
    assert len(receiver.got) == 2


def test_nothing_is_told_during_a_pause(world: World, receiver: Receiver) -> None:
    """What happens while a subscription is paused is never told to it."""
    found = subscribe(world)
    with world.transaction() as tx:
        service.pause(tx, "usr_shop", found.subscription_id)
    tell(world)
    with world.transaction() as tx:
        service.resume(tx, "usr_shop", found.subscription_id)
    world.due.advance(NOW + DAY)
    assert (receiver.got, deliveries(world)) == ([], [])


def test_a_paused_subscription_gets_no_redelivery(world: World, receiver: Receiver) -> None:
    """Telling an event again leaves out the subscriptions that are paused by then."""
    found = subscribe(world)
    event_id = tell(world)
    with world.transaction() as tx:
        service.pause(tx, "usr_shop", found.subscription_id)
        assert service.redeliver_event(tx, event_id) == []


def test_one_failure_speaks_for_all(world: World, receiver: Receiver) -> None:
    """Of several deliveries of an event the one that failed says how it went."""
    subscribe(world)
    subscribe(world)
    receiver.answers = [Outcome(200), Outcome(503)]
    tell(world)
    assert service.verdict(deliveries(world)) == service.Verdict(2, "failed", 503)
    assert service.verdict(deliveries(world)[::-1]) == service.Verdict(2, "failed", 503)


def test_a_short_pause_changes_no_schedule(world: World, receiver: Receiver) -> None:
    """A pause that ends before the next attempt leaves that attempt where it was, once."""
    receiver.failing(1)
    found = subscribe(world)
    tell(world)
    with world.transaction() as tx:
        service.pause(tx, "usr_shop", found.subscription_id)
        service.resume(tx, "usr_shop", found.subscription_id)
    world.due.advance(NOW + DAY)
    assert [at for _, at in journal(world)] == [NOW, NOW + MINUTE]


@pytest.mark.both_databases
def test_a_redelivery_keeps_the_event(world: World, receiver: Receiver) -> None:
    """A redelivery sends the same bytes under the same event id, as a delivery of its own."""
    subscribe(world)
    event_id = tell(world)
    with world.transaction() as tx:
        service.redeliver_event(tx, event_id)
    world.settle()
    assert receiver.got[0][2] == receiver.got[1][2]
    assert [one.event_id for one in deliveries(world)] == [event_id, event_id]
    assert len({one.delivery_id for one in deliveries(world)}) == 2


def test_an_endpoint_is_replaced(world: World, receiver: Receiver) -> None:
    """Setting an endpoint twice leaves one subscription with the new address and its secret."""
    with world.transaction() as tx:
        first = service.set_endpoint(tx, owner="usr_shop", callback_url="https://shop.example/a")
        second = service.set_endpoint(tx, owner="usr_shop", callback_url="https://shop.example/b")
    tell(world)
    assert first.subscription_id == second.subscription_id
    assert first.signing_secret == second.signing_secret
    assert [url for url, *_ in receiver.got] == ["https://shop.example/b"]


def test_a_sender_that_fails_without_status(world: World, receiver: Receiver) -> None:
    """Silence counts as a failed attempt."""
    receiver.answers = [Outcome(None, "no answer within 10 s")]
    subscribe(world)
    tell(world)
    (delivery,) = deliveries(world)
    assert (delivery.delivery_status, delivery.response_status) == ("failed", None)
    assert delivery.error == "no answer within 10 s"


def test_ten_steps_equal_one(world: World, receiver: Receiver) -> None:
    """Attempts happen at the same times whether the clock moves in one step or in many."""
    receiver.failing(20)
    subscribe(world)
    tell(world)
    for hour in range(1, 80):
        world.due.advance(NOW + hour * HOUR)
    assert journal(world)[-1][1] == from_text("2026-03-05T05:36:00Z")
    assert len(journal(world)) == 9
