import json

import pytest
from werkzeug.test import TestResponse

from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.world import World
from settlekit_mock.webhooks import service
from settlekit_mock.webhooks.tables import newest_deliveries, subscriptions_of
from tests.settlekit_mock.webhooks.conftest import Api, Receiver, body_of

HOOK = "https://shop.example/hook"


def data(answer: TestResponse, status: int = 200) -> dict:
    assert answer.status_code == status, answer.text
    return answer.json["data"]


def refused(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"]


def create(api: Api, **body: object) -> dict:
    return data(api.post("subscriptions", callback_url=HOOK, **body), 201)


def test_create(api: Api) -> None:
    """A new subscription is active, listens to both payment events, and shows its secret."""
    made = create(api, description="the shop", metadata={"merchant": "shop"})
    assert made["id"] == made["webhook_subscription_id"] == made["subscription_id"]
    assert made["id"].startswith("whsub_")
    assert made["event_types"] == ["direct_payment.confirmed", "direct_payment.spent"]
    assert (made["callback_url"], made["status"]) == (HOOK, "active")
    assert made["signing_secret"].startswith("whsec_")
    assert made["signing_secret_hint"] == made["signing_secret"][-4:]
    assert (made["description"], made["metadata"]) == ("the shop", {"merchant": "shop"})


def test_list_without_secrets(api: Api) -> None:
    """A list shows the owner's subscriptions newest first, and no secret."""
    old, new = create(api), create(api)
    api.post("subscriptions", "other", callback_url=HOOK)
    listed = api.get("subscriptions")
    assert [one["id"] for one in data(listed)] == [new["id"], old["id"]]
    assert old["signing_secret"] not in listed.text
    assert "signing_secret" not in data(listed)[0]


def test_rotate(api: Api) -> None:
    """A rotation shows a new secret once, and keeps the subscription."""
    made = create(api)
    rotated = data(api.post(f"subscriptions/{made['id']}/rotate-secret"))
    assert rotated["id"] == made["id"]
    assert rotated["signing_secret"] != made["signing_secret"]
    assert rotated["signing_secret_hint"] == rotated["signing_secret"][-4:]


def test_pause_and_resume(api: Api) -> None:
    """A subscription can be paused and resumed, each as often as one likes."""
    path = f"subscriptions/{create(api)['id']}"
    verbs = ["pause", "pause", "resume", "resume"]
    answers = [data(api.post(f"{path}/{verb}")) for verb in verbs]
    assert [one["status"] for one in answers] == ["paused", "paused", "active", "active"]
    assert all("signing_secret" not in one for one in answers)


def test_a_test_delivery_arrives_before_the_answer(api: Api, receiver: Receiver) -> None:
    """A test event is delivered before the answer, with the caller's data in it."""
    create(api)
    sent = data(
        api.post(
            "test-deliveries", event_type="direct_payment.confirmed", data={"readiness_probe": True}
        ),
        201,
    )
    assert (sent["queued"], sent["delivery_status"], sent["response_status"]) == (
        1,
        "delivered",
        200,
    )
    assert body_of(receiver)["id"] == sent["event"]["id"]
    assert body_of(receiver)["type"] == sent["event"]["type"] == "direct_payment.confirmed"
    assert body_of(receiver)["data"]["readiness_probe"] is True


def test_a_test_delivery_has_the_sample_under_the_callers_data(
    api: Api, world: World, receiver: Receiver
) -> None:
    """What rooms above put into a test event stays, but where the caller says otherwise."""
    create(api)
    world.subscribe(
        service.SAMPLE, lambda tx, sample: sample.data.update(mode="external_402", status="paid")
    )
    api.post(
        "test-deliveries", event_type="direct_payment.confirmed", data={"mode": "readiness_probe"}
    )
    assert body_of(receiver)["data"] == {
        "mode": "readiness_probe",
        "status": "paid",
        "environment": "sandbox",
    }


def test_a_failing_receiver_of_a_test(api: Api, receiver: Receiver) -> None:
    """A test that doesn't arrive says so, and is still 201: it was sent."""
    create(api)
    receiver.failing(1, 503)
    sent = data(api.post("test-deliveries", event_type="direct_payment.confirmed"), 201)
    assert (sent["delivery_status"], sent["response_status"]) == ("failed", 503)


def test_a_test_for_nobody(api: Api) -> None:
    """A test event that nobody listens to is queued for nobody."""
    sent = data(api.post("test-deliveries", event_type="direct_payment.confirmed"), 201)
    assert (sent["queued"], sent["delivery_status"], sent["response_status"]) == (0, None, None)


def test_a_test_for_named_subscriptions(api: Api, receiver: Receiver) -> None:
    """A test goes to the subscriptions that are named, and to each of them once."""
    create(api)
    named = create(api)["id"]
    sent = data(
        api.post(
            "test-deliveries", event_type="direct_payment.spent", subscription_ids=[named, named]
        ),
        201,
    )
    assert (sent["queued"], len(receiver.got)) == (1, 1)


def test_a_test_for_a_paused_subscription(api: Api) -> None:
    """A test that names a paused subscription is a conflict."""
    made = create(api)["id"]
    api.post(f"subscriptions/{made}/pause")
    answer = api.post("test-deliveries", event_type="direct_payment.spent", subscription_ids=[made])
    assert refused(answer) == (409, "WEBHOOK_SUBSCRIPTION_PAUSED")


def test_deliveries_newest_first_with_filters(api: Api, receiver: Receiver) -> None:
    """The log shows deliveries newest first, by subscription, event type and status."""
    one, two = create(api)["id"], create(api, event_types=["direct_payment.spent"])["id"]
    api.post("test-deliveries", event_type="direct_payment.confirmed")
    receiver.failing(1)
    api.post("test-deliveries", event_type="direct_payment.spent")
    everything = data(api.get("deliveries"))
    assert [found["subscription_id"] for found in everything] == [two, one, one]
    assert [found["delivery_status"] for found in everything] == [
        "delivered",
        "failed",
        "delivered",
    ]
    counts = [
        len(data(api.get(f"deliveries?{query}")))
        for query in (
            f"subscription_id={one}",
            "event_type=direct_payment.spent",
            "status=failed",
            "limit=1",
        )
    ]
    assert counts == [2, 2, 1, 1]


def test_a_delivery_names_everything(api: Api, receiver: Receiver) -> None:
    """A delivery tells its subscription, event, status, the receiver's answer and the time."""
    made = create(api)["id"]
    sent = data(api.post("test-deliveries", event_type="direct_payment.confirmed"), 201)
    (found,) = data(api.get("deliveries"))
    assert found.pop("id").startswith("whdel_")
    assert found == {
        "subscription_id": made,
        "event_id": sent["event"]["id"],
        "event_type": "direct_payment.confirmed",
        "delivery_status": "delivered",
        "response_status": 200,
        "delivered_at": "2026-03-02T09:00:00.000Z",
        "attempt_count": 1,
        "next_attempt_at": None,
        "error": None,
        "created_at": "2026-03-02T09:00:00.000Z",
    }


def test_redeliver(api: Api, receiver: Receiver) -> None:
    """A redelivery answers how it went, and sends the same event again."""
    create(api)
    receiver.failing(1)
    api.post("test-deliveries", event_type="direct_payment.confirmed")
    (first,) = data(api.get("deliveries"))
    again = data(api.post(f"deliveries/{first['id']}/redeliver"))
    assert (again["event_id"], again["delivery_status"]) == (first["event_id"], "delivered")
    assert again["id"] != first["id"]
    assert receiver.got[0][2] == receiver.got[1][2]


def test_redeliver_to_a_paused_subscription(api: Api, receiver: Receiver) -> None:
    """What a paused subscription got isn't sent to it again."""
    made = create(api)["id"]
    api.post("test-deliveries", event_type="direct_payment.confirmed")
    api.post(f"subscriptions/{made}/pause")
    (first,) = data(api.get("deliveries"))
    assert refused(api.post(f"deliveries/{first['id']}/redeliver")) == (
        409,
        "WEBHOOK_SUBSCRIPTION_PAUSED",
    )


@pytest.mark.parametrize("verb", ["pause", "resume", "rotate-secret"])
def test_anothers_subscription_does_not_exist(api: Api, verb: str) -> None:
    """Another owner's subscription is answered as if there were none."""
    made = create(api)["id"]
    theirs = api.post(f"subscriptions/{made}/{verb}", "other")
    nobodys = api.post(f"subscriptions/whsub_none/{verb}", "other")
    assert refused(theirs) == refused(nobodys) == (404, "NOT_FOUND")


def test_anothers_delivery_does_not_exist(api: Api, receiver: Receiver) -> None:
    """Another owner's deliveries are neither listed nor sent again nor tested."""
    made = create(api)["id"]
    api.post("test-deliveries", event_type="direct_payment.confirmed")
    (first,) = data(api.get("deliveries"))
    assert data(api.get("deliveries", "other")) == []
    assert data(api.get(f"deliveries?subscription_id={made}", "other")) == []
    theirs = api.post(f"deliveries/{first['id']}/redeliver", "other")
    assert theirs.json["error"] == {
        "code": "NOT_FOUND",
        "message": f"no webhook delivery {first['id']}",
    }
    test = api.post("test-deliveries", "other", event_type="a.b", subscription_ids=[made])
    assert refused(test) == (404, "NOT_FOUND")
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("token", "status"),
    [(None, 401), ("unknown", 401), ("cli_key", 401), ("buyer", 403), ("provider", 403)],
)
def test_only_merchants(api: Api, token: str | None, status: int) -> None:
    """The webhook routes open to merchant tokens alone."""
    assert api.get("subscriptions", token).status_code == status
    assert api.post("subscriptions", token, callback_url=HOOK).status_code == status


