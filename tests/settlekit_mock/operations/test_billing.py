"""An operator sets a customer's balance; what was paid stays what was paid."""

from typing import Any

import pytest

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.problems import Conflict, NotFound
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import Account
from settlekit_mock.operations.billing import Payment, receive_payment
from tests.settlekit_mock.operations.conftest import (
    SECRET,
    Operator,
    answered,
    held,
    reasons,
    rows_of,
    sound,
)

ADJUST = "/admin/balance-adjust"
BILLING = "/admin/billing/buyer_1"
SHILLINGS = Payment("buyer_1", "cp_1", 700, "TZS", "clickpesa")
MOST = 9_223_372_036_854
"""Cents in 63 bits of units; the ledger has no room for these on top of what there is."""


def override(operator: Operator, **body: Any) -> Any:
    return answered(operator.call("POST", ADJUST, json=body, headers=SECRET))


def billing(operator: Operator) -> Any:
    return answered(operator.call("GET", BILLING, headers=SECRET))


def pay(world: World, payment: Payment) -> None:
    with world.transaction() as tx:
        receive_payment(tx, payment)


@pytest.mark.parametrize("cents", [0, 1, 999, 1001, -1, -250, 10**12, -(10**12)])
def test_a_balance_is_set_exactly(
    operator: Operator, world: World, customer: Account, cents: int
) -> None:
    """The difference is posted as one entry, below zero too, and nothing counts as paid."""
    assert override(operator, sid="buyer_1", balance_cents=cents) == {
        "sid": "buyer_1",
        "prev_balance": 1000,
        "new_balance": cents,
        "lifetime_paid_cents": 0,
    }
    assert held(world, customer) == cents * MAJOR // 100
    assert reasons(world)[-1] == "balance_adjust"
    assert sound(world)


def test_a_balance_that_is_right_is_left_alone(
    operator: Operator, world: World, customer: Account
) -> None:
    """Setting what is there posts nothing, and is audited all the same."""
    before = reasons(world)
    assert override(operator, sid="buyer_1", balance_cents=1000)["prev_balance"] == 1000
    assert reasons(world) == before
    assert held(world, customer) == 10 * MAJOR
    (entry,) = operator.get("/v1/admin/audit", action="balance.adjusted")["items"]
    assert entry["details"] == {"prev_balance_cents": "1000", "new_balance_cents": "1000"}
    assert entry["resource"] == "buyer_1"


def test_parts_of_a_cent_are_rounded_down_and_set_right(
    operator: Operator, world: World, customer: Account
) -> None:
    """A balance with parts of a cent is told rounded down; setting it leaves whole cents."""
    path = f"/v1/admin/wallets/{customer.account_id}/adjustments"
    operator.make(path, kind="adjustment", direction="debit", amount_usd="0.00000001")
    assert billing(operator)["credit_balance_cents"] == 999
    assert override(operator, sid="buyer_1", balance_cents=999)["prev_balance"] == 999
    assert held(world, customer) == 999 * MAJOR // 100


def test_a_debt_is_paid_off_by_what_comes_in(
    operator: Operator, world: World, customer: Account
) -> None:
    """A payment to a balance below zero is credited like any other."""
    override(operator, sid="buyer_1", balance_cents=-500)
    pay(world, SHILLINGS)
    assert held(world, customer) == 2 * MAJOR
    assert sound(world)


def test_payments_keep_their_currency_and_roll_up_in_cents(
    operator: Operator, world: World, customer: Account
) -> None:
    """Each payment raises balance and lifetime by its cents, and keeps what it was paid in."""
    pay(world, SHILLINGS)
    pay(world, Payment("buyer_1", "pi_1", 300, "EUR", "stripe"))
    assert billing(operator) == {
        "sid": "buyer_1",
        "credit_balance_cents": 2000,
        "lifetime_paid_cents": 1000,
        "payment_events": [
            {
                "external_ref": "pi_1",
                "amount_cents": 300,
                "currency": "EUR",
                "provider": "stripe",
                "created_at": "2026-03-01T00:00:00.000Z",
            },
            {
                "external_ref": "cp_1",
                "amount_cents": 700,
                "currency": "TZS",
                "provider": "clickpesa",
                "created_at": "2026-03-01T00:00:00.000Z",
            },
        ],
    }


