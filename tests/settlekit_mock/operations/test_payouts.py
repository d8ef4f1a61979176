"""Payouts are run, approved, and only then paid."""

from typing import Any

import pytest

from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.history import newest_lines
from settlekit_mock.ledger.invariants import INVARIANTS as LEDGER_INVARIANTS
from settlekit_mock.ledger.service import Account, Leg, balance, outside, post
from settlekit_mock.operations.invariants import INVARIANTS
from tests.settlekit_mock.operations.conftest import Operator, credit, plant, rows_of
from tests.settlekit_mock.operations.rules.test_payouts import ALLOWED, REFUSED, REPEATED

PATH = "/v1/admin/payouts"
WAYS = {
    "pending": (),
    "processing": ("approve",),
    "paid": ("approve", "mark-paid"),
    "failed": ("approve", "fail"),
    "cancelled": ("cancel",),
}


def payout_in(operator: Operator, world: World, status: str) -> dict[str, Any]:
    """Open a payout of 25 dollars and lead it to a status."""
    credit(world, "usr_1", 25 * MAJOR)
    (payout,) = operator.post(f"{PATH}/run-mock")["items"]
    for step in WAYS[status]:
        payout = operator.post(f"{PATH}/{payout['id']}/{step}")
    assert payout["status"] == status
    return payout


def held(world: World, account: Account) -> int:
    with world.snapshot() as connection:
        return balance(connection, account.number)


def spend(world: World, account: Account, units: int) -> None:
    with world.transaction() as tx:
        away = outside(tx, account.currency)
        post(tx, "spend", [Leg(account, -units), Leg(away, units)], subject="x")


def sound(world: World) -> bool:
    with world.snapshot() as connection:
        found = [one for check in (*LEDGER_INVARIANTS, *INVARIANTS) for one in check(connection)]
    assert found == []
    return True


def test_a_run_opens_a_payout_of_the_whole_balance(operator: Operator, world: World) -> None:
    """Each developer at or above the threshold gets one pending payout; nothing moves yet."""
    rich = credit(world, "usr_rich", 25 * MAJOR + 1)
    credit(world, "usr_just", 1 * MAJOR)
    credit(world, "usr_poor", 1 * MAJOR - 1)
    credit(world, "buyer_1", 50 * MAJOR, scope="end_user")
    credit(world, "platform", 50 * MAJOR, scope="platform")
    credit(world, "usr_rich", 900 * MAJOR, "JPY")
    answer = operator.post(f"{PATH}/run-mock")
    assert [(item["developer_id"], item["amount_usd"]) for item in answer["items"]] == [
        ("usr_rich", "25.00000001"),
        ("usr_just", "1.00000000"),
    ]
    first = answer["items"][0]
    assert first == {
        "id": first["id"],
        "developer_id": "usr_rich",
        "amount_usd": "25.00000001",
        "status": "pending",
        "provider": "mock",
        "provider_payout_id": None,
        "operator_note": None,
        "reason": None,
        "created_at": "2026-03-01T00:00:00.000Z",
        "updated_at": "2026-03-01T00:00:00.000Z",
        "approved_at": None,
        "paid_at": None,
    }
    assert held(world, rich) == 25 * MAJOR + 1
    assert sound(world)


@pytest.mark.both_databases
def test_a_second_run_opens_nothing(operator: Operator, world: World) -> None:
    """While a developer's payout is pending or processing, a run opens no other."""
    payout = payout_in(operator, world, "pending")
    credit(world, "usr_1", 5 * MAJOR)
    assert operator.post(f"{PATH}/run-mock") == {"items": []}
    operator.post(f"{PATH}/{payout['id']}/approve")
    assert operator.post(f"{PATH}/run-mock") == {"items": []}


