"""An id of another kind of thing, or nearly the right one, names nothing: 404, nothing written."""

import json
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import pytest

from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import Account, chain_account, clearing_account, outside
from settlekit_mock.payments.merchants import create_merchant
from settlekit_mock.payments.tables import Merchant
from tests.settlekit_mock.operations.conftest import SECRET, Operator, rows_of
from tests.settlekit_mock.operations.desk import CASES, USE, Desk


class Slot(NamedTuple):
    """A place for an id: what must stand there, and what is told where there is no such thing."""

    kind: str
    told: str
    method: str
    path: str
    body: dict[str, Any] | None = None


USED: Final = {**USE, "request_id": "req_9", "route_mode": "byok", "fee_usd": "1"}
SLOTS: Final = {
    "credit": Slot(
        "wallet",
        "no wallet",
        "POST",
        "/v1/admin/wallets/{id}/credit-test-balance",
        {"amount_usd": "1"},
    ),
    "adjust": Slot(
        "wallet",
        "no wallet",
        "POST",
        "/v1/admin/wallets/{id}/adjustments",
        {"kind": "refund", "direction": "credit", "amount_usd": "1"},
    ),
    **{
        step: Slot("payout", "no payout", "POST", f"/v1/admin/payouts/{{id}}/{step}")
        for step in ("approve", "mark-paid", "cancel", "fail")
    },
    "payout": Slot("payout", "no payout", "GET", "/v1/admin/payouts/{id}"),
    "release": Slot(
        "hold",
        "no hold",
        "POST",
        "/v1/admin/reconciliation/holds/{id}/release",
        {"note": "seen"},
    ),
    "billing": Slot("buyer", "no customer", "GET", "/admin/billing/{id}"),
    "balance": Slot(
        "buyer",
        "no customer",
        "POST",
        "/admin/balance-adjust",
        {"sid": "{id}", "balance_cents": 700},
    ),
    "app": Slot("app", "no app", "GET", "/v1/apps/{id}/usage"),
    "developer": Slot("developer", "no developer", "GET", "/v1/developers/{id}/revenue"),
    "use of a buyer": Slot(
        "buyer", "no buyer", "POST", "/v1/admin/usage", {**USED, "buyer_id": "{id}"}
    ),
    "use of a developer": Slot(
        "developer", "no developer", "POST", "/v1/admin/usage", {**USED, "developer_id": "{id}"}
    ),
}


@pytest.fixture
def desk(world: World, buyer: Operator, customer: Account, merchant: Merchant) -> Desk:
    return Desk(world, buyer, customer, merchant)


@pytest.fixture
def known(desk: Desk, world: World, customer: Account, merchant: Merchant) -> dict[str, str]:
    """Ids of all kinds of things that there are."""
    begun = json.loads(desk.send(CASES["top-up"]).data)
    adjusted = json.loads(desk.send(CASES["adjustment"]).data)
    desk.send(CASES["use by a fee"])
    with world.transaction() as tx:
        of_kinds = {
            "chain account": chain_account(tx, "buyer_1", "USD").account_id,
            "clearing account": clearing_account(tx, "usage", "USD").account_id,
            "outside account": outside(tx, "USD").account_id,
        }
    return {
        **of_kinds,
        "wallet": customer.account_id,
        "payout": desk.known["payout"],
        "hold": desk.known["hold"],
        "buyer": "buyer_1",
        "developer": merchant.merchant_user_id,
        "merchant": merchant.merchant,
        "account": merchant.merchant_account_id,
        "listing": merchant.listing_id,
        "app": "app_1",
        "session": begun["checkout_session_id"],
        "adjustment": adjusted["id"],
        "request": "req_1",
        "owner without a shop": "usr_1",
        "nobody": "nobody",
    }


ALSO: Final = {"app": {"listing"}, "developer": {"owner without a shop"}}
"""By what is asked: a merchant's listing is an app, and who has a wallet has a revenue."""


def nearly(named: str) -> list[str]:
    """Return ids that are nearly this one."""
    return [
        named.upper(),
        named[:-1],
        f"{named}0",
        f"{named} ",
        f" {named}",
        f"{named}\n",
        named.replace("_", "-"),
        named.replace("_", "％"),
        f"{named}' OR '1'='1",
        f"{named[:-2]}%",
        f"{named[:-1]}_",
        "*",
        "..",
        "null",
        "0",
        "１",
        "ü" * 255,
    ]


@pytest.mark.both_databases
@pytest.mark.parametrize("name", SLOTS)
def test_an_id_of_something_else_names_nothing(
    world: World, operator: Operator, known: dict[str, str], name: str
) -> None:
    """Each other thing's id, and each that is nearly right, is 404 that says what there isn't."""
    slot = SLOTS[name]
    same = {slot.kind} | ALSO.get(name, set())
    wrong = [each for kind, each in known.items() if kind not in same]
    wrong += [each for each in nearly(known[slot.kind]) if each.strip() != "" or slot.body is None]
    before = rows_of(world)
    amiss: list[tuple[str, int, str]] = []
    for each in wrong:
        body = slot.body and {
            field: value.format(id=each) if value == "{id}" else value
            for field, value in slot.body.items()
        }
        path = slot.path.format(id=quote(each, safe=""))
        answer = operator.call(slot.method, path, json=body, headers=SECRET)
        told = json.loads(answer.data)["error"]
        named = slot.told in told["message"] or "no route" in told["message"]
        if (answer.status_code, told["code"], named) != (404, "invalid_request", True):
            amiss.append((each, answer.status_code, answer.text))
    assert amiss == []
    assert rows_of(world) == before


def test_the_right_ids_name_something(operator: Operator, known: dict[str, str]) -> None:
    """Each place takes the id of its own kind."""
    for name, slot in SLOTS.items():
        body = slot.body and {
            field: known[slot.kind] if value == "{id}" else value
            for field, value in slot.body.items()
        }
        path = slot.path.format(id=known[slot.kind])
        answer = operator.call(slot.method, path, json=body, headers=SECRET)
        # A step that the payout's status doesn't allow is told as that.
        assert answer.status_code in (200, 201, 400), (name, answer.text)
        assert "no " + slot.kind not in answer.text


def test_an_app_of_another_developer_is_refused(
    operator: Operator, world: World, known: dict[str, str]
) -> None:
    """An app is charged for its own developer alone: 400 that names the field."""
    with world.transaction() as tx:
        other = create_merchant(tx, "another_shop")
    before = rows_of(world)
    body = {**USED, "developer_id": other.merchant_user_id}
    status, code, message = operator.refused("POST", "/v1/admin/usage", json=body)
    assert (status, code) == (400, "invalid_request")
    assert message.startswith("public_app_id: ")
    assert rows_of(world) == before


@pytest.mark.parametrize("case", ["test credit", "adjustment"])
@pytest.mark.parametrize(("wallet", "currency"), [("wallet", "JPY"), ("yen", "USD")])
def test_a_wallet_takes_its_own_currency_alone(
    world: World, desk: Desk, case: str, wallet: str, currency: str
) -> None:
    """A wallet of another currency than the amount's is refused with the one that it holds."""
    before = rows_of(world)
    right = CASES[case]
    asked = {"amount_usd": None, "amount": "1", "currency": currency}
    spoiled = right._replace(path=right.path.replace("{wallet}", f"{{{wallet}}}"))
    answer = desk.send(spoiled, **asked)
    held = "USD" if wallet == "wallet" else "JPY"
    assert answer.status_code == 400
    assert f"the wallet holds {held}, not {currency}" in answer.text
    assert rows_of(world) == before
