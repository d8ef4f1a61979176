"""The flow of money: what comes into a node goes out of it, and its ends are what is there."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from settlekit_mock import MockServer
from settlekit_mock.control.scenarios.stories import STORIES
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.settlement.tables import PERIODS, USAGE
from tests.settlekit_mock.console.conftest import Eventful
from tests.settlekit_mock.control.conftest import SHOP, Control
from tests.settlekit_mock.operations.conftest import Operator

Links = dict[tuple[str, str], Decimal]
INSIDE = {"settled", "wallets"}
SMALL = 0.001


def links_of(mock: MockServer, currency: str = "JPY") -> Links:
    found = mock.flow(currency=currency).links
    links = {(link.source, link.target): Decimal(link.amount_minor) for link in found}
    assert len(links) == len(found)
    assert all(amount > 0 for amount in links.values())
    return links


def between(links: Links) -> dict[str, tuple[Decimal, Decimal]]:
    """Return what comes in and what goes out, of each node that has both."""
    came: dict[str, Decimal] = defaultdict(Decimal)
    went: dict[str, Decimal] = defaultdict(Decimal)
    for (source, target), amount in links.items():
        went[source] += amount
        came[target] += amount
    return {node: (came[node], went[node]) for node in came.keys() & went.keys()}


def conserved(mock: MockServer) -> None:
    for currency in ("JPY", "USD"):
        inside = between(links_of(mock, currency))
        assert inside.keys() <= INSIDE
        for node, (came, went) in inside.items():
            assert came == went, (currency, node)


def test_every_story_conserves_its_money(mock: MockServer) -> None:
    """After each story, one upon the other, no node has gained or lost anything."""
    for story in STORIES:
        mock.scenarios.play(story, scale=SMALL if story == "year_at_scale" else None)
        conserved(mock)
    assert between(links_of(mock)).keys() == INSIDE


@pytest.mark.both_databases
def test_each_step_on_the_way_conserves_it(eventful: Eventful) -> None:
    """Whatever stands when the clock stops, promised is what periods hold and held what wallets do."""
    mock = eventful.mock
    mock.usage("b1", merchant=SHOP, amount_minor=100, currency="JPY", count=4)
    conserved(mock)
    for until in ("period.closed", "debit.submitted", "batch.settled"):
        mock.clock.advance(until=until)
        conserved(mock)
    for currency, units in (("JPY", MAJOR), ("USD", MAJOR // 100)):
        links = links_of(mock, currency)
        promised = sum(amount for (source, _), amount in links.items() if source == "metered")
        assert promised * units == accepted(mock, currency)
        wallets = [
            Decimal(one.balance) * MAJOR / units
            for one in mock.accounts.all(kind="wallet", currency=currency)
            if one.owner_scope == "developer"
        ]
        assert links.get(("wallets", "held"), Decimal(0)) == sum(wallets)


def accepted(mock: MockServer, currency: str) -> Any:
    """Return the units of all payments that were accepted."""
    query = (
        select(func.sum(USAGE.c.gross))
        .join(PERIODS, PERIODS.c.period_number == USAGE.c.period_number)
        .where(PERIODS.c.currency == currency)
    )
    with mock.world.snapshot() as connection:
        return connection.execute(query).scalar_one()


def test_where_a_payment_is(mock: MockServer) -> None:
    """A promise is open, waits, falls past due, and ends in a wallet and in a fee."""
    mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY")
    mock.simulate.debit_failure(times=28)
    assert links_of(mock) == {("metered", "open"): 100}
    for until, node in (("period.closed", "waiting"), ("debit.failed", "past_due")):
        mock.clock.advance(until=until)
        assert links_of(mock) == {("metered", node): 100}
    mock.clock.advance(until="batch.past_due")
    (batch,) = mock.batches.all()
    mock.batches.requeue(batch.settlement_batch_id)
    mock.clock.advance(until="batch.settled")
    assert links_of(mock) == {
        ("metered", "settled"): 100,
        ("settled", "fees"): 2,
        ("settled", "wallets"): 98,
        ("wallets", "held"): 98,
    }


@pytest.mark.parametrize("status", ["written_off", "uncollectible"])
def test_where_a_payment_is_that_never_comes(mock: MockServer, status: str) -> None:
    """A promise that is given up ends in the node of how it was."""
    mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY")
    mock.simulate.debit_failure(times=28)
    mock.clock.advance(until="batch.past_due")
    (batch,) = mock.batches.all()
    mock.batches.give_up(batch.settlement_batch_id, status=status, reason_code="unreachable")
    assert links_of(mock) == {("metered", status): 100}


def test_standard_payments_and_what_leaves_wallets(mock: MockServer) -> None:
    """Standard payments, refunds and payouts are told by the ledger; a reason counts by its net."""
    shop = mock.client("merchant")
    session = shop.checkout_sessions.create(
        merchant=SHOP,
        amount_minor=1200,
        currency="JPY",
        nonce="n-1",
        success_url="http://localhost:3000/ok",
        cancel_url="http://localhost:3000/no",
    )
    shop.request("POST", f"/sandbox/checkout-sessions/{session.session_id}/confirm")
    paid = {("standard", "fees"): 30, ("standard", "wallets"): 1170}
    assert links_of(mock) == {**paid, ("wallets", "held"): 1170}
    operator = Operator(mock.world)
    (wallet,) = mock.accounts.all(kind="wallet", owner=owner_of(mock), currency="JPY")
    for direction, amount in (("debit", "200"), ("credit", "50")):
        operator.make(
            f"/v1/admin/wallets/{wallet.account_id}/adjustments",
            kind="refund",
            direction=direction,
            amount=amount,
            currency="JPY",
        )
    operator.make(
        f"/v1/admin/wallets/{wallet.account_id}/adjustments",
        kind="adjustment",
        direction="credit",
        amount="7",
        currency="JPY",
    )
    told = {
        **paid,
        ("wallets", "wallet_refund"): 150,
        ("wallet_adjustment", "wallets"): 7,
    }
    assert links_of(mock) == {**told, ("wallets", "held"): 1027}
    opened = operator.post("/v1/admin/payouts/run-mock", threshold="1", currency="JPY")
    payout = f"/v1/admin/payouts/{opened['items'][0]['id']}"
    operator.post(f"{payout}/approve")
    operator.post(f"{payout}/mark-paid")
    assert links_of(mock) == {**told, ("wallets", "paid_out"): 1027}


def owner_of(mock: MockServer) -> str:
    return mock.merchants.get(SHOP).merchant_account.merchant_user_id


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("1", {("mismatch", "wallets"): 1, ("wallets", "held"): 99}),
        ("-8", {("wallets", "mismatch"): 8, ("wallets", "held"): 90}),
        ("-100", {("wallets", "mismatch"): 100, ("overdrawn", "wallets"): 2}),
    ],
)
def test_a_misstated_balance_is_told(amount: str, told: Links) -> None:
    """What a balance has beyond its entries is a mismatch, and what wallets lack is overdrawn."""
    with MockServer(seed=7) as mock:
        mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY")
        mock.clock.advance(until="batch.settled")
        (wallet,) = mock.accounts.all(kind="wallet", owner=owner_of(mock))
        mock.simulate.ledger_mismatch(wallet_id=wallet.account_id, amount=amount)
        settled = {("metered", "settled"): 100, ("settled", "fees"): 2, ("settled", "wallets"): 98}
        assert links_of(mock) == {**settled, **told}
        conserved(mock)


def test_an_empty_world_has_no_links(control: Control) -> None:
    """Nothing promised and nothing paid is no link."""
    assert control.get("flow", currency="USD") == (200, {"currency": "USD", "links": []})