BAD_BODIES = [
    {},
    {"callback_url": 1},
    {"callback_url": "http://shop.example/hook"},
    {"callback_url": "https://user@shop.example/"},
    {"callback_url": "https://店.example/"},
    {"callback_url": "https://shop.example/" + "a" * 2048},
    {"callback_url": HOOK, "event_types": []},
    {"callback_url": HOOK, "event_types": "direct_payment.spent"},
    {"callback_url": HOOK, "event_types": ["支払"]},
    {"callback_url": HOOK, "event_types": ["a.b"] * 51},
    {"callback_url": HOOK, "description": "a" * 1001},
    {"callback_url": HOOK, "metadata": []},
]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_invalid_subscriptions(api: Api, world: World, body: dict) -> None:
    """An invalid subscription is 422, and nothing is written."""
    assert refused(api.post("subscriptions", **body)) == (422, "INVALID_REQUEST")
    with world.snapshot() as connection:
        assert subscriptions_of(connection, "usr_shop") == []


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b"null",
        b'{"callback_url": NaN}',
        b'{"callback_url": "https://a.example/", "callback_url": "https://b.example/"}',
        b"\xff\xfe",
        b'{"callback_url": "\\ud800"}',
        b'{"callback_url": "https://a.example/\\u0000"}',
        b'{"a":' * 100_000,
    ],
)
def test_malformed_bodies(api: Api, raw: bytes) -> None:
    """A body that isn't one JSON object is 400."""
    assert refused(api.raw("subscriptions", raw)) == (400, "MALFORMED_REQUEST")


