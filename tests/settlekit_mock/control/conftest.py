"""A whole mock, and its control routes called as a stranger would."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Select, Table
from werkzeug.test import Client

from settlekit_mock import MockServer
from settlekit_mock.control.check import check_all
from settlekit_mock.kernel.tables import METADATA
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.documented import refusals

START = "2026-03-02T00:00:00.000Z"
SHOP = "sandbox_merchant"


class Control:
    """Calls control routes; answers status and data, or status and code."""

    def __init__(self, mock: MockServer) -> None:
        self._client = Client(mock.app)

    def call(self, method: str, path: str, **given: Any) -> tuple[int, Any]:
        response = self._client.open(
            f"/_mock/{path}",
            method=method,
            base_url="http://localhost",
            environ_base={"REMOTE_ADDR": "127.0.0.1"},
            **given,
        )
        body = json.loads(response.data)
        if "error" not in body:
            return response.status_code, body["data"]
        refusal = response.status_code, body["error"]["code"]
        assert refusal in refusals(method, f"/_mock/{path}")
        return refusal

    def get(self, path: str, **query: Any) -> tuple[int, Any]:
        return self.call("GET", path, query_string=query)

    def post(self, path: str, **body: Any) -> tuple[int, Any]:
        return self.call("POST", path, json=body)

    def patch(self, path: str, **body: Any) -> tuple[int, Any]:
        return self.call("PATCH", path, json=body)


def in_order(table: Table) -> Select[Any]:
    """Return the query of a table's rows, in the order of its key: a database has none."""
    return table.select().order_by(*(table.primary_key.columns or table.columns))


def rows_of(world: World, *but: Table) -> dict[str, list[Any]]:
    """Return every row of every table: what a refused call leaves as it was."""
    with world.snapshot() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(in_order(table))]
            for table in METADATA.sorted_tables
            if table not in but
        }


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """A fresh mock; whatever a test does to it, every invariant holds at the end."""
    with MockServer(seed=7, freeze_at=START) as made:
        yield made
        with made.world.snapshot() as connection:
            assert check_all(connection) == []


@pytest.fixture
def control(mock: MockServer) -> Control:
    return Control(mock)
