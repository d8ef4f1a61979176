"""The audit log is read by filter, and nobody rewrites it."""

import pytest
from sqlalchemy.exc import IntegrityError

from settlekit_mock.http.tables import add_token
from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.operations.conftest import Operator, credit

AUDIT = "/v1/admin/audit"


@pytest.fixture
def log(world: World, operator: Operator) -> list[str]:
    """Five entries: one a day, the last two by another operator; newest first."""
    with world.transaction() as tx:
        add_token(tx.connection, token="t", role="admin", subject="ann", created_at=tx.now)
    ann = Operator(world, "t")
    wallets = [credit(world, name, 1, scope="end_user").account_id for name in ("a", "b")]
    for day in range(5):
        who = operator if day < 3 else ann
        path = f"/v1/admin/wallets/{wallets[day % 2]}/credit-test-balance"
        who.post(path, amount_usd=str(day + 1))
        world.due.advance(world.now() + DAY)
    return wallets


def amounts(operator: Operator, **query: object) -> str:
    """Name the entries found by the amounts they credited."""
    items = operator.get(AUDIT, **query)["items"]
    return "".join(item["details"]["amount"][0] for item in items)


def test_entries_are_listed_newest_first(operator: Operator, log: list[str]) -> None:
    """Each entry tells who did what to what, and when."""
    items = operator.get(AUDIT)["items"]
    assert items[0] == {
        "id": items[0]["id"],
        "actor": "ann",
        "action": "wallet.test_balance_credited",
        "resource": log[0],
        "details": {"amount": "5.00000000", "currency": "USD"},
        "created_at": "2026-03-05T00:00:00.000Z",
    }
    assert amounts(operator) == "54321"


def test_entries_are_filtered(operator: Operator, log: list[str]) -> None:
    """Actor, action, resource and a half-open span each narrow the list, and together."""
    assert amounts(operator, actor="ann") == "54"
    assert amounts(operator, resource=log[1]) == "42"
    assert amounts(operator, actor="ann", resource=log[1]) == "4"
    assert amounts(operator, action="wallet.test_balance_credited") == "54321"
    assert amounts(operator, action="payout.paid") == ""
    span = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-04T00:00:00Z"}
    assert amounts(operator, **span) == "32"


@pytest.mark.usefixtures("log")
def test_pages_keep_their_filter(operator: Operator) -> None:
    """A cursor goes on within its filter, and is refused by another."""
    first = operator.get(AUDIT, actor="operator", limit=2)
    cursor = first["next_cursor"]
    assert amounts(operator, actor="operator", limit=2, cursor=cursor) == "1"
    refused = operator.refused("GET", AUDIT, query_string={"actor": "ann", "cursor": cursor})
    assert refused[:2] == (400, "invalid_request")


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'me'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_the_log(world: World, statement: str) -> None:
    """Rows of the audit log never change, whoever asks."""
    with pytest.raises(IntegrityError, match="never change"), world.transaction() as tx:
        tx.connection.exec_driver_sql(statement)
