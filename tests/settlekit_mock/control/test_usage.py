"""Usage in bulk: how often, over what time, and what is refused."""

from random import Random
from typing import Any

import pytest

from settlekit import webhooks
from settlekit.challenge import verify
from settlekit_mock import MockServer
from settlekit_mock.kernel.times import from_text, to_text
from settlekit_mock.payments.tables import REQUIREMENTS, merchant_named
from tests.settlekit_mock.control.conftest import SHOP, START, Control, rows_of

PAYMENT = {"buyer": "sandbox_buyer", "merchant": SHOP, "amount_minor": 100, "currency": "JPY"}


def pay(control: Control, **given: Any) -> Any:
    status, answer = control.post("usage", **{**PAYMENT, **given})
    assert status == 200, answer
    return answer


def accepted_at(mock: MockServer) -> list[str]:
    return [entry.at for entry in mock.events(kind="payment.accepted")]


@pytest.mark.parametrize("count", [1, 2, 99])
def test_a_payment_is_made_as_often_as_asked(
    mock: MockServer, control: Control, count: int
) -> None:
    """Every payment is a usage event of its own, all at the clock's time."""
    answer = pay(control, count=count)
    ids = [entry.subject for entry in mock.events(kind="payment.accepted")]
    assert (answer["accepted"], answer["refused"]) == (count, {})
    assert (answer["first_usage_id"], answer["last_usage_id"]) == (ids[0], ids[-1])
    assert accepted_at(mock) == [START] * count


@pytest.mark.parametrize(
    ("count", "over", "seconds", "ends"),
    [
        (4, "PT60S", [0, 15, 30, 45], 60),
        (3, 1, [0, 0.333, 0.666], 1),
        (2, "P14D", [0, 7 * 86_400], 14 * 86_400),
        (1, "PT1H", [0], 3600),
        (2, "PT0S", [0, 0], 0),
    ],
)
def test_payments_are_spread_evenly_and_the_clock_moves_along(
    mock: MockServer, control: Control, count: int, over: str, seconds: list[float], ends: float
) -> None:
    """``over`` spreads payments from now on; afterwards the clock shows its end."""
    pay(control, count=count, over=over)
    start = from_text(START)
    assert accepted_at(mock) == [to_text(start + round(second * 1000)) for second in seconds]
    assert mock.world.now() == start + ends * 1000


def test_what_falls_due_meanwhile_happens_in_its_place(mock: MockServer, control: Control) -> None:
    """Payments spread over a slot stand on both sides of the close."""
    mock.buyers.create(buyer_id="b1", weekly_slot={"weekday": 2, "hour": 0, "minute": 0})
    pay(control, buyer="b1", count=30, over="P10D")
    closed = list(mock.events(kind="period.closed"))
    before = [at for at in accepted_at(mock) if at < closed[0].at]
    assert (closed[0].at, closed[0].data["usage_count"]) == ("2026-03-04T00:00:00.000Z", 6)
    assert (len(before), max(before)) == (6, "2026-03-03T16:00:00.000Z")
    assert [entry.seq for entry in mock.events()] == sorted(entry.seq for entry in mock.events())


def test_refusals_are_counted_by_code(mock: MockServer, control: Control) -> None:
    """What is refused is counted, and what comes after it is still offered."""
    mock.buyers.create(buyer_id="b1", balances={"JPYC": "250"})
    answer = pay(control, buyer="b1", count=5)
    assert (answer["accepted"], answer["refused"]) == (2, {"BUDGET_EXCEEDED": 3})
    answer = pay(control, count=120)
    assert (answer["accepted"], answer["refused"]) == (100, {"METERED_SETTLEMENT_PAST_DUE": 20})


def test_nothing_accepted_names_no_usage(mock: MockServer, control: Control) -> None:
    """Where everything is refused there is no first and no last."""
    mock.buyers.create(buyer_id="b1", vault_active=False)
    answer = pay(control, buyer="b1")
    assert (answer["first_usage_id"], answer["last_usage_id"]) == (None, None)