@pytest.mark.parametrize("ended", ["paid", "failed", "cancelled"])
def test_a_run_opens_another_after_the_end(operator: Operator, world: World, ended: str) -> None:
    """Once a developer's payout ended, the next run opens one for what the wallet then holds."""
    payout_in(operator, world, ended)
    credit(world, "usr_1", 2 * MAJOR)
    (payout,) = operator.post(f"{PATH}/run-mock")["items"]
    assert payout["amount_usd"] == ("2.00000000" if ended == "paid" else "27.00000000")


@pytest.mark.parametrize(
    ("body", "opened"),
    [
        ({}, ["usr_1 5.00000000"]),
        ({"threshold_usd": "5"}, ["usr_1 5.00000000"]),
        ({"threshold_usd": "5.00000001"}, []),
        ({"threshold": "5", "currency": "USD"}, ["usr_1 5.00000000"]),
        ({"currency": "JPY"}, ["usr_1 JPY 300.00000000", "usr_2 JPY 1.00000000"]),
        ({"threshold": "2", "currency": "JPY"}, ["usr_1 JPY 300.00000000"]),
        ({"threshold": "300.00000001", "currency": "JPY"}, []),
    ],
)
def test_a_run_takes_a_threshold_and_a_currency(
    operator: Operator, world: World, body: dict[str, str], opened: list[str]
) -> None:
    """The threshold is 1 unless said, of USD unless said, and a balance that equals it counts."""
    credit(world, "usr_1", 5 * MAJOR)
    credit(world, "usr_1", 300 * MAJOR, "JPY")
    credit(world, "usr_2", 1 * MAJOR, "JPY")
    items = operator.post(f"{PATH}/run-mock", **body)["items"]
    told = [
        f"{item['developer_id']} {item['amount_usd']}"
        if "amount_usd" in item
        else f"{item['developer_id']} {item['currency']} {item['amount']}"
        for item in items
    ]
    assert told == opened
    assert all(("amount_usd" in item) != ("amount" in item or "currency" in item) for item in items)


def test_a_payout_is_approved_with_a_note_and_then_paid(operator: Operator, world: World) -> None:
    """Marking paid debits the wallet once, by one entry, and names the provider's payout."""
    payout = payout_in(operator, world, "pending")
    approved = operator.post(f"{PATH}/{payout['id']}/approve", operator_note="looks right")
    assert approved == payout | {
        "status": "processing",
        "operator_note": "looks right",
        "approved_at": "2026-03-01T00:00:00.000Z",
    }
    paid = operator.post(f"{PATH}/{payout['id']}/mark-paid")
    assert paid == approved | {
        "status": "paid",
        "provider_payout_id": paid["provider_payout_id"],
        "paid_at": "2026-03-01T00:00:00.000Z",
    }
    assert paid["provider_payout_id"].startswith("po_mock_")
    account = credit(world, "usr_1", 1)
    with world.snapshot() as connection:
        _, line, _ = newest_lines(connection, account.number, limit=10)
    assert (line.reason, line.subject) == ("mock_payout_paid", payout["id"])
    assert (line.amount, line.balance_after) == (-25 * MAJOR, 0)
    assert sound(world)


@pytest.mark.parametrize(("status", "step"), ALLOWED)
def test_allowed_steps_lead_on(operator: Operator, world: World, status: str, step: str) -> None:
    """Each step of the table answers 200 with the payout where the table says."""
    payout = payout_in(operator, world, status)
    answer = operator.post(f"{PATH}/{payout['id']}/{step}")
    assert answer["status"] == ALLOWED[status, step]
    assert operator.get(f"{PATH}/{payout['id']}") == answer
    assert sound(world)


@pytest.mark.both_databases
@pytest.mark.parametrize(("status", "step"), sorted(REPEATED))
def test_a_step_taken_again_answers_the_same(
    operator: Operator, world: World, status: str, step: str
) -> None:
    """A repeated step answers the same bytes and writes nothing."""
    payout = payout_in(operator, world, status)
    first = operator.call("GET", f"{PATH}/{payout['id']}").data
    before = rows_of(world)
    again = operator.call("POST", f"{PATH}/{payout['id']}/{step}", json={})
    assert (again.status_code, again.data) == (200, first)
    assert rows_of(world) == before


