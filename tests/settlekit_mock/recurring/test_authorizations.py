import pytest

from settlekit.challenge import challenge_hash
from settlekit_mock.kernel.times import to_text
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.recurring.tables import AUTHORIZATIONS
from tests.settlekit_mock.payments.conftest import SHOP, data, refused
from tests.settlekit_mock.recurring.conftest import BUYER, NOW, Shop

UNTIL = "2026-03-09T00:00:00.000Z"


def test_every_field(shop: Shop) -> None:
    """An authorization is answered whole, with the token that orders its runs, this once."""
    made = data(
        shop.authorize(
            max_runs=3,
            max_amount_minor_per_run=1200,
            cadence={"unit": "day", "at": "09:00"},
            cadence_limit={"max_runs_per_day": 1, "max_amount_minor_per_month": 5000},
            expires_at=UNTIL,
            operation_key="daily-digest",
            agent_id="agent-7",
            metadata={"order": "A-1"},
        ),
        201,
    )
    with shop.world.snapshot() as connection:
        listing_id = merchant_named(connection, SHOP).listing_id
    token = made["schedule_token"]
    assert token.startswith("sched_")
    assert made == {
        "authorization_id": made["id"],
        "id": made["id"],
        "mode": "external_402",
        "merchant": SHOP,
        "buyer_user_id": BUYER,
        "agent_id": "agent-7",
        "product_listing_id": listing_id,
        "listing_id": listing_id,
        "access_grant_id": None,
        "capability_key": f"external_402.{SHOP}",
        "operation_key": "daily-digest",
        "challenge_hash": challenge_hash(shop.recurring("daily")),
        "expected_amount_minor": 980,
        "max_amount_minor": 1200,
        "currency": "JPY",
        "token_symbol": "JPYC",
        "max_runs": 3,
        "run_count": 0,
        "status": "active",
        "schedule_token": token,
        "token_hint": token[-4:],
        "cadence": {"unit": "day", "at": "09:00"},
        "cadence_limit": {
            "max_runs_per_day": 1,
            "max_runs_per_month": None,
            "max_amount_minor_per_day": None,
            "max_amount_minor_per_month": 5000,
        },
        "metadata_jsonb": {"order": "A-1"},
        "expires_at": UNTIL,
        "revoked_at": None,
        "created_at": to_text(NOW),
        "updated_at": to_text(NOW),
        "requires_user_signature": False,
        "mandate": {
            "mandate_id": made["mandate"]["mandate_id"],
            "status": "active",
            "cadence": "daily",
            "max_amount_minor": 1200,
            "currency": "JPY",
            "token_symbol": "JPYC",
        },
    }


def test_nothing_is_charged_yet(shop: Shop) -> None:
    """An approval charges nothing and tells nobody."""
    data(shop.authorize(), 201)
    assert (shop.payments(), shop.receiver.got) == (0, [])


def test_defaults(shop: Shop) -> None:
    """What isn't said is unlimited; a run costs what was signed, and the cadence is a daily tag."""
    made = data(shop.authorize(), 201)
    assert (made["max_runs"], made["expires_at"]) == (None, None)
    assert (made["max_amount_minor"], made["cadence"]) == (980, {"unit": "daily"})
    assert set(made["cadence_limit"].values()) == {None}


def test_the_token_is_not_kept(shop: Shop) -> None:
    """The database and the journal hold a hash and a hint of the token, and no token."""
    token = data(shop.authorize(), 201)["schedule_token"]
    with shop.world.snapshot() as connection:
        (row,) = connection.execute(AUTHORIZATIONS.select()).all()
        answers = connection.exec_driver_sql("SELECT answer FROM idempotency").all()
        journal = connection.exec_driver_sql("SELECT subject, data FROM events").all()
    assert token not in f"{row} {answers} {journal}"
    assert row.token_hint == token[-4:]