def test_a_body_over_one_mebibyte(api: Api) -> None:
    """A body over 1 MiB is 413."""
    assert api.raw("subscriptions", b" " * (1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=1&limit=2", "status=lost"]
)
def test_invalid_filters(api: Api, query: str) -> None:
    """A filter or limit out of range is 422."""
    assert refused(api.get(f"deliveries?{query}")) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event_type": ""},
        {"event_type": "no type"},
        {"event_type": "a.b", "data": []},
        {"event_type": "a.b", "subscription_ids": "x"},
    ],
)
def test_invalid_tests(api: Api, world: World, body: dict) -> None:
    """An invalid test event is 422, and nothing is sent."""
    create(api)
    assert refused(api.post("test-deliveries", **body)) == (422, "INVALID_REQUEST")
    with world.snapshot() as connection:
        assert newest_deliveries(connection, "usr_shop") == []


def told(world: World) -> list[tuple[str, str, dict]]:
    """Return what the journal tells of subscriptions and tests: kind, subject and data."""
    with world.snapshot() as connection:
        return [
            (entry.kind, entry.subject, json.loads(entry.data))
            for entry in entries(connection)
            if entry.kind.startswith(("webhook_subscription.", "webhook_test."))
        ]


@pytest.mark.both_databases
def test_a_subscriptions_steps_are_told(api: Api, world: World) -> None:
    """Made, paused, resumed and with a new secret: each is told once, and no repeat."""
    made = create(api, event_types=["direct_payment.spent"])
    steps = ("pause", "pause", "resume", "resume", "rotate-secret")
    secrets = [made] + [data(api.post(f"subscriptions/{made['id']}/{step}")) for step in steps]
    assert told(world) == [
        (
            "webhook_subscription.created",
            made["id"],
            {"owner": "usr_shop", "event_types": ["direct_payment.spent"]},
        ),
        ("webhook_subscription.paused", made["id"], {}),
        ("webhook_subscription.resumed", made["id"], {}),
        ("webhook_subscription.secret_rotated", made["id"], {}),
    ]
    assert not [
        one for one in (secrets[0], secrets[-1]) if one["signing_secret"] in repr(told(world))
    ]


