"""Simulations: whom they strike, how often, how they end, and what is no simulation."""

from typing import Any

import pytest
from sqlalchemy import text

from settlekit import Client
from settlekit_mock import MockServer
from tests.settlekit_mock.control.conftest import SHOP, Control, rows_of

SLOT = {"weekday": 2, "hour": 10, "minute": 30}
STRUCK = ("notice.failed", "debit.failed", "debit.unknown")
REASONS = [
    "INSUFFICIENT_BALANCE",
    "INSUFFICIENT_ALLOWANCE",
    "BUDGET_VAULT_INACTIVE",
    "PAYOUT_CAP_EXCEEDED",
    "ONCHAIN_FAILURE",
]


def sell(mock: MockServer, *buyers: str) -> None:
    """Have buyers pay, whose slots are the same."""
    for buyer in buyers:
        mock.buyers.create(buyer_id=buyer, weekly_slot=SLOT)
        mock.usage(buyer, merchant=SHOP, amount_minor=100, currency="JPY")


def batch_of(mock: MockServer, buyer: str) -> str:
    with mock.world.snapshot() as connection:
        query = text(
            "SELECT settlement_batch_id FROM batches JOIN buyers USING (buyer_number) "
            "WHERE buyer_id = :buyer"
        )
        found: str = connection.execute(query, {"buyer": buyer}).scalar_one()
    return found


def failures(mock: MockServer, kind: str = "debit.failed") -> dict[str, int]:
    """Count the journal's entries of a kind by their subject."""
    subjects = [entry.subject for entry in mock.events(kind=kind)]
    return {subject: subjects.count(subject) for subject in subjects}


@pytest.mark.parametrize("reason", REASONS)
def test_a_debit_fails_for_the_reason_asked_for(mock: MockServer, reason: str) -> None:
    """Each public reason is the batch's own until an attempt goes through."""
    sell(mock, "b1")
    mock.simulate.debit_failure(buyer="b1", reason=reason)
    mock.clock.advance(until="debit.failed")
    (batch,) = mock.client("provider").provider_statements.settlement_batches()
    assert (batch.failure_reason_code, batch.failure_reason_label is None) == (reason, False)
    mock.clock.advance(until="batch.settled")
    assert failures(mock) == {batch.settlement_batch_id: 1}


def test_the_closest_simulation_goes_first(mock: MockServer) -> None:
    """The one for the batch goes before the one for the buyer, and that before the one for all."""
    sell(mock, "b1")
    mock.clock.advance(until="notice.recorded")
    mock.simulate.debit_failure(reason="ONCHAIN_FAILURE")
    mock.simulate.debit_failure(buyer="b1", reason="PAYOUT_CAP_EXCEEDED")
    mock.simulate.debit_failure(
        settlement_batch_id=batch_of(mock, "b1"), reason="BUDGET_VAULT_INACTIVE"
    )
    mock.clock.advance(days=10)
    codes = [entry.data["code"] for entry in mock.events(kind="debit.failed")]
    assert codes == ["BUDGET_VAULT_INACTIVE", "PAYOUT_CAP_EXCEEDED", "ONCHAIN_FAILURE"]


def test_a_simulation_strikes_nobody_else(mock: MockServer) -> None:
    """What is asked for one batch or one buyer leaves all others alone."""
    sell(mock, "b1", "b2", "b3")
    mock.clock.advance(until="notice.recorded")
    mock.simulate.debit_failure(buyer="b2", times=2)
    mock.simulate.debit_failure(settlement_batch_id=batch_of(mock, "b1"), times=3)
    mock.clock.advance(days=10)
    assert failures(mock) == {batch_of(mock, "b1"): 3, batch_of(mock, "b2"): 2}


def test_a_missing_buyer_means_all(mock: MockServer) -> None:
    """Without a buyer the notices and outcomes of everybody are struck."""
    sell(mock, "b1", "b2")
    mock.simulate.notice_failure(times=2)
    mock.simulate.unknown_outcome(times=2)
    mock.clock.advance(days=10)
    assert list(failures(mock, "notice.failed").values()) == [1, 1]
    assert list(failures(mock, "debit.unknown").values()) == [1, 1]


@pytest.mark.parametrize("kind", ["notice_failure", "debit_failure", "unknown_outcome"])
def test_zero_times_ends_a_simulation(mock: MockServer, kind: str) -> None:
    """``times: 0`` takes back what was asked for, and the batch settles at its first attempt."""
    sell(mock, "b1")
    begin = getattr(mock.simulate, kind)
    begin(buyer="b1", times=5)
    assert begin(buyer="b1", times=0).times == 0
    mock.clock.advance(until="batch.settled")
    assert [entry.kind for entry in mock.events() if entry.kind in STRUCK] == []


