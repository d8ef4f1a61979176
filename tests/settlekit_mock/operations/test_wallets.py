"""A buyer sees their credits; an operator adds to wallets for rehearsals."""

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.invariants import INVARIANTS
from settlekit_mock.ledger.service import Leg, chain_account, outside, post
from tests.settlekit_mock.operations.conftest import Operator, credit, rows_of

WALLET = "/v1/user/wallet"


def test_a_buyer_reads_balance_and_entries(buyer: Operator, world: World) -> None:
    """A buyer's wallet tells its balance and its newest entries with balances before and after."""
    account = credit(world, "buyer_1", 10 * MAJOR, scope="end_user")
    with world.transaction() as tx:
        charge = post(
            tx,
            "usage_retail_price",
            [Leg(account, -MAJOR), Leg(outside(tx, "USD"), MAJOR)],
            subject="req_1",
            idempotency_key="usage:req_1",
            metadata={"request_id": "req_1"},
        )
    found = buyer.get(WALLET)
    assert {name: found[name] for name in found if name != "entries"} == {
        "wallet_id": account.account_id,
        "owner_scope": "end_user",
        "owner_id": "buyer_1",
        "wallet_balance_usd": "9.00000000",
    }
    newest, oldest = found["entries"]
    assert newest == {
        "transaction_id": charge,
        "direction": "debit",
        "amount_usd": "1.00000000",
        "balance_before_usd": "10.00000000",
        "balance_after_usd": "9.00000000",
        "reason": "usage_retail_price",
        "idempotency_key": "usage:req_1",
        "metadata": {"request_id": "req_1"},
        "created_at": "2026-03-01T00:00:00.000Z",
    }
    assert (oldest["direction"], oldest["amount_usd"]) == ("credit", "10.00000000")


def test_a_buyer_without_credits_has_an_empty_wallet(buyer: Operator, world: World) -> None:
    """Every buyer owns a wallet: the first look opens it, and the next finds the same."""
    first = buyer.get(WALLET)
    assert (first["wallet_balance_usd"], first["entries"]) == ("0.00000000", [])
    before = rows_of(world)
    assert buyer.get(WALLET) == first
    assert rows_of(world) == before


def test_a_buyer_sees_no_other_wallet(buyer: Operator, world: World) -> None:
    """Neither another buyer's credits nor one's own wallets of other kinds are shown."""
    credit(world, "buyer_2", 5 * MAJOR, scope="end_user")
    credit(world, "buyer_1", 5 * MAJOR)
    credit(world, "buyer_1", 5 * MAJOR, "JPY", scope="end_user")
    assert buyer.get(WALLET)["wallet_balance_usd"] == "0.00000000"


def test_a_test_credit_moves_money_in(operator: Operator, world: World) -> None:
    """A test credit is a posting with its own reason, and is audited."""
    account = credit(world, "buyer_1", MAJOR, scope="end_user")
    path = f"/v1/admin/wallets/{account.account_id}/credit-test-balance"
    assert operator.post(path, amount_usd="2.5") == {
        "wallet_id": account.account_id,
        "owner_scope": "end_user",
        "owner_id": "buyer_1",
        "amount_usd": "2.50000000",
        "wallet_balance_usd": "3.50000000",
        "reason": "admin_test_balance_credit",
    }
    (entry,) = operator.get("/v1/admin/audit", action="wallet.test_balance_credited")["items"]
    assert (entry["resource"], entry["details"]) == (
        account.account_id,
        {"amount": "2.50000000", "currency": "USD"},
    )
    with world.snapshot() as connection:
        assert [found for check in INVARIANTS for found in check(connection)] == []


def test_a_wallet_of_yen_is_credited_in_yen(operator: Operator, world: World) -> None:
    """A wallet in another currency takes and answers the amount beside its currency."""
    account = credit(world, "usr_1", MAJOR, "JPY")
    path = f"/v1/admin/wallets/{account.account_id}/credit-test-balance"
    answer = operator.post(path, amount="100", currency="JPY")
    assert (answer["currency"], answer["amount"], answer["wallet_balance"]) == (
        "JPY",
        "100.00000000",
        "101.00000000",
    )
    assert not [name for name in answer if name.endswith("_usd")]
    before = rows_of(world)
    assert operator.refused("POST", path, json={"amount_usd": "1"}) == (
        400,
        "invalid_request",
        "the wallet holds JPY, not USD",
    )
    assert rows_of(world) == before


def test_only_wallets_take_test_credits(operator: Operator, world: World) -> None:
    """An unknown wallet is 404, and so is an account that is no wallet."""
    with world.transaction() as tx:
        chain = chain_account(tx, "buyer_1", "USD")
    before = rows_of(world)
    for name in ("wal_none", chain.account_id):
        path = f"/v1/admin/wallets/{name}/credit-test-balance"
        refused = operator.refused("POST", path, json={"amount_usd": "1"})
        assert refused[:2] == (404, "invalid_request")
    assert rows_of(world) == before


def test_a_wallet_takes_no_more_than_it_can_hold(operator: Operator, world: World) -> None:
    """The largest amount can be credited once; beyond 63 bits is a clear refusal."""
    account = credit(world, "usr_1", 1)
    path = f"/v1/admin/wallets/{account.account_id}/credit-test-balance"
    before = rows_of(world)
    most = "92233720368.54775807"
    assert operator.refused("POST", path, json={"amount_usd": most})[:2] == (
        400,
        "invalid_request",
    )
    assert rows_of(world) == before
