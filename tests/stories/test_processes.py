"""One mock in four processes on PostgreSQL: exact counts, and no drift, whoever calls whom."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.postgresql import PostgresqlServer
from tests.stories.processes import (
    SHOP,
    Counting,
    Team,
    end_process,
    team,
    together,
    wait_for,
)

SESSIONS = "/v1/sdrp/direct-payments/checkout-sessions"
CLIENTS = 16
PAYMENTS = 160


@pytest.fixture(scope="module")
def receiver() -> Iterator[Counting]:
    made = Counting()
    yield made
    made.close()


@pytest.fixture(scope="module")
def four(postgresql_server: PostgresqlServer, receiver: Counting) -> Iterator[Team]:
    """Four processes on one database, on a frozen clock."""
    url = postgresql_server.create_database()
    with team(url, freeze_at="2026-01-01T00:00:00Z", webhook_url=receiver.url) as made:
        yield made
    postgresql_server.drop_database(url)


@pytest.fixture
def shared(four: Team, receiver: Counting) -> Iterator[Team]:
    """The four processes, and a world that has just begun; it is sound at the end."""
    four.post("/_mock/reset")
    receiver.received.clear()
    receiver.failures = 0
    yield four
    checked = four.get("/_mock/check")
    assert checked["ok"], checked["violations"]


def pay(shared: Team, buyer: str, amount_minor: int = 1) -> Any:
    wanted = {"buyer": buyer, "merchant": SHOP, "amount_minor": amount_minor, "currency": "JPY"}
    return shared.post("/_mock/usage", **wanted)


def adjust(shared: Team, wallet: Any, direction: str, **more: object) -> httpx.Response:
    path = f"/v1/admin/wallets/{wallet['wallet_id']}/adjustments"
    body = {"kind": "adjustment", "direction": direction, "amount": "1", **more}
    return shared.call("POST", path, {**body, "currency": wallet.get("currency", "USD")})


def wallet(shared: Team, scope: str) -> Any:
    """Return the sandbox's wallet of a kind of owner."""
    items = shared.get("/v1/admin/reconciliation/ledger")["items"]
    return next(item for item in items if item["owner_scope"] == scope)


def held(shared: Team, scope: str) -> str:
    found = wallet(shared, scope)
    balance: str = found.get("wallet_balance") or found["wallet_balance_usd"]
    return balance


def run(shared: Team) -> Any:
    """Run payouts of yen."""
    return shared.post("/v1/admin/payouts/run-mock", threshold="1", currency="JPY")["items"]


