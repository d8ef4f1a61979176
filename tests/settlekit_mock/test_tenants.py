"""Every route, asked by everyone whom its objects don't belong to."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from werkzeug.test import Client, TestResponse

from settlekit.challenge import sign, sign_recurring
from settlekit_mock import MockServer
from settlekit_mock.app import ROUTES
from settlekit_mock.http.roles import OPENED_BY, Role
from settlekit_mock.http.routes import Route
from settlekit_mock.kernel.tables import METADATA
from tests.conformance.lived import PAGES, PAYMENTS, SHOP, Lived

OWN_ONLY: Final = [
    (route, holder)
    for route in ROUTES
    if route.role in (Role.MERCHANT, Role.PROVIDER, Role.BUYER)
    for holder in sorted(OPENED_BY[route.role])
]
CLOSED: Final = [route for route in ROUTES if route.role is not Role.ANYONE]
OF_THE_SERVER: Final = {"state", "events", "due", "idempotency"}
"""Tables in which any call may leave a trace: counters, the journal, work that is due."""
TELLING: Final = re.compile(r"_id$|secret|_token$|^token|challenge|idempotency_key")
JPY_1200: Final[dict[str, Any]] = {"merchant": SHOP, "amount_minor": 1200, "currency": "JPY"}
JPY_100: Final[dict[str, Any]] = {"operation_key": "find", "amount_minor": 100, "currency": "JPY"}
TRANSACTION: Final = {
    "network": "polygon",
    "chain_id": 137,
    "from": "0x" + "0" * 40,
    "to": "0x" + "0" * 40,
    "data": "0x",
    "value": "0",
    "metadata_jsonb": {},
}

Rows = dict[str, dict[Any, dict[str, Any]]]


def name_of(value: object) -> str:
    return f"{value.method} {value.path}" if isinstance(value, Route) else str(value)


class Strangers:
    """A merchant and a buyer without money, in a world where others have a past."""

    def __init__(self, lived: Lived) -> None:
        self.lived = lived
        self.known = lived.known
        listing = lived.mock.merchants.get(SHOP).listing_id
        self._live_on(listing)
        self.secrets = self._secrets() - {SHOP, listing, "platform", "outside"}
        self.bodies = self._bodies(listing)
        made = lived.mock.merchants.create(merchant="stranger")
        poor = lived.mock.buyers.create(buyer_id="poor", balances={"JPYC": "0", "USDC": "0"})
        provider = lived.mock.tokens.create(role="provider", subject="stranger")
        self.tokens: dict[str, str] = {
            "merchant": made.token or "",
            "provider": provider,
            "buyer": poor.token or "",
        }
        self.opens = OPENED_BY | {Role.SCHEDULE: frozenset({"schedule"})}
        self.everybody = {**self.tokens, "schedule": lived.schedule_token}

    def _live_on(self, listing: str) -> None:
        """Leave a subscription, a capability's run, a top-up and a requirement beside the rest."""
        lived = self.lived
        self.monthly = sign_recurring(secret=lived.secret, cadence="monthly", nonce="m", **JPY_1200)
        lived.post(f"{PAYMENTS}/subscriptions", "buyerToken", **JPY_1200, challenge=self.monthly)
        self.run = {**JPY_100, "listing_id": listing, "idempotency_key": "the_first"}
        lived.post("/v1/market/capabilities/search/execute", "buyerToken", **self.run)
        topped = {"amount_usd": "5.00", **PAGES}
        lived.post("/v1/user/stripe/checkout-sessions", "buyerToken", **topped)

    def _bodies(self, listing: str) -> dict[str, dict[str, Any]]:
        """Return bodies that are right but for whose they are, by what their paths end with."""
        once = sign(secret=self.lived.secret, nonce="one", **JPY_1200)
        return {
            "webhooks/subscriptions": {"callback_url": "https://strange.example/hooks"},
            "test-deliveries": {
                "event_type": "direct_payment.confirmed",
                "subscription_ids": [self.known["subscription_id"]],
            },
            "direct-payments/merchants": {"merchant": SHOP, "display_name": "Mine now"},
            "billing-mandate": {"currency": "JPY"},
            "direct-payments/checkout-sessions": {**JPY_1200, "nonce": "open", **PAGES},
            "requirements": {**JPY_1200, "mode": "external_402", "challenge": once},
            "execute-prepared": {
                "transaction_request": TRANSACTION,
                "receipt_kind": "sdrp_direct_payment",
                "reference_type": "sdrp_direct_payment_requirement",
                "reference_id": self.known["requirement_id"],
            },
            "<capability_key>/execute": self.run,
            "direct-payments/subscriptions": {**JPY_1200, "challenge": self.monthly},
            "scheduled-authorizations": {
                **JPY_1200,
                "amount_minor": 700,
                "challenge": self.known["challenge"],
            },
            "stripe/checkout-sessions": {"amount_usd": "5.00", **PAGES},
        }

    def _secrets(self) -> set[str]:
        """Return what stands for somebody, or opens something."""
        return {
            value
            for table in self.rows().values()
            for row in table.values()
            for column, value in row.items()
            if TELLING.search(column) and isinstance(value, str) and len(value) > 5
        }

    def rows(self) -> Rows:
        """Return every row of the rooms' tables, by its key."""
        with self.lived.mock.world.snapshot() as connection:
            return {
                table.name: {
                    tuple(row[column.name] for column in table.primary_key): dict(row)
                    for row in connection.execute(table.select()).mappings()
                }
                for table in METADATA.sorted_tables
                if table.name not in OF_THE_SERVER
            }

    def sent(self, route: Route) -> tuple[str, dict[str, Any]]:
        """Return the path and the body that name what is somebody else's."""
        path = re.sub("<([a-z_]+)>", lambda found: self.known.get(found[1], "none"), route.path)
        body = next((self.bodies[end] for end in self.bodies if route.path.endswith(end)), {})
        return path, {} if route.method == "GET" else body

    def call(self, route: Route, token: str, mock: MockServer | None = None) -> TestResponse:
        path, body = self.sent(route)
        client = Client((mock or self.lived.mock).app)
        headers = {"Authorization": f"Bearer {token}"}
        return client.open(path, method=route.method, json=body or None, headers=headers)


