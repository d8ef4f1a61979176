"""A PostgreSQL server that restarts under the mock: callers wait, and nothing happens twice."""

import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from settlekit import Client, RetryPolicy, ServerError
from settlekit.testing import without_backoff
from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError
from settlekit_mock.in_process import RoleName
from settlekit_mock.seeding import BUYER, MERCHANT_TOKEN
from tests.postgresql import PostgresqlServer
from tests.settlekit_mock.deeds import ADMIN_TOKEN, PAGES, SHOP, TERMS, Site
from tests.settlekit_mock.losing import Loss
from tests.settlekit_mock.test_lost_connections import assert_come_again

RoleClient = Callable[[RoleName], Client]
START = "2026-03-02T00:00:00Z"
PATIENCE_SECONDS = 30


class OwnServer(PostgresqlServer):
    """A server that may be stopped, and started again on the same socket."""

    def end(self) -> None:
        """End it as an operator does: whoever is connected is thrown out."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE_SECONDS)

    def start_again(self) -> None:
        self._process = self._start()


@pytest.fixture(scope="module")
def own_server(postgresql_server: PostgresqlServer) -> Iterator[OwnServer]:
    """A server on which no other test is."""
    folder = Path(tempfile.mkdtemp(prefix="settlekit-pg-", dir="/tmp"))
    try:
        server = OwnServer(postgresql_server.binaries, folder)
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def down_site(own_server: OwnServer) -> Iterator[Site]:
    """A mock on the server that may be stopped, which runs again at the end."""
    with MockServer(db=own_server.create_database(), freeze_at=START) as mock:
        yield Site(mock)


@pytest.fixture
def site(postgresql_url: str) -> Iterator[Site]:
    with MockServer(db=postgresql_url, freeze_at=START) as mock:
        yield Site(mock)


def refund(site: Site, key: str) -> dict[str, Any]:
    body = {"kind": "refund", "direction": "credit", "amount_usd": "1", "idempotency_key": key}
    path = f"/v1/admin/wallets/{site.wallet('end_user')}/adjustments"
    return {"path": path, "body": body}


def sound(site: Site) -> bool:
    return site.balanced() and site.told_once() and site.mock.check().violations == []


def test_a_server_that_is_down_is_503_until_it_is_up(
    down_site: Site, own_server: OwnServer
) -> None:
    """Reads, writes and the clock are refused alike, over a socket too; then all goes on."""
    site, given = down_site, refund(down_site, "k")
    with (
        site.mock.serve() as served,
        httpx.Client(base_url=served.url, trust_env=False, timeout=PATIENCE_SECONDS) as http,
    ):
        own_server.end()
        try:
            assert_come_again(site.post(given["path"], ADMIN_TOKEN, **given["body"]))
            assert_come_again(site.get("/v1/admin/payouts", ADMIN_TOKEN))
            refused = http.post("/_mock/clock/advance", json={"by": "P1D"})
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        finally:
            own_server.start_again()
        assert http.get("/_mock/clock").json()["data"]["now"] == "2026-03-02T00:00:00.000Z"
        assert site.post(given["path"], ADMIN_TOKEN, **given["body"]).status_code == 201
    assert site.count("wallet_adjustments") == 1
    assert sound(site)


def test_connections_that_were_lost_between_calls_are_made_anew(site: Site) -> None:
    """A restart that nobody called during is noticed by no caller."""
    with Loss(site.mock.world) as loss:
        for number in range(3):
            loss.now()
            given = refund(site, f"k{number}")
            assert site.post(given["path"], ADMIN_TOKEN, **given["body"]).status_code == 201
    assert site.count("wallet_adjustments") == 3


def test_the_client_waits_for_a_server_that_restarts(
    down_site: Site, own_server: OwnServer
) -> None:
    """With its usual policy the SDK comes through a restart, by Retry-After, with one effect."""
    site, wallet = down_site, down_site.wallet("end_user")
    with site.mock.serve() as served:
        client = Client(
            token=ADMIN_TOKEN, base_url=f"{served.url}/v1", retries=RetryPolicy(attempts=10)
        )
        own_server.end()
        starting = threading.Timer(0.2, own_server.start_again)
        starting.start()
        try:
            done = client.operations.adjust_wallet(
                wallet, kind="refund", direction="credit", amount_usd="1", idempotency_key="k"
            )
        finally:
            starting.join()
            client.close()
    assert done.status == "applied"
    assert site.count("wallet_adjustments") == 1
    assert sound(site)


def test_what_a_restart_left_undelivered_is_delivered(
    down_site: Site, own_server: OwnServer
) -> None:
    """Paid, and then the server was gone before the webhook: the next call has it delivered."""
    site = down_site
    sessions = "/v1/sdrp/direct-payments/checkout-sessions"
    opened = site.post(sessions, MERCHANT_TOKEN, **TERMS, **PAGES, nonce="order-1")
    session = site.data(opened)["session_id"]
    with Loss(site.mock.world, end=own_server.end) as loss:
        loss.arm(1, only="after a commit")
        try:
            assert_come_again(site.post(f"/sandbox/checkout-sessions/{session}/confirm", "nobody"))
        finally:
            own_server.start_again()
    assert site.arrived == []
    paid = site.data(site.get(f"{sessions}/{session}", MERCHANT_TOKEN))
    assert (paid["status"], len(site.arrived)) == ("paid", 1)
    assert sound(site)


# -- the SDK -----------------------------------------------------------------------------


def adjust(site: Site, role: RoleClient) -> object:
    return role("admin").operations.adjust_wallet(
        site.customer, kind="refund", direction="credit", amount_usd="1"
    )


def open_checkout(_site: Site, role: RoleClient) -> object:
    return role("merchant").checkout_sessions.create(**TERMS, **PAGES)


def run_capability(site: Site, role: RoleClient) -> object:
    return role("buyer").capabilities.execute(
        "weather",
        listing_id=site.listing_id,
        operation_key="forecast",
        amount_minor=60,
        currency="JPY",
    )


def record_use(_site: Site, role: RoleClient) -> object:
    return role("admin").operations.record_usage(
        public_app_id="app_1",
        feature_key="chat",
        route_mode="byok",
        provider="a_provider",
        model="a-model",
        fee_usd="0.01",
        buyer_id=BUYER,
    )


@pytest.mark.parametrize(
    ("call", "effects"),
    [
        (adjust, "wallet_adjustments"),
        (open_checkout, "checkout_sessions"),
        (run_capability, "usage"),
        (record_use, "usage_records"),
    ],
)
def test_the_client_comes_through_a_lost_connection(
    site: Site, call: Callable[[Site, RoleClient], object], effects: str
) -> None:
    """With a key that it draws itself the SDK repeats what was cut, and each call counts once."""

    def role(name: RoleName) -> Client:
        return site.mock.client(name, retries=RetryPolicy(attempts=2))

    with Loss(site.mock.world) as loss, without_backoff():
        for done in count(1):
            loss.arm(1 + (done - 1) * 9)
            call(site, role)
            loss.disarm()
            assert site.count(effects) == done, loss.at
            if not loss.struck:
                break
    assert done > 2
    assert sound(site)


def test_the_client_doesnt_repeat_what_has_no_key(site: Site) -> None:
    """A run of payouts that was cut after its commit is the caller's to look after."""
    with (
        Loss(site.mock.world) as loss,
        without_backoff(),
        site.mock.client("admin", retries=RetryPolicy(attempts=5)) as client,
    ):
        loss.arm(1, only="after a commit")
        with pytest.raises(ServerError) as failed:
            client.operations.run_payouts()
        assert loss.struck
    assert (failed.value.status, failed.value.code) == (503, "database_unavailable")