@pytest.mark.parametrize("kind", ["notice_failure", "debit_failure", "unknown_outcome"])
def test_zero_times_without_a_buyer_ends_everybodys(mock: MockServer, kind: str) -> None:
    """A missing buyer means all where simulations end, too."""
    sell(mock, "b1", "b2")
    begin = getattr(mock.simulate, kind)
    begin(buyer="b1", times=5)
    begin(buyer="b2", times=5)
    begin(times=0)
    mock.clock.advance(days=10)
    assert [len(failures(mock, of)) for of in (*STRUCK, "batch.settled")] == [0, 0, 0, 2]


def test_zero_times_for_one_ends_nobody_elses(mock: MockServer) -> None:
    """Ended for one batch or buyer, what was asked for others, or for all, goes on."""
    sell(mock, "b1", "b2", "b3")
    mock.clock.advance(until="notice.recorded")
    mock.simulate.debit_failure(buyer="b1", times=2)
    mock.simulate.debit_failure(settlement_batch_id=batch_of(mock, "b2"), times=3)
    mock.simulate.debit_failure(times=1)
    mock.simulate.debit_failure(buyer="b3", times=0)
    mock.simulate.debit_failure(settlement_batch_id=batch_of(mock, "b1"), times=0)
    mock.clock.advance(days=10)
    assert sum(failures(mock).values()) == 2 + 3 + 1


def test_another_simulation_of_the_same_target_takes_its_place(mock: MockServer) -> None:
    """Asked twice, the second one counts: they don't add up."""
    sell(mock, "b1")
    mock.simulate.debit_failure(buyer="b1", times=9)
    mock.simulate.debit_failure(buyer="b1", times=1)
    mock.clock.advance(until="batch.settled")
    assert list(failures(mock).values()) == [1]


@pytest.mark.parametrize(
    ("seconds", "settles"), [(0, "00.000Z"), (1, "01.000Z"), (59, "59.000Z"), (None, "30.000Z")]
)
def test_finality_takes_as_long_as_is_asked(
    mock: MockServer, seconds: int | None, settles: str
) -> None:
    """From submission to settlement is the time that was set, thirty seconds unless it was."""
    sell(mock, "b1")
    mock.simulate.finality(seconds=5)
    mock.simulate.finality(seconds=seconds)
    mock.clock.advance(until="batch.settled")
    (settled,) = mock.events(kind="batch.settled")
    assert settled.at == f"2026-03-07T10:30:{settles}"


def execute(client: Client, key: str, listing_id: str, capability_key: str) -> Any:
    body = {
        "listing_id": listing_id,
        "operation_key": "summarise",
        "amount_minor": 100,
        "currency": "JPY",
        "idempotency_key": key,
        "input": {},
    }
    path = f"/market/capabilities/{capability_key}/execute"
    return client.request("POST", path, json=body).data


def test_a_provider_answers_as_is_asked_so_many_times(mock: MockServer) -> None:
    """The outcome is of one capability, as often as asked; then its provider does its work."""
    listing_id = mock.merchants.get(SHOP).listing_id
    mock.simulate.provider_outcome(capability_key="digest", outcome="5xx", times=2)
    client = mock.client("buyer")
    for number, capability in enumerate(("digest", "other", "digest", "digest")):
        execute(client, f"k{number}", listing_id, capability)
    told = [entry.data["outcome"] for entry in mock.events(kind="capability.executed")]
    assert told == ["5xx", "2xx", "5xx", "2xx"]


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("notice-failure", {"buyer": "nobody", "times": 1}, 404),
        ("debit-failure", {"buyer": "nobody", "reason": "ONCHAIN_FAILURE", "times": 1}, 404),
        ("unknown-outcome", {"settlement_batch_id": "msb_none", "times": 1}, 404),
        ("notice-failure", {}, 422),
        ("notice-failure", {"times": -1}, 422),
        ("notice-failure", {"times": "1"}, 422),
        ("debit-failure", {"reason": "BAD_LUCK", "times": 1}, 422),
        ("debit-failure", {"times": 1}, 422),
        ("provider-outcome", {"capability_key": "c", "outcome": "3xx", "times": 1}, 422),
        ("provider-outcome", {"outcome": "2xx", "times": 1}, 422),
        ("finality", {"seconds": -1}, 422),
        ("finality", {"seconds": 3601}, 422),
        ("finality", {"seconds": 1, "surprise": 1}, 422),
    ],
)
def test_what_is_no_simulation_changes_nothing(
    mock: MockServer, control: Control, name: str, body: dict[str, Any], status: int
) -> None:
    """Somebody or something unknown is 404, anything out of range 422, and no row changes."""
    before = rows_of(mock.world)
    assert control.post(f"simulate/{name}", **body)[0] == status
    assert rows_of(mock.world) == before