def test_the_same_challenge_answers_the_same(shop: Shop) -> None:
    """The buyer that asks again gets the same authorization as it stands now, without its token."""
    made = data(shop.authorize(max_runs=1), 201)
    token = made.pop("schedule_token")
    again = data(shop.authorize(max_runs=1), 200)
    assert again.pop("schedule_token") is None
    assert again == made
    data(shop.run(token))
    assert data(shop.authorize(max_runs=1))["status"] == "exhausted"


@pytest.mark.parametrize(
    "changes",
    [
        {"max_runs": 2},
        {"expires_at": UNTIL},
        {"cadence": "weekly"},
        {"cadence_limit": {"max_runs_per_day": 1}},
        {"max_amount_minor": 981},
        {"metadata": {"a": 1}},
        {"operation_key": "other"},
        {"capability_key": "other"},
        {"agent_id": "other"},
    ],
    ids=str,
)
def test_another_approval_needs_another_challenge(shop: Shop, changes: dict) -> None:
    """A challenge approves one thing: with anything else it is used already."""
    data(shop.authorize(max_runs=1), 201)
    answer = shop.authorize(**{"max_runs": 1, **changes})
    assert refused(answer) == (409, "EXTERNAL_402_CHALLENGE_ALREADY_USED")


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"amount_minor": None, "expected_amount_minor": 980}, "expected_amount_minor", 980),
        ({"expected_amount_minor": 980}, "expected_amount_minor", 980),
        ({"max_amount_minor": 1000}, "max_amount_minor", 1000),
        ({"currency": None, "token_symbol": "jpyc"}, "currency", "JPY"),
        ({"currency": None, "buyer_token": "JPYC"}, "token_symbol", "JPYC"),
        ({"valid_until": UNTIL}, "expires_at", UNTIL),
        ({"expires_at": UNTIL, "valid_until": "2026-03-09T09:00:00+09:00"}, "expires_at", UNTIL),
        ({"allowed_operation_key": "x"}, "operation_key", "x"),
        ({"expected_operation_key": "x"}, "operation_key", "x"),
        ({"cadence": "weekly"}, "cadence", {"unit": "weekly"}),
        ({"cadence": {"at": "09:00"}}, "cadence", {"unit": "daily", "at": "09:00"}),
        ({"capability_key": "digest"}, "capability_key", "digest"),
    ],
    ids=str,
)
def test_other_names(shop: Shop, changes: dict, field: str, value: object) -> None:
    """What has two names is taken by either."""
    challenge = shop.recurring("daily")
    assert data(shop.authorize(challenge=challenge, **changes), 201)[field] == value


@pytest.mark.parametrize(
    "changes",
    [
        {"expected_amount_minor": 981},
        {"max_amount_minor": 1000, "max_amount_minor_per_run": 1001},
        {"max_amount_minor_per_run": 979},
        {"token_symbol": "JPYC", "buyer_token": "USDC"},
        {"cadence": {"unit": 7}},
        {"cadence": {"unit": None}},
        {"cadence": {"unit": " "}},
        {"cadence": {"unit": {"days": 1}}},
        {"cadence": {"unit": "u" * 256}},
        {"currency": None},
        {"amount_minor": None},
        {"expires_at": UNTIL, "valid_until": "2026-03-10T00:00:00Z"},
        {"expires_at": "tomorrow"},
        {"expires_at": to_text(NOW)},
        {"operation_key": "a", "allowed_operation_key": "b"},
        {"mode": "listing"},
        {"max_runs": 0},
        {"cadence_limit": {"max_runs_per_hour": 1}},
        {"cadence_limit": {"max_runs_per_day": 0}},
        {"listing_id": "lst_other"},
        {"metadata": [1]},
    ],
    ids=str,
)
def test_bad_approvals(shop: Shop, changes: dict) -> None:
    """An approval that says two things, can never run or isn't valid is refused; nothing is made."""
    challenge = shop.recurring("daily")
    answer = shop.authorize(challenge=challenge, **changes)
    assert refused(answer) == (422, "INVALID_REQUEST")
    assert shop.journal("authorization.") == []
    assert data(shop.authorize(), 201)