def test_a_pause_ends_within_the_same_call(mock: MockServer, control: Control) -> None:
    """Spread over weeks, payments are refused while the scope is paused and accepted again."""
    answer = pay(control, amount_minor=500, count=40, over="P20D")
    assert answer["accepted"] + sum(answer["refused"].values()) == 40
    assert len(list(mock.events(kind="batch.settled"))) >= 1


def test_labels_are_the_callers_or_the_merchants(mock: MockServer, control: Control) -> None:
    """Rows carry the listing, capability and operation that were asked for, else the merchant's."""
    listing = mock.merchants.get(SHOP).listing_id
    pay(control)
    pay(control, listing_id="l1", capability_key="c1", operation_key="o1")
    query = "SELECT listing_id, capability_key, operation_key FROM labels ORDER BY label_number"
    with mock.world.snapshot() as connection:
        labels = [tuple(row) for row in connection.exec_driver_sql(query)]
    assert labels == [(listing, f"external_402.{SHOP}", "external_402.pay"), ("l1", "c1", "o1")]


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"buyer": "nobody"}, (404, "BUYER_NOT_FOUND")),
        ({"merchant": "nobody"}, (404, "EXTERNAL_402_MERCHANT_NOT_FOUND")),
        ({"amount_minor": 501}, (422, "INVALID_REQUEST")),
        ({"amount_minor": 301, "currency": "USD"}, (422, "INVALID_REQUEST")),
        ({"amount_minor": 501, "webhooks": True}, (422, "INVALID_REQUEST")),
        ({"buyer": "nobody", "webhooks": True}, (404, "BUYER_NOT_FOUND")),
        ({"webhooks": "yes"}, (422, "INVALID_REQUEST")),
        ({"amount_minor": 0}, (422, "INVALID_REQUEST")),
        ({"amount_minor": "100"}, (422, "INVALID_REQUEST")),
        ({"amount_minor": 100.0}, (422, "INVALID_REQUEST")),
        ({"amount_minor": True}, (422, "INVALID_REQUEST")),
        ({"amount_minor": 10**30}, (422, "INVALID_REQUEST")),
        ({"currency": "EUR"}, (422, "INVALID_REQUEST")),
        ({"currency": "jpy"}, (422, "INVALID_REQUEST")),
        ({"listing_id": "💰" * 255, "capability_key": "💱" * 255}, (422, "INVALID_REQUEST")),
        ({"count": 0}, (422, "INVALID_REQUEST")),
        ({"count": 10**9}, (422, "INVALID_REQUEST")),
        ({"over": "P1Y"}, (422, "INVALID_REQUEST")),
        ({"over": -1}, (422, "INVALID_REQUEST")),
        ({"over": "P999999D"}, (422, "INVALID_REQUEST")),
        ({"listing_id": ""}, (422, "INVALID_REQUEST")),
        ({"listing_id": "x" * 256}, (422, "INVALID_REQUEST")),
        ({"surprise": 1}, (422, "INVALID_REQUEST")),
    ],
)
def test_a_wrong_call_writes_nothing(
    mock: MockServer, control: Control, wrong: dict[str, Any], refusal: tuple[int, str]
) -> None:
    """Unknown parties are 404, anything out of range 422, and no row changes."""
    before = rows_of(mock.world)
    assert control.post("usage", **{**PAYMENT, **wrong}) == refusal
    assert rows_of(mock.world) == before


@pytest.mark.parametrize("missing", list(PAYMENT))
def test_every_party_and_amount_is_needed(control: Control, missing: str) -> None:
    """A payment names its buyer, merchant, amount and currency."""
    body = {name: value for name, value in PAYMENT.items() if name != missing}
    assert control.post("usage", **body) == (422, "INVALID_REQUEST")


# -- with webhooks -----------------------------------------------------------------------