def test_a_batch_is_of_its_own_buyer(mock: MockServer, control: Control) -> None:
    """A batch named with another buyer is as if there were none."""
    sell(mock, "b1", "b2")
    mock.clock.advance(until="period.closed")
    asked = {"buyer": "b2", "settlement_batch_id": batch_of(mock, "b1"), "times": 1}
    assert control.post("simulate/unknown-outcome", **asked)[0] == 404


Told = list[tuple[str, str, dict[str, Any]]]


def told(mock: MockServer) -> Told:
    """Return what the journal tells of simulations."""
    return [
        (entry.kind, entry.subject, entry.data)
        for entry in mock.events()
        if entry.kind.startswith("simulation.")
    ]


def begun_and_ended(subject: str, **data: Any) -> Told:
    return [(f"simulation.{step}", subject, data) for step in ("begun", "ended")]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("name", "whom", "what", "subject"),
    [
        ("notice-failure", {}, {}, "notice_failure"),
        ("notice-failure", {"buyer": "b1"}, {}, "notice_failure"),
        ("debit-failure", {"buyer": "b1"}, {"reason": "ONCHAIN_FAILURE"}, "debit_failure"),
        ("unknown-outcome", {}, {}, "unknown_outcome"),
        ("provider-outcome", {"capability_key": "digest"}, {"outcome": "5xx"}, "digest"),
    ],
    ids=str,
)
def test_a_simulation_is_told_when_it_begins_and_ends(
    mock: MockServer,
    control: Control,
    name: str,
    whom: dict[str, str],
    what: dict[str, str],
    subject: str,
) -> None:
    """Each is told once as it begins and once as it is ended; the same asked again isn't."""
    mock.buyers.create(buyer_id="b1")
    for times in (3, 3, 0, 0):
        assert control.post(f"simulate/{name}", **whom, **what, times=times)[0] == 200
    kind = name.replace("-", "_")
    assert told(mock) == begun_and_ended(subject, simulation=kind, times=3, **whom, **what)


def test_a_batchs_simulation_is_told_of_the_batch(mock: MockServer) -> None:
    """What is asked for a batch is the batch's entry; ended for all, each tells what was left."""
    sell(mock, "b1")
    mock.clock.advance(until="notice.recorded")
    batch = batch_of(mock, "b1")
    mock.simulate.unknown_outcome(buyer="b1", times=2)
    mock.simulate.unknown_outcome(settlement_batch_id=batch, times=2)
    mock.clock.advance(until="debit.unknown")
    mock.simulate.unknown_outcome(times=0)
    of_buyer = {"simulation": "unknown_outcome", "buyer": "b1", "times": 2}
    of_batch = {"simulation": "unknown_outcome", "settlement_batch_id": batch}
    assert told(mock) == [
        ("simulation.begun", "unknown_outcome", of_buyer),
        ("simulation.begun", batch, {**of_batch, "times": 2}),
        ("simulation.ended", "unknown_outcome", of_buyer),
        ("simulation.ended", batch, {**of_batch, "times": 1}),
    ]


def test_what_is_used_up_tells_by_what_it_does(mock: MockServer) -> None:
    """A simulation that has happened as often as asked leaves its failures, and no entry more."""
    sell(mock, "b1")
    mock.simulate.debit_failure(buyer="b1", times=1)
    mock.clock.advance(until="batch.settled")
    mock.simulate.debit_failure(buyer="b1", times=0)
    assert [kind for kind, _, _ in told(mock)] == ["simulation.begun"]
    assert list(failures(mock).values()) == [1]


def test_another_finality_is_told(mock: MockServer) -> None:
    """A finality is told in seconds, none at all too, and the same one only once."""
    for seconds in (5, 5, 0):
        mock.simulate.finality(seconds=seconds)
    assert told(mock) == [
        ("simulation.begun", "finality", {"simulation": "finality", "seconds": seconds})
        for seconds in (5, 0)
    ]