def test_the_merchants_own_listing(shop: Shop) -> None:
    """A listing may be named, where it is the merchant's."""
    with shop.world.snapshot() as connection:
        listing_id = merchant_named(connection, SHOP).listing_id
    assert data(shop.authorize(listing_id=listing_id), 201)["listing_id"] == listing_id


# -- how it ends ---------------------------------------------------------------------------


def test_revoke(shop: Shop) -> None:
    """A revoked authorization says so and when; its token orders nothing any more."""
    made = data(shop.authorize(), 201)
    shop.advance("2026-03-03T00:00:00Z")
    revoked = data(shop.revoke(made["id"]))
    at = "2026-03-03T00:00:00.000Z"
    assert revoked == {
        **made,
        "schedule_token": None,
        "status": "revoked",
        "revoked_at": at,
        "updated_at": at,
        "mandate": {**made["mandate"], "status": "cancelled"},
    }
    assert refused(shop.run(made["schedule_token"])) == (401, "UNAUTHORIZED")
    assert shop.payments() == 0


def test_revoking_twice_changes_nothing(shop: Shop) -> None:
    """A second revocation is answered like the first."""
    made = data(shop.authorize(), 201)
    first = data(shop.revoke(made["id"]))
    shop.advance("2026-03-03T00:00:00Z")
    assert data(shop.revoke(made["id"])) == first
    assert [kind for kind, _ in shop.journal("authorization.revoked")] == ["authorization.revoked"]


def test_a_revoked_token_answers_nothing(shop: Shop) -> None:
    """Not even a slot that ran is answered to a revoked token."""
    made = data(shop.authorize(), 201)
    data(shop.run(made["schedule_token"]))
    data(shop.revoke(made["id"]))
    assert refused(shop.run(made["schedule_token"])) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("authorization_id", ["saa_unknown", None])
def test_only_ones_own(shop: Shop, authorization_id: str | None) -> None:
    """Another buyer's authorization is as if there were none."""
    made = data(shop.authorize(), 201)
    answer = shop.revoke(authorization_id or made["id"], token="other")
    assert refused(answer) == (404, "NOT_FOUND")
    assert data(shop.authorize())["status"] == "active"


def test_expiry(shop: Shop) -> None:
    """At its time, by the clock, an authorization is expired: told then, and refused from then on."""
    made = data(shop.authorize(expires_at=UNTIL), 201)
    token = made["schedule_token"]
    shop.advance("2026-03-08T23:59:59.999Z")
    data(shop.run(token))
    shop.advance(UNTIL)
    assert shop.journal("authorization.expired") == [("authorization.expired", UNTIL)]
    assert refused(shop.run(token)) == (401, "UNAUTHORIZED")
    assert refused(shop.run(token, "slot-2")) == (401, "UNAUTHORIZED")
    assert refused(shop.revoke(made["id"])) == (409, "SCHEDULED_AUTHORIZATION_NOT_ACTIVE")
    with shop.world.snapshot() as connection:
        assert connection.execute(AUTHORIZATIONS.select()).one().status == "expired"


def test_what_ended_before_does_not_expire(shop: Shop) -> None:
    """An authorization that was revoked or used up keeps that end beyond its expiry."""
    revoked = data(shop.authorize(expires_at=UNTIL), 201)
    data(shop.revoke(revoked["id"]))
    challenge = shop.recurring("daily", nonce="setup-2")
    used = data(shop.authorize(expires_at=UNTIL, max_runs=1, challenge=challenge), 201)
    data(shop.run(used["schedule_token"]))
    shop.advance("2026-03-10T00:00:00Z")
    assert shop.journal("authorization.expired") == []
    assert refused(shop.run(used["schedule_token"])) == (401, "UNAUTHORIZED")


def test_what_is_used_up_is_not_revoked(shop: Shop) -> None:
    """An authorization that is used up has ended: there is nothing to revoke."""
    made = data(shop.authorize(max_runs=1), 201)
    data(shop.run(made["schedule_token"]))
    assert refused(shop.revoke(made["id"])) == (409, "SCHEDULED_AUTHORIZATION_NOT_ACTIVE")
