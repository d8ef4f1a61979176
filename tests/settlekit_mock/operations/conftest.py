import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import Client, TestResponse

from settlekit_mock.control.check import check_all
from settlekit_mock.http.application import Application
from settlekit_mock.http.tables import add_token
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.tables import METADATA
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import Account, Leg, balance, outside, post, wallet
from settlekit_mock.operations.routes import ROUTES
from settlekit_mock.payments.merchants import create_merchant
from settlekit_mock.payments.tables import Merchant
from settlekit_mock.settlement.buyers import NewBuyer, create_buyer
from tests.settlekit_mock.control.conftest import in_order

ADMIN = "sandbox_admin_token"
SECRET = {"X-Admin-Secret": "sandbox_admin_secret"}
BUYER = "a_buyers_token"

Credit = Callable[..., Account]


class Operator:
    """Calls the operator's routes of a world with one token."""

    def __init__(self, world: World, token: str | None = ADMIN) -> None:
        self._client = Client(Application(world, ROUTES))
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, **given: Any) -> TestResponse:
        """Send any request, and say nothing about the answer."""
        headers = {**self._headers, **given.pop("headers", {})}
        return self._client.open(path, method=method, headers=headers, **given)

    def get(self, path: str, **query: Any) -> Any:
        """Read what must answer 200."""
        return answered(self.call("GET", path, query_string=query))

    def post(self, path: str, **body: Any) -> Any:
        """Do what must answer 200."""
        return answered(self.call("POST", path, json=body))

    def make(self, path: str, **body: Any) -> Any:
        """Do what must answer 201."""
        return answered(self.call("POST", path, json=body), 201)

    def refused(self, method: str, path: str, **given: Any) -> tuple[int, str, str]:
        """Return status, code and message of what must be refused."""
        response = self.call(method, path, **given)
        error = json.loads(response.data)["error"]
        assert set(error) == {"code", "message", "request_id"}
        assert error["request_id"] == response.headers["X-Request-Id"]
        return response.status_code, error["code"], error["message"]


def answered(response: TestResponse, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return json.loads(response.data)


def rows_of(world: World) -> dict[str, list[Any]]:
    """Return every row of every table: what a refused call must leave as it was."""
    with world.snapshot() as connection:
        return {
            table.name: connection.execute(in_order(table)).all()
            for table in METADATA.sorted_tables
        }


@pytest.fixture
def operator(world: World) -> Operator:
    """An operator who calls with the admin token."""
    return Operator(world)


@pytest.fixture
def buyer(world: World) -> Operator:
    """A buyer, who calls with a token of their own."""
    with world.transaction() as tx:
        add_token(tx.connection, token=BUYER, role="buyer", subject="buyer_1", created_at=tx.now)
    return Operator(world, BUYER)


@pytest.fixture
def customer(buyer: Operator, world: World) -> Account:
    """The wallet of ``buyer_1``, a buyer account with ten dollars of credits."""
    with world.transaction() as tx:
        create_buyer(tx, NewBuyer(buyer_id="buyer_1"))
    return credit(world, "buyer_1", 10 * MAJOR, scope="end_user")


@pytest.fixture
def merchant(world: World) -> Merchant:
    """A merchant, who is a developer with a listing."""
    with world.transaction() as tx:
        return create_merchant(tx, "a_shop")


def held(world: World, account: Account) -> int:
    """Return what an account holds, in units."""
    with world.snapshot() as connection:
        return balance(connection, account.number)


def reasons(world: World) -> list[str]:
    """Return the reasons of all postings, oldest first."""
    with world.snapshot() as connection:
        found = connection.exec_driver_sql(
            "SELECT reason FROM ledger_transactions ORDER BY transaction_number"
        )
        return list(found.scalars())


def sound(world: World) -> bool:
    """Say that every invariant of every room holds."""
    with world.snapshot() as connection:
        assert check_all(connection) == []
    return True


def credit(
    world: World, owner_id: str, units: int, currency: str = "USD", scope: str = "developer"
) -> Account:
    """Credit an owner's wallet, opened where it is new."""
    with world.transaction() as tx:
        account = wallet(tx, owner_scope=scope, owner_id=owner_id, currency=currency)
        legs = [Leg(account, units), Leg(outside(tx, currency), -units)]
        post(tx, "seed", legs, subject=owner_id)
    return account


def plant(world: World, account: Account, units: int) -> None:
    """Change a stored balance without an entry, as nothing in the product does."""
    with world.transaction() as tx:
        tx.connection.execute(
            text("UPDATE ledger_accounts SET balance = balance + :by WHERE account_number = :at"),
            {"by": units, "at": account.number},
        )