def test_no_address_is_told(api: Api, world: World) -> None:
    """Paths and queries of an address may hold a secret, and stay out of the journal."""
    api.post("subscriptions", callback_url=f"{HOOK}/of-a-secret?key=of-a-secret")
    assert len(told(world)) == 1
    assert "of-a-secret" not in repr(told(world))


def test_a_test_that_is_asked_for_is_told(api: Api, world: World) -> None:
    """A test is told with its event's type and who was to hear of it, be it nobody."""
    kind = "direct_payment.confirmed"
    asked = {"event_type": kind, "data": {"password": "of-a-secret"}}
    events = [data(api.post("test-deliveries", **asked), 201)["event"]["id"]]
    heard = create(api)["id"]
    events.append(data(api.post("test-deliveries", **asked), 201)["event"]["id"])
    tests = [entry for entry in told(world) if entry[0] == "webhook_test.requested"]
    assert tests == [
        ("webhook_test.requested", event, {"event_type": kind, "subscription_ids": ids})
        for event, ids in zip(events, ([], [heard]), strict=True)
    ]


def test_what_is_refused_is_not_told(api: Api, world: World) -> None:
    """Another's subscription, a wrong address, a wrong type and a paused one tell nothing."""
    made = create(api)["id"]
    api.post(f"subscriptions/{made}/pause")
    before = told(world)
    for verb in ("pause", "resume", "rotate-secret"):
        assert api.post(f"subscriptions/{made}/{verb}", "other").status_code == 404
    assert api.post("subscriptions", callback_url="http://shop.example/hook").status_code == 422
    kind = "direct_payment.spent"
    named = api.post("test-deliveries", event_type=kind, subscription_ids=[made])
    assert refused(named) == (409, "WEBHOOK_SUBSCRIPTION_PAUSED")
    assert api.post("test-deliveries", event_type="").status_code == 422
    assert told(world) == before