@pytest.fixture(scope="module")
def strangers() -> Iterator[Strangers]:
    lived = Lived()
    yield Strangers(lived)
    lived.mock.close()


def changed(before: Rows, after: Rows) -> list[str]:
    """Name the rows that aren't as they were, or are gone; new ones don't count."""
    return [
        f"{table} {key}"
        for table, rows in before.items()
        for key, row in rows.items()
        if after[table].get(key) != row
    ]


@pytest.mark.parametrize(("route", "holder"), OWN_ONLY, ids=name_of)
def test_a_stranger_neither_reads_nor_moves_what_is_not_its_own(
    strangers: Strangers, route: Route, holder: str
) -> None:
    """Named an object of somebody else, a route tells nothing of it and leaves it as it was."""
    before = strangers.rows()
    answer = strangers.call(route, strangers.tokens[holder])
    told = f"{answer.text}{answer.headers}"
    sent = "{}{}".format(*strangers.sent(route))
    assert [one for one in strangers.secrets if one in told and one not in sent] == []
    assert changed(before, strangers.rows()) == []
    named = "<" in route.path and "<capability_key>" not in route.path
    refusals = {403, 404} if named else {200, 201, 402, 403, 404, 409, 422}
    assert answer.status_code in refusals, told


@pytest.mark.parametrize("route", CLOSED, ids=name_of)
def test_a_token_of_another_role_opens_no_route(strangers: Strangers, route: Route) -> None:
    """Every closed route refuses every token of a role that doesn't open it, and does nothing."""
    opened_by = strangers.opens.get(route.role, frozenset())
    before = strangers.rows()
    wrong = [token for role, token in strangers.everybody.items() if role not in opened_by]
    assert {strangers.call(route, token).status_code for token in wrong} <= {401, 403}
    assert strangers.rows() == before