@pytest.mark.parametrize(("status", "step"), REFUSED)
def test_every_other_step_is_refused(
    operator: Operator, world: World, status: str, step: str
) -> None:
    """Every other step is 400 ``invalid_request`` and changes nothing."""
    payout = payout_in(operator, world, status)
    before = rows_of(world)
    refused = operator.refused("POST", f"{PATH}/{payout['id']}/{step}", json={})
    assert refused[:2] == (400, "invalid_request")
    assert ("must be approved" in refused[2]) == (step == "mark-paid")
    assert rows_of(world) == before


@pytest.mark.parametrize("step", ["approve", "mark-paid", "cancel", "fail"])
def test_an_unknown_payout_is_not_found(operator: Operator, world: World, step: str) -> None:
    """A step with a payout that isn't there is 404 ``invalid_request``."""
    before = rows_of(world)
    assert operator.refused("POST", f"{PATH}/payout_none/{step}", json={})[:2] == (
        404,
        "invalid_request",
    )
    assert operator.refused("GET", f"{PATH}/payout_none")[:2] == (404, "invalid_request")
    assert rows_of(world) == before


def test_reasons_are_kept(operator: Operator, world: World) -> None:
    """Why a payout was cancelled or failed is told from then on."""
    payout = payout_in(operator, world, "pending")
    cancelled = operator.post(f"{PATH}/{payout['id']}/cancel", reason="a duplicate")
    assert cancelled["reason"] == "a duplicate"
    assert operator.get(f"{PATH}/{payout['id']}") == cancelled
    (second,) = operator.post(f"{PATH}/run-mock")["items"]
    operator.post(f"{PATH}/{second['id']}/approve", operator_note="go")
    failed = operator.post(f"{PATH}/{second['id']}/fail", reason="bank closed")
    assert (failed["reason"], failed["operator_note"]) == ("bank closed", "go")


def test_a_balance_that_fell_below_the_amount_is_not_paid(operator: Operator, world: World) -> None:
    """Marking paid what the wallet no longer holds is 402, and nothing changes."""
    payout = payout_in(operator, world, "processing")
    account = credit(world, "usr_1", 1)
    spend(world, account, 2)
    before = rows_of(world)
    refused = operator.refused("POST", f"{PATH}/{payout['id']}/mark-paid", json={})
    assert refused[:2] == (402, "insufficient_balance")
    assert rows_of(world) == before
    credit(world, "usr_1", 1)
    assert operator.post(f"{PATH}/{payout['id']}/mark-paid")["status"] == "paid"
    assert held(world, account) == 0


def test_what_came_in_since_the_run_stays_in_the_wallet(operator: Operator, world: World) -> None:
    """A payout pays the amount it was opened with, and no more."""
    payout = payout_in(operator, world, "processing")
    account = credit(world, "usr_1", 3 * MAJOR)
    operator.post(f"{PATH}/{payout['id']}/mark-paid")
    assert held(world, account) == 3 * MAJOR


@pytest.mark.parametrize(("status", "step"), [("pending", "approve"), ("processing", "mark-paid")])
def test_a_hold_stops_what_leads_to_payment(
    operator: Operator, world: World, status: str, step: str
) -> None:
    """A wallet on hold has no payout approved or paid, until the hold is released."""
    payout = payout_in(operator, world, status)
    account = credit(world, "usr_1", 1)
    plant(world, account, 7)
    operator.get("/v1/admin/reconciliation/ledger")
    before = rows_of(world)
    refused = operator.refused("POST", f"{PATH}/{payout['id']}/{step}", json={})
    assert refused[:2] == (409, "reconciliation_hold")
    assert rows_of(world) == before
    (hold,) = operator.get("/v1/admin/reconciliation/holds")["items"]
    operator.post(f"/v1/admin/reconciliation/holds/{hold['id']}/release", note="explained")
    assert operator.post(f"{PATH}/{payout['id']}/{step}")["status"] == ALLOWED[status, step]