def test_an_override_never_changes_what_was_paid(
    operator: Operator, world: World, customer: Account
) -> None:
    """Lifetime and payments are the same after the balance was set, down and up."""
    pay(world, SHILLINGS)
    before = billing(operator)
    for cents in (-100, 0, 99_999):
        override(operator, sid="buyer_1", balance_cents=cents)
        after = billing(operator)
        assert after == before | {"credit_balance_cents": cents}


def test_a_payment_is_kept_once(world: World, customer: Account) -> None:
    """A provider's reference credits once; with another payment it is refused."""
    pay(world, SHILLINGS)
    before = rows_of(world)
    pay(world, SHILLINGS)
    with pytest.raises(Conflict, match="recorded as another payment"):
        pay(world, SHILLINGS._replace(amount_cents=701))
    assert rows_of(world) == before
    pay(world, SHILLINGS._replace(provider="stripe"))
    assert held(world, customer) == 24 * MAJOR


def test_nobody_pays_for_a_stranger(world: World, customer: Account) -> None:
    """A payment of an unknown buyer is refused and kept nowhere."""
    before = rows_of(world)
    with pytest.raises(NotFound, match="no customer"):
        pay(world, SHILLINGS._replace(buyer_id="nobody"))
    assert rows_of(world) == before


@pytest.mark.parametrize(
    ("secret", "status", "code"),
    [
        ({}, 401, "invalid_session"),
        ({"X-Admin-Secret": ""}, 401, "invalid_session"),
        ({"X-Admin-Secret": "sandbox_admin_token"}, 401, "invalid_session"),
        ({"X-Admin-Secret": "Sandbox_admin_secret"}, 401, "invalid_session"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", ADJUST), ("GET", BILLING)])
def test_only_the_secret_opens_the_balance_routes(
    operator: Operator,
    world: World,
    customer: Account,
    method: str,
    path: str,
    secret: dict[str, str],
    status: int,
    code: str,
) -> None:
    """Without the admin secret, an operator's token too is refused, and nothing is written."""
    body = {"sid": "buyer_1", "balance_cents": 5}
    before = rows_of(world)
    refused = operator.refused(method, path, json=body, headers=secret)
    assert refused[:2] == (status, code)
    assert rows_of(world) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"sid": "nobody", "balance_cents": 5}, 404),
        ({"sid": "", "balance_cents": 5}, 400),
        ({"sid": 7, "balance_cents": 5}, 400),
        ({"balance_cents": 5}, 400),
        ({"sid": "buyer_1"}, 400),
        ({"sid": "buyer_1", "balance_cents": "5"}, 400),
        ({"sid": "buyer_1", "balance_cents": 5.0}, 400),
        ({"sid": "buyer_1", "balance_cents": 5.5}, 400),
        ({"sid": "buyer_1", "balance_cents": True}, 400),
        ({"sid": "buyer_1", "balance_cents": None}, 400),
        ({"sid": "buyer_1", "balance_cents": MOST}, 400),
        ({"sid": "buyer_1", "balance_cents": -MOST}, 400),
        ({"sid": "buyer_1", "balance_cents": MOST + 1}, 400),
        ({"sid": "buyer_1", "balance_cents": 10**30}, 400),
        ({"sid": "buyer_1", "balance_cents": 5, "lifetime_paid_cents": 0}, 400),
    ],
    ids=str,
)
def test_a_balance_that_is_none_is_refused(
    operator: Operator, world: World, customer: Account, body: dict[str, object], status: int
) -> None:
    """An unknown sid is 404, anything that isn't whole cents is 400, and nothing is written."""
    before = rows_of(world)
    refused = operator.refused("POST", ADJUST, json=body, headers=SECRET)
    assert refused[:2] == (status, "invalid_request")
    assert rows_of(world) == before


def test_an_unknown_customers_billing_is_not_found(operator: Operator) -> None:
    """There is no billing of somebody who isn't there."""
    refused = operator.refused("GET", "/admin/billing/nobody", headers=SECRET)
    assert refused[:2] == (404, "invalid_request")
