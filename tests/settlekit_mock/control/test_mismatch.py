"""A planted mismatch: every alarm for it goes off, and goes out when it is healed."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from settlekit import Client, Conflict
from settlekit.models import WalletCheckStatus
from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError
from tests.settlekit_mock.control.conftest import SHOP, START, Control, rows_of


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """A mock whose provider has been paid 98 yen; it may be left unsound."""
    with MockServer(seed=7, freeze_at=START) as made:
        made.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY")
        made.clock.advance(until="batch.settled")
        yield made


@pytest.fixture
def admin(mock: MockServer) -> Client:
    return mock.client("admin")


@pytest.fixture
def wallet_id(admin: Client) -> str:
    (found,) = (
        item
        for item in admin.operations.reconcile_ledger().items
        if item.owner_scope == "developer" and item.currency == "JPY"
    )
    return found.wallet_id


@pytest.mark.parametrize("amount", ["0.5", "-98", "12.00000001"])
def test_reconciliation_finds_and_names_the_mismatch(
    mock: MockServer, admin: Client, wallet_id: str, amount: str
) -> None:
    """The wallet is named with what it says, what its entries say, and the difference."""
    planted = mock.simulate.ledger_mismatch(wallet_id=wallet_id, amount=amount)
    report = admin.operations.reconcile_ledger()
    (found,) = (item for item in report.items if item.status is WalletCheckStatus.MISMATCH)
    assert report.summary.mismatch_count == 1
    assert found.wallet_id == planted.wallet_id == wallet_id
    assert (found.wallet_balance, found.ledger_balance, found.delta) == (
        Decimal(planted.wallet_balance),
        Decimal(planted.ledger_balance),
        Decimal(planted.delta),
    )
    assert Decimal(planted.delta) == Decimal(amount)
    assert planted.ledger_balance == "98.00000000"


def test_the_wallet_is_held_until_an_operator_releases_it(mock: MockServer, wallet_id: str) -> None:
    """Reconciliation puts the hold: a payout from the wallet can't be approved any more."""
    admin = mock.client("admin")
    (payout,) = admin.operations.run_payouts(threshold="1", currency="JPY").items
    mock.simulate.ledger_mismatch(wallet_id=wallet_id, amount="1")
    admin.operations.reconcile_ledger()
    with pytest.raises(Conflict) as held:
        admin.operations.approve_payout(payout.id)
    assert held.value.code == "reconciliation_hold"
    (hold,) = mock.events(kind="hold.placed")
    assert hold.data["wallet_id"] == wallet_id


def test_every_check_reports_it(mock: MockServer, wallet_id: str) -> None:
    """``check`` names the wallet, and that accounts no longer sum to zero."""
    assert mock.check().ok
    mock.simulate.ledger_mismatch(wallet_id=wallet_id, amount="0.25")
    checked = mock.check()
    found = {(one.name, one.subject) for one in checked.violations}
    assert not checked.ok
    assert found == {("balances_fold_entries", wallet_id), ("accounts_sum_to_zero", "JPY")}


def test_the_other_sign_heals_it(mock: MockServer, admin: Client, wallet_id: str) -> None:
    """What was planted is taken back by as much, and nothing is left of it but the journal."""
    mock.simulate.ledger_mismatch(wallet_id=wallet_id, amount="0.25")
    healed = mock.simulate.ledger_mismatch(wallet_id=wallet_id, amount="-0.25")
    assert (healed.delta, mock.check().ok) == ("0.00000000", True)
    assert admin.operations.reconcile_ledger().summary.mismatch_count == 0
    told = [entry.data["amount"] for entry in mock.events(kind="ledger.misstated")]
    assert told == ["0.25000000", "-0.25000000"]


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"wallet_id": "wal_none"}, (404, "WALLET_NOT_FOUND")),
        ({"amount": "0"}, (422, "INVALID_REQUEST")),
        ({"amount": "--1"}, (422, "INVALID_REQUEST")),
        ({"amount": "+1"}, (422, "INVALID_REQUEST")),
        ({"amount": "0.000000001"}, (422, "INVALID_REQUEST")),
        ({"amount": "1e3"}, (422, "INVALID_REQUEST")),
        ({"amount": "92233720368.54775807"}, (422, "INVALID_REQUEST")),
        ({"amount": 1}, (422, "INVALID_REQUEST")),
        ({"colour": "red"}, (422, "INVALID_REQUEST")),
    ],
)
def test_a_wrong_mismatch_plants_nothing(
    mock: MockServer, wallet_id: str, wrong: dict[str, Any], refusal: tuple[int, str]
) -> None:
    """An unknown wallet is 404, an amount that can't be 422, and no row changes."""
    before = rows_of(mock.world)
    body = {"wallet_id": wallet_id, "amount": "1", **wrong}
    assert Control(mock).post("simulate/ledger-mismatch", **body) == refusal
    assert rows_of(mock.world) == before


def test_a_buyers_tokens_are_no_wallet(mock: MockServer) -> None:
    """Chain accounts are of the same ledger, and can't be misstated: they don't reconcile."""
    query = "SELECT account_id FROM ledger_accounts WHERE kind = 'chain' LIMIT 1"
    with mock.world.snapshot() as connection:
        chain: str = connection.exec_driver_sql(query).scalar_one()
    with pytest.raises(ControlError, match="404 WALLET_NOT_FOUND"):
        mock.simulate.ledger_mismatch(wallet_id=chain, amount="1")


@pytest.mark.parametrize("amount", ["0.5", "-98", "12.00000001"])
def test_an_explanation_names_the_mismatch(mock: MockServer, wallet_id: str, amount: str) -> None:
    """What no entry put into a balance is a leaf of its own, so that the leaves add up."""
    mock.simulate.ledger_mismatch(wallet_id=wallet_id, amount=amount)
    told = mock.explain(wallet_id)
    assert sum(Decimal(part.amount) for part in told.parts) == Decimal(told.amount)
    assert [Decimal(part.amount) for part in told.parts if part.kind == "mismatch"] == [
        Decimal(amount)
    ]


def test_a_payout_of_what_no_entry_says_is_explained(mock: MockServer, admin: Client) -> None:
    """A payout of a wallet without entries is all mismatch, whatever is posted after it."""
    mock.merchants.create("corner", billing_currency="JPY")
    owner = mock.merchants.get("corner").merchant_account.merchant_user_id
    wallets = admin.operations.reconcile_ledger().items
    (empty,) = (item.wallet_id for item in wallets if item.owner_id == owner)
    mock.simulate.ledger_mismatch(wallet_id=empty, amount="5")
    payouts = admin.operations.run_payouts(currency="JPY").items
    (payout,) = (payout for payout in payouts if payout.developer_id == owner)
    admin.operations.credit_test_balance(empty, amount="3", currency="JPY")
    (leaf,) = mock.explain(payout.id).parts
    assert (leaf.kind, leaf.amount) == ("mismatch", "5.00000000")
    kinds = [(part.kind, part.amount) for part in mock.explain(empty).parts]
    assert kinds == [("entry", "3.00000000"), ("mismatch", "5.00000000")]