# -- the clock ---------------------------------------------------------------------------

TARGET = "2026-04-20T00:00:00.000Z"


def lived(mock: MockServer) -> None:
    """Leave a month's work: usage that closes, notices, refused debits."""
    mock.buyers.create(buyer_id="b1", timezone="Asia/Tokyo")
    mock.usage("b1", merchant=SHOP, amount_minor=100, currency="JPY", count=7)
    mock.usage("b1", merchant=SHOP, amount_minor=20, currency="USD", count=3, over="P3D")
    mock.simulate.debit_failure(times=3)


def refusal(mock: MockServer) -> tuple[int, str] | None:
    """Ask for the target, and return what it was refused with."""
    try:
        mock.clock.advance(to=TARGET)
    except ControlError as error:
        return error.status, error.code
    return None


def told(mock: MockServer) -> list[tuple[object, ...]]:
    """Return the journal without its numbers: PostgreSQL counts what was rolled back, too."""
    return [(event.at, event.kind, event.subject, event.data) for event in mock.events()]


def test_an_advance_that_is_cut_goes_on_where_it_was(postgresql_url: str) -> None:
    """Cut again and again and asked again for the same time, it tells what an undisturbed one does."""
    with (
        MockServer(seed=7, freeze_at=START) as calm,
        MockServer(seed=7, freeze_at=START, db=postgresql_url) as mock,
        Loss(mock.world) as loss,
    ):
        calm_site, site = Site(calm), Site(mock)
        for one in (calm, mock):
            lived(one)
        calm.clock.advance(to=TARGET)
        cuts = 0
        for place in (2, 11, 29, 61, 101, 170, 260, 10_000):
            loss.arm(place)
            refused = refusal(mock)
            assert refused == ((503, "DATABASE_UNAVAILABLE") if loss.struck else None)
            cuts += loss.struck
        assert cuts >= 5
        assert told(mock) == told(calm)
        assert mock.clock.read() == calm.clock.read()
        assert set(site.arrived) == set(calm_site.arrived)
        assert sound(site)
