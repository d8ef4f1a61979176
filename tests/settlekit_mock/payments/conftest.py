from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

import msgspec
import pytest
from werkzeug.test import Client, TestResponse

from settlekit.challenge import sign
from settlekit_mock import seeding
from settlekit_mock.http.application import Application
from settlekit_mock.http.tables import add_token
from settlekit_mock.kernel.database import Database
from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.times import from_text
from settlekit_mock.kernel.world import Settings, World
from settlekit_mock.ledger import service as ledger
from settlekit_mock.payments.install import install as install_payments
from settlekit_mock.payments.routes import ROUTES
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.settlement.install import install as install_settlement
from settlekit_mock.webhooks.install import install as install_webhooks
from settlekit_mock.webhooks.routes import ROUTES as WEBHOOK_ROUTES
from settlekit_mock.webhooks.sender import Outcome

NOW = from_text("2026-03-02T09:00:00Z")
ORIGIN = "http://localhost:3000"
SHOP = "sandbox_merchant"
YEN = 10**8
MERCHANT_TOKEN = seeding.MERCHANT_TOKEN


class Receiver:
    """The shop's webhook handler: answers what it is told to, and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[dict[str, object]] = []
        self.answers: list[Outcome] = []

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        self.got.append(msgspec.json.decode(body))
        return self.answers.pop(0) if self.answers else Outcome(200)


class Api:
    """Calls the routes over WSGI as the holder of a token."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def call(
        self, method: str, path: str, token: str | None = MERCHANT_TOKEN, **kwargs: object
    ) -> TestResponse:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.client.open(path, method=method, headers=headers, **kwargs)

    def post(self, path: str, token: str | None = MERCHANT_TOKEN, **body: object) -> TestResponse:
        return self.call("POST", f"/v1/sdrp/direct-payments/{path}", token, json=body)

    def get(self, path: str, token: str | None = MERCHANT_TOKEN) -> TestResponse:
        return self.call("GET", f"/v1/sdrp/direct-payments/{path}", token)

    def raw(self, path: str, data: bytes) -> TestResponse:
        kind = "application/json"
        return self.call("POST", f"/v1/sdrp/direct-payments/{path}", data=data, content_type=kind)

    def open_session(self, **changes: object) -> TestResponse:
        body = {
            "merchant": SHOP,
            "amount_minor": 1200,
            "currency": "JPY",
            "nonce": "order-1",
            "success_url": f"{ORIGIN}/done",
            "cancel_url": f"{ORIGIN}/cart",
        }
        return self.post("checkout-sessions", **{**body, **changes})

    def session_id(self, **changes: object) -> str:
        return data(self.open_session(**changes), 201)["session_id"]

    def session(self, session_id: str) -> dict:
        return data(self.get(f"checkout-sessions/{session_id}"))

    def confirm(self, session_id: str, **body: object) -> TestResponse:
        path = f"/v1/sandbox/checkout-sessions/{session_id}/confirm"
        return self.call("POST", path, None, json=body)

    def redeliver(self, session_id: str) -> TestResponse:
        return self.call("POST", f"/v1/sandbox/checkout-sessions/{session_id}/redeliver", None)

    def page(self, session_id: str, query: str = "") -> TestResponse:
        return self.call("GET", f"/pay/{session_id}{query}", None)

    def act(self, session_id: str, action: str, **fields: str) -> TestResponse:
        shown = form_of(self.page(session_id))
        given = {"form_token": shown.get("form_token", ""), "action": action, **fields}
        return self.call("POST", f"/pay/{session_id}", None, data=given)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input":
            self.fields[found["name"] or ""] = found["value"] or ""


def form_of(page: TestResponse) -> dict[str, str]:
    parser = _Forms()
    parser.feed(page.text)
    return parser.fields


def data(answer: TestResponse, status: int = 200) -> dict:
    assert answer.status_code == status, answer.text
    return answer.json["data"]


def refused(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"]


def journal(world: World, prefix: str) -> list[str]:
    with world.snapshot() as connection:
        return [entry.kind for entry in entries(connection) if entry.kind.startswith(prefix)]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def world(receiver: Receiver) -> Iterator[World]:
    made = World(Database(), Settings(seed=7, freeze_at=NOW, webhook_url=f"{ORIGIN}/hook"))
    made.database.prepare()
    made.create()
    install_webhooks(made).mount(ORIGIN, receiver)
    install_settlement(made)
    install_payments(made)
    seeding.seed_world(made)
    with made.transaction() as tx:
        add_token(tx.connection, token="new", role="merchant", subject="usr_new", created_at=NOW)
    yield made
    made.close()


@pytest.fixture
def api(world: World) -> Api:
    return Api(Client(Application(world, [*ROUTES, *WEBHOOK_ROUTES])))


def balances(world: World) -> tuple[int, int, int]:
    """What the buyer, the shop and the platform hold, in yen."""
    with world.transaction() as tx:
        shop = merchant_named(tx.connection, SHOP)
        accounts = (
            ledger.chain_account(tx, "sandbox_buyer", "JPY"),
            ledger.wallet(
                tx, owner_scope="developer", owner_id=shop.merchant_user_id, currency="JPY"
            ),
            ledger.wallet(tx, owner_scope="platform", owner_id="platform", currency="JPY"),
        )
        return tuple(ledger.balance(tx.connection, one.number) // YEN for one in accounts)


def challenge_of(world: World, **changes: object) -> str:
    """Sign the shop's usual terms, some of them changed."""
    with world.snapshot() as connection:
        secret = merchant_named(connection, SHOP).challenge_secret
    terms = {"merchant": SHOP, "amount_minor": 1200, "currency": "JPY", "nonce": "order-1"}
    return sign(secret=secret, **{**terms, **changes})
