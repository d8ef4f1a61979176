from collections.abc import Iterator, Mapping

import msgspec
import pytest
from werkzeug.test import Client, TestResponse

from settlekit_mock.http.application import Application
from settlekit_mock.http.tables import add_token
from settlekit_mock.kernel.database import Database
from settlekit_mock.kernel.times import from_text
from settlekit_mock.kernel.world import Settings, World
from settlekit_mock.webhooks.install import install
from settlekit_mock.webhooks.routes import ROUTES
from settlekit_mock.webhooks.sender import Mounts, Outcome

NOW = from_text("2026-03-02T09:00:00Z")
TOKENS = {
    "shop": ("merchant", "usr_shop"),
    "other": ("merchant", "usr_other"),
    "buyer": ("buyer", "buyer_1"),
    "provider": ("provider", "usr_shop"),
}


class Receiver:
    """Answers what it is told to, and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[Outcome] = []

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        self.got.append((url, dict(headers), body))
        return self.answers.pop(0) if self.answers else Outcome(200)

    def failing(self, times: int, status: int | None = 500) -> "Receiver":
        self.answers = [Outcome(status)] * times
        return self


class Api:
    """Calls the routes over WSGI as the holder of a token."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def call(
        self, method: str, path: str, token: str | None = "shop", **kwargs: object
    ) -> TestResponse:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self._client.open(
            f"/v1/market/webhooks/{path}", method=method, headers=headers, **kwargs
        )

    def post(self, path: str, token: str | None = "shop", **body: object) -> TestResponse:
        return self.call("POST", path, token, json=body)

    def get(self, path: str, token: str | None = "shop") -> TestResponse:
        return self.call("GET", path, token)

    def raw(self, path: str, data: bytes, content_type: str = "application/json") -> TestResponse:
        return self.call("POST", path, data=data, content_type=content_type)


def body_of(receiver: Receiver, number: int = -1) -> dict[str, object]:
    return msgspec.json.decode(receiver.got[number][2], type=dict[str, object])


@pytest.fixture
def mounts() -> Mounts:
    return Mounts()


@pytest.fixture
def receiver(mounts: Mounts) -> Receiver:
    made = Receiver()
    mounts.mount("https://shop.example", made)
    return made


@pytest.fixture
def world(mounts: Mounts) -> Iterator[World]:
    made = World(Database(), Settings(seed=7, freeze_at=NOW, allow_remote_webhooks=False))
    made.database.prepare()
    made.create()
    install(made, mounts=mounts)
    with made.transaction() as tx:
        for token, (role, subject) in TOKENS.items():
            add_token(tx.connection, token=token, role=role, subject=subject, created_at=NOW)
    yield made
    made.close()


@pytest.fixture
def api(world: World) -> Api:
    return Api(Client(Application(world, ROUTES)))