@pytest.mark.parametrize(("status", "step"), [("pending", "cancel"), ("processing", "fail")])
def test_a_hold_stops_no_retreat(operator: Operator, world: World, status: str, step: str) -> None:
    """A payout from a wallet on hold can still be cancelled or failed."""
    payout = payout_in(operator, world, status)
    plant(world, credit(world, "usr_1", 1), 7)
    operator.get("/v1/admin/reconciliation/ledger")
    assert operator.post(f"{PATH}/{payout['id']}/{step}")["status"] == ALLOWED[status, step]


def test_every_step_is_journalled_and_audited(operator: Operator, world: World) -> None:
    """Each step leaves one journal entry and one audit entry, by whom and with what was said."""
    first = payout_in(operator, world, "pending")["id"]
    operator.post(f"{PATH}/{first}/cancel", reason="too early")
    (second,) = (item["id"] for item in operator.post(f"{PATH}/run-mock")["items"])
    operator.post(f"{PATH}/{second}/approve", operator_note="checked")
    operator.post(f"{PATH}/{second}/mark-paid")
    operator.post(f"{PATH}/{second}/mark-paid")
    told = {"amount": "25.00000000", "currency": "USD", "developer_id": "usr_1"}
    log = operator.get("/v1/admin/audit")["items"]
    assert [(e["action"], e["resource"], e["actor"], e["details"]) for e in reversed(log)] == [
        ("payout.created", first, "operator", told),
        ("payout.cancelled", first, "operator", told | {"reason": "too early"}),
        ("payout.created", second, "operator", told),
        ("payout.processing", second, "operator", told | {"operator_note": "checked"}),
        ("payout.paid", second, "operator", told),
    ]
    with world.snapshot() as connection:
        journal = [e for e in entries(connection) if e.kind.startswith("payout.")]
    assert [(e.kind, e.subject) for e in journal] == [
        (e["action"], e["resource"]) for e in reversed(log)
    ]


@pytest.mark.both_databases
def test_payouts_are_listed_newest_first_in_pages(operator: Operator, world: World) -> None:
    """Pages follow each other without a gap or a repeat, while newer payouts come in."""
    for number in range(5):
        credit(world, f"usr_{number}", 2 * MAJOR)
    made = [item["id"] for item in operator.post(f"{PATH}/run-mock")["items"]]
    first = operator.get(PATH, limit=2)
    credit(world, "usr_late", 2 * MAJOR)
    operator.post(f"{PATH}/run-mock")
    second = operator.get(PATH, limit=2, cursor=first["next_cursor"])
    third = operator.get(PATH, limit=2, cursor=second["next_cursor"])
    seen = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert seen == made[::-1]
    assert third["next_cursor"] is None
    assert operator.get(PATH, limit=6)["next_cursor"] is None
    assert len(operator.get(PATH)["items"]) == 6


@pytest.mark.both_databases
def test_payouts_are_listed_by_status(operator: Operator, world: World) -> None:
    """A status filters the list, and its cursor goes on within that status alone."""
    for number in range(4):
        credit(world, f"usr_{number}", 2 * MAJOR)
    made = [item["id"] for item in operator.post(f"{PATH}/run-mock")["items"]]
    for payout_id in made[:3]:
        operator.post(f"{PATH}/{payout_id}/approve")
    first = operator.get(PATH, status="processing", limit=2)
    second = operator.get(PATH, status="processing", limit=2, cursor=first["next_cursor"])
    assert [item["id"] for item in first["items"] + second["items"]] == made[2::-1]
    assert [item["id"] for item in operator.get(PATH, status="pending")["items"]] == [made[3]]
    refused = operator.refused(
        "GET", PATH, query_string={"status": "pending", "cursor": first["next_cursor"]}
    )
    assert refused[:2] == (400, "invalid_request")
