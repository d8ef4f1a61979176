from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
import pytest
from werkzeug.test import Client, TestResponse

from settlekit.challenge import sign, sign_recurring
from settlekit_mock import seeding
from settlekit_mock.app import build, open_world
from settlekit_mock.control.check import check_all
from settlekit_mock.http.tables import add_token
from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.times import from_text, to_text
from settlekit_mock.kernel.world import Settings, World
from settlekit_mock.payments.merchants import change_merchant
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.settlement.buyers import NewBuyer, change_buyer, create_buyer
from settlekit_mock.webhooks.install import mounts_of
from settlekit_mock.webhooks.service import subscribe_endpoint
from tests.settlekit_mock.payments.conftest import ORIGIN, SHOP, Receiver

NOW = from_text("2026-03-02T09:30:15.250Z")
BUYER = seeding.BUYER
EVENTS = (
    "direct_payment.confirmed",
    "direct_payment.spent",
    "subscription.created",
    "subscription.renewed",
    "subscription.cancelled",
    "payment.failed",
)


@dataclass
class Shop:
    """A merchant with its buyers and its scheduler, over the whole server."""

    world: World
    receiver: Receiver
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(build(self.world))

    def call(
        self, method: str, path: str, token: str | None = seeding.BUYER_TOKEN, **kwargs: object
    ) -> TestResponse:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.client.open(f"/v1{path}", method=method, headers=headers, **kwargs)

    # -- what the merchant signs -------------------------------------------------------

    @property
    def secret(self) -> str:
        with self.world.snapshot() as connection:
            return merchant_named(connection, SHOP).challenge_secret

    def recurring(self, cadence: str, **changes: object) -> str:
        terms = {"merchant": SHOP, "amount_minor": 980, "currency": "JPY", "nonce": "setup-1"}
        return sign_recurring(secret=self.secret, cadence=cadence, **{**terms, **changes})

    def one_time(self) -> str:
        terms = {"merchant": SHOP, "amount_minor": 980, "currency": "JPY", "nonce": "setup-1"}
        return sign(secret=self.secret, **terms)

    # -- what buyers and the scheduler call ----------------------------------------------

    def subscribe(self, *, token: str = seeding.BUYER_TOKEN, **changes: object) -> TestResponse:
        terms = _terms(changes)
        body = {**terms, "challenge": self.recurring("monthly", **terms), **changes}
        return self.call("POST", "/sdrp/direct-payments/subscriptions", token, json=_given(body))

    def authorize(self, *, token: str = seeding.BUYER_TOKEN, **changes: object) -> TestResponse:
        terms = _terms(changes)
        challenge = self.recurring("daily", **terms)
        body = {"mode": "external_402", **terms, "challenge": challenge, **changes}
        path = "/account/auto-pay/scheduled-authorizations"
        return self.call("POST", path, token, json=_given(body))

    def revoke(self, authorization_id: str, token: str = seeding.BUYER_TOKEN) -> TestResponse:
        path = f"/account/auto-pay/scheduled-authorizations/{authorization_id}"
        return self.call("DELETE", path, token)

    def run(self, token: str | None, slot_id: str = "slot-1", **body: object) -> TestResponse:
        given = {"slot_id": slot_id, **body}
        return self.call("POST", "/market/api-store/scheduled-auto-pay/execute", token, json=given)

    # -- what a test changes and looks at ------------------------------------------------

    def advance(self, to: str) -> None:
        self.world.due.advance(from_text(to))

    def change_buyer(self, **changes: object) -> None:
        with self.world.transaction() as tx:
            change_buyer(tx, BUYER, changes)

    def change_merchant(self, **changes: object) -> None:
        with self.world.transaction() as tx:
            change_merchant(tx, SHOP, changes)

    def told(self, event_type: str) -> list[dict]:
        """The data of the webhooks of a type, in the order of their arrival."""
        return [event["data"] for event in self.receiver.got if event["type"] == event_type]

    def journal(self, prefix: str) -> list[tuple[str, str]]:
        with self.world.snapshot() as connection:
            return [
                (entry.kind, to_text(entry.at))
                for entry in entries(connection)
                if entry.kind.startswith(prefix)
            ]

    def payments(self) -> int:
        """How many payments were made, of any band."""
        kinds = [kind for kind, _ in self.journal("payment.")]
        return kinds.count("payment.settled") + kinds.count("payment.accepted")


def _terms(changes: dict[str, object]) -> dict[str, object]:
    terms = {"merchant": SHOP, "amount_minor": 980, "currency": "JPY"}
    return terms | {name: value for name, value in _given(changes).items() if name in terms}


def _given(body: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in body.items() if value is not None}


def event_of(data: dict) -> bytes:
    """A whole event around the data of a webhook."""
    return msgspec.json.encode(
        {
            "id": "evt_1",
            "type": "direct_payment.confirmed",
            "api_version": "2026-06-20",
            "occurred_at": "2026-03-02T09:30:15.250Z",
            "data": data,
        }
    )


@contextmanager
def opened_shop() -> Iterator[Shop]:
    """Open the sandbox's shop, told of everything at its endpoint."""
    world = open_world(settings=Settings(seed=7, freeze_at=NOW))
    receiver = Receiver()
    mounts_of(world).mount(ORIGIN, receiver)
    with world.transaction() as tx:
        owner = merchant_named(tx.connection, SHOP).merchant_user_id
        subscribe_endpoint(tx, owner=owner, callback_url=f"{ORIGIN}/hook", event_types=EVENTS)
        create_buyer(tx, NewBuyer("other_buyer"))
        add_token(tx.connection, token="other", role="buyer", subject="other_buyer", created_at=NOW)
    yield Shop(world, receiver)
    world.close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The sandbox's shop; sound at the end of the test."""
    with opened_shop() as made:
        yield made
        with made.world.snapshot() as connection:
            assert check_all(connection) == []