def test_sixteen_clients_pay_and_each_payment_counts_once(shared: Team) -> None:
    """As many payments as were answered for are in the journal, the buckets and the ids."""
    buyers = [shared.post("/_mock/buyers")["buyer_id"] for _ in range(CLIENTS)]

    def buy(number: int) -> list[str]:
        turns = range(PAYMENTS // CLIENTS)
        return [pay(shared, buyers[number])["first_usage_id"] for _ in turns]

    ids = [usage_id for found in together(CLIENTS, buy) for usage_id in found]
    told = [entry["subject"] for entry in shared.events("payment.accepted")]
    assert len(set(ids)) == PAYMENTS
    assert sorted(told) == sorted(ids)


def test_each_webhook_is_delivered_once(shared: Team, receiver: Counting) -> None:
    """Sixteen clients check out at once; each sale is told once, before its call is answered."""

    shared.post("/_mock/simulate/finality", seconds=0)

    def check_out(number: int) -> None:
        wanted = {
            "merchant": SHOP,
            "amount_minor": 1200,
            "currency": "JPY",
            "nonce": f"order-{number:04d}-{'0' * 12}",
            "success_url": "http://localhost:3000/yes",
            "cancel_url": "http://localhost:3000/no",
        }
        made = shared.call("POST", SESSIONS, wanted, "sandbox_merchant_token")
        assert made.status_code == 201, made.text
        session = made.json()["data"]["session_id"]
        shared.post(f"/sandbox/checkout-sessions/{session}/confirm")

    together(CLIENTS, check_out)
    told = [entry["data"]["event_id"] for entry in shared.events("webhook.delivered")]
    assert Counter(receiver.received) == Counter(told)
    assert len(told) == len(set(told)) == CLIENTS


def test_32_callers_with_one_key_adjust_once(shared: Team) -> None:
    """All are answered the same bytes, by whichever process, and money moves once."""
    customer = wallet(shared, "end_user")
    answers = together(32, lambda _: adjust(shared, customer, "debit", idempotency_key="k"))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert held(shared, "end_user") == "9.00000000"


def test_eight_callers_mark_one_payout_paid(shared: Team) -> None:
    """All eight are answered alike, and the wallet is debited once."""
    assert adjust(shared, wallet(shared, "developer"), "credit", amount="40").is_success
    (payout,) = run(shared)
    path = f"/v1/admin/payouts/{payout['id']}"
    shared.post(f"{path}/approve")
    answers = together(8, lambda _: shared.call("POST", f"{path}/mark-paid", {}))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert held(shared, "developer") == "0.00000000"
    assert len(shared.events("payout.paid")) == 1


def test_two_runs_at_once_open_one_payout(shared: Team) -> None:
    """Whichever process comes first opens it, and the other none."""
    assert adjust(shared, wallet(shared, "developer"), "credit", amount="40").is_success
    runs = together(2, lambda _: run(shared))
    assert sorted(len(items) for items in runs) == [0, 1]


def test_wallets_taken_in_opposite_order_lose_nothing(shared: Team) -> None:
    """Eight callers move money there and back, half of them the other way round."""
    ends = [wallet(shared, scope) for scope in ("developer", "end_user")]
    for each in ends:
        assert adjust(shared, each, "credit", amount="100").is_success

    def back_and_forth(number: int) -> set[int]:
        here, there = ends if number % 2 else ends[::-1]
        moves = [(here, "debit"), (there, "credit"), (there, "debit"), (here, "credit")] * 2
        return {adjust(shared, each, direction).status_code for each, direction in moves}

    assert together(8, back_and_forth) == [{201}] * 8
    balances = [held(shared, scope) for scope in ("developer", "end_user")]
    assert balances == ["100.00000000", "110.00000000"]


def test_advances_through_any_process_add_up(shared: Team) -> None:
    """One process advances at a time, the others wait, and no day is lost."""
    together(6, lambda _: shared.post("/_mock/clock/advance", by="P1D"))
    assert shared.get("/_mock/clock")["now"] == "2026-01-07T00:00:00.000Z"


def test_a_fault_strikes_in_every_process(shared: Team) -> None:
    """A fault asked of one process strikes as often as it was to, wherever the calls come."""
    shared.post("/_mock/faults", match="GET /v1/*", kind="status", status=503, times=5)
    calls = together(CLIENTS, lambda _: shared.call("GET", "/v1/admin/payouts").status_code)
    assert Counter(calls) == {503: 5, 200: CLIENTS - 5}


def test_copies_are_refused_by_name(shared: Team) -> None:
    """Snapshots are for one process in memory: the answer says so."""
    refused = shared.call("POST", "/_mock/snapshots/before")
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "SNAPSHOTS_NEED_MEMORY"


def test_a_killed_process_loses_no_acknowledged_payment(shared: Team) -> None:
    """Processes are killed under load: what was answered for is there, once."""
    buyers = [shared.post("/_mock/buyers")["buyer_id"] for _ in range(8)]

    def buy(number: int) -> list[str]:
        found = list[str]()
        for turn in range(12):
            try:
                found.append(pay(shared, buyers[number])["first_usage_id"])
            except httpx.TransportError:
                continue  # its process died: whether it was written, nobody said
            if number == 0 and turn in (3, 6):
                end_process(shared.processes()[0])
        return found

    ids = [usage_id for found in together(8, buy) for usage_id in found]
    told = Counter(entry["subject"] for entry in shared.events("payment.accepted"))
    assert set(told.values()) == {1}
    assert set(ids) <= set(told)
    assert len(ids) >= 80
    wait_for(lambda: len(shared.processes()) == 4)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="forked before"),
        pytest.param(("--preload",), id="forked after", marks=pytest.mark.soak),
    ],
)
def test_on_a_real_clock_work_is_done_by_itself(
    postgresql_url: str, receiver: Counting, options: tuple[str, ...]
) -> None:
    """Processes that nobody calls deliver what falls due, once, however they were forked."""
    receiver.received.clear()
    receiver.failures = 1
    with team(postgresql_url, *options, workers=2, webhook_url=receiver.url) as shared:
        assert shared.get("/_mock/clock")["mode"] == "real"
        pay(shared, shared.post("/_mock/buyers")["buyer_id"], 10)
        shared.post("/_mock/clock/advance", until="webhook.failed")
        assert len(receiver.received) == 1
        shared.post("/_mock/clock/advance", by=55)
        wait_for(lambda: len(receiver.received) == 2)
        wait_for(lambda: len(shared.events("webhook.delivered")) == 1)
        assert len(set(receiver.received)) == 1
        assert shared.get("/_mock/check")["ok"]