def test_each_accepted_payment_is_told_whole(mock: MockServer) -> None:
    """With ``webhooks`` the merchant is told of each payment, in a form the SDK classifies."""
    inbox = mock.webhooks.collect()
    mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY", count=2)
    made = mock.usage(
        "sandbox_buyer", merchant=SHOP, amount_minor=5, currency="JPY", count=3, webhooks=True
    )
    told = [webhooks.classify(event) for event in inbox.events]
    assert [type(one) for one in told] == [webhooks.MeteredUsageAccepted] * 3
    assert {(one.pricing_band, one.settlement_cadence) for one in told} == {("nano", "monthly")}
    usage_ids = [event.data["metered_usage_id"] for event in inbox.events]
    assert (usage_ids[0], usage_ids[-1]) == (made.first_usage_id, made.last_usage_id)
    assert len({event.data["challenge_hash"] for event in inbox.events}) == 3


def test_told_payments_have_requirements_under_the_merchants_challenge(mock: MockServer) -> None:
    """Each told payment has a spent requirement, and its challenge is the merchant's own."""
    mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=30, currency="USD", webhooks=True)
    with mock.world.snapshot() as connection:
        (row,) = connection.execute(REQUIREMENTS.select()).all()
        shop = merchant_named(connection, SHOP)
    assert shop is not None
    terms = {"merchant": SHOP, "amount_minor": 30, "currency": "USD"}
    assert verify(row.challenge, secret=shop.challenge_secret, **terms)
    assert (row.status, row.buyer_id, row.pricing_band) == ("spent", "sandbox_buyer", "nano")


def test_told_payments_are_the_same_usage_as_silent_ones() -> None:
    """Whether told or not, rows, clock and refusals are the same: spread, labelled, refused."""
    rows = []
    for told in (False, True):
        with MockServer(seed=7, freeze_at=START) as mock:
            mock.buyers.create(buyer_id="b1", balances={"JPYC": "1250"})
            labels = {"listing_id": "l1", "capability_key": "c1", "operation_key": "o1"}
            offered = {"merchant": SHOP, "amount_minor": 100, "currency": "JPY", **labels}
            made = mock.usage("b1", count=30, over="P1D", webhooks=told, **offered)
            assert (made.accepted, made.refused) == (12, {"BUDGET_EXCEEDED": 18})
            events = mock.client("provider").provider_statements.usage_events().all()
            shown = [
                (e.created_at, e.listing_id, e.capability_key, e.operation_key) for e in events
            ]
            refused = [entry.at for entry in mock.events(kind="payment.refused")]
            rows.append((shown, refused, mock.world.now()))
    assert rows[0] == rows[1]


def test_a_threshold_reached_by_told_payments_closes_the_period_between_them(
    mock: MockServer,
) -> None:
    """The payment that reaches the threshold closes its period; the next one is refused."""
    inbox = mock.webhooks.collect()
    made = mock.usage(
        "sandbox_buyer", merchant=SHOP, amount_minor=500, currency="JPY", count=22, webhooks=True
    )
    assert (made.accepted, made.refused) == (20, {"METERED_SETTLEMENT_PAST_DUE": 2})
    assert inbox.events[-1].data["settlement_trigger"] == "amount_threshold"
    assert len(list(mock.events(kind="period.closed"))) == 1


@pytest.mark.both_databases
def test_the_longest_names_are_kept() -> None:
    """What isn't refused is held by every database's indexes, however badly it packs."""
    draw = Random(7)
    names = ("capability_key", "operation_key")
    longest = {
        name: "".join(chr(draw.randrange(0x10000, 0x10FFFF)) for _ in "a" * 255) for name in names
    }
    with MockServer(seed=7, freeze_at=START) as mock:
        for listing in ("ж" * 90, "l" * 180):
            made = mock.usage(
                "sandbox_buyer",
                merchant=SHOP,
                amount_minor=10,
                currency="JPY",
                listing_id=listing,
                **longest,
            )
            assert made.accepted == 1
