"""One open checkout for an order, on each store and both databases."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from django.core.management import call_command
from django.db import connections
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from settlekit import InvalidArgument
from settlekit.checkout_attempts.django.store import DjangoCheckoutAttempts
from settlekit.checkout_attempts.sqlalchemy import (
    AsyncSqlAlchemyCheckoutAttempts,
    SqlAlchemyCheckoutAttempts,
    attempts_table,
)
from settlekit_mock import MockServer
from tests.settlekit.webhooks import django_site

AT_ONCE = 50
TERMS = {
    "merchant": "sandbox_merchant",
    "amount_minor": 2400,
    "currency": "JPY",
    "success_url": "http://localhost/success",
    "cancel_url": "http://localhost/cancel",
}
METADATA = sa.MetaData()
TABLE = attempts_table(METADATA)


class Threads:
    """Attempts on SQLAlchemy, in threads."""

    def __init__(self, mock, database):
        self.client = mock.client()
        self.engine = sa.create_engine(database, poolclass=NullPool)
        METADATA.create_all(self.engine)
        self.attempts = SqlAlchemyCheckoutAttempts(self.client, self.engine, table=TABLE)

    def start(self, order_id="order-1", **changes):
        return self.attempts.start(order_id, **{**TERMS, **changes})

    def start_at_once(self, count):
        together = threading.Barrier(count)

        def start(_):
            together.wait(10)
            return self.start()

        with ThreadPoolExecutor(count) as threads:
            return list(threads.map(start, range(count)))

    def find(self, challenge_hash):
        return self.attempts.find(challenge_hash)

    def close(self):
        self.client.close()
        self.engine.dispose()


class Tasks(Threads):
    """Attempts on SQLAlchemy, in tasks."""

    def __init__(self, mock, database):
        super().__init__(mock, database)
        self.mock = mock
        self.url = database.replace("sqlite:", "sqlite+aiosqlite:")

    def within(self, act):
        async def in_loop():
            engine = create_async_engine(self.url, poolclass=NullPool)
            async with self.mock.async_client() as client:
                found = await act(AsyncSqlAlchemyCheckoutAttempts(client, engine, table=TABLE))
            await engine.dispose()
            return found

        return asyncio.run(in_loop())

    def start(self, order_id="order-1", **changes):
        return self.within(lambda attempts: attempts.start(order_id, **{**TERMS, **changes}))

    def start_at_once(self, count):
        async def all_at_once(attempts):
            starts = [attempts.start("order-1", **TERMS) for _ in range(count)]
            return await asyncio.gather(*starts)

        return self.within(all_at_once)

    def find(self, challenge_hash):
        return self.within(lambda attempts: attempts.find(challenge_hash))


class OnDjango(Threads):
    """Attempts on Django's ORM."""

    def __init__(self, mock, database):
        self.client = mock.client()
        self.site = django_site.at(sa.make_url(database))
        call_command("migrate", verbosity=0)
        self.attempts = DjangoCheckoutAttempts(self.client)

    def start(self, order_id="order-1", **changes):
        try:
            return super().start(order_id, **changes)
        finally:
            connections["default"].close()

    def close(self):
        self.client.close()
        self.site.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql_url")
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture
def mock():
    with MockServer(origin="http://localhost") as made:
        yield made


@pytest.fixture(params=[Threads, Tasks, OnDjango])
def shop(request, mock, database):
    made = request.param(mock, database)
    yield made
    made.close()


def sandbox(shop, attempt, step):
    path = f"/sandbox/checkout-sessions/{attempt.session_id}/{step}"
    shop.client.request("POST", path, json={})


def test_a_checkout_that_is_open_is_used_again(shop):
    """The button pressed twice leads to one page."""
    first, second = shop.start(), shop.start()
    assert first == second
    assert (first.number, first.status) == (1, "open")
    assert first.checkout_url
    assert shop.start("order-2").session_id != first.session_id


def test_starts_at_once_open_one_session(shop):
    """Fifty at the same moment get the same page of the same attempt."""
    found = shop.start_at_once(AT_ONCE)
    assert len({attempt.session_id for attempt in found}) == 1
    assert {attempt.number for attempt in found} == {1}


def test_after_expiry_there_is_a_new_attempt(shop, mock):
    """An hour later the page is gone, and the next start opens another, with another nonce."""
    first = shop.start()
    mock.clock.advance(days=2)
    second = shop.start()
    assert (second.number, second.status) == (2, "open")
    assert second.nonce != first.nonce
    assert second.session_id != first.session_id
    assert shop.start() == second


def test_a_paid_order_is_not_opened_again(shop):
    """Starting it once more tells that it is paid."""
    attempt = shop.start()
    sandbox(shop, attempt, "confirm")
    again = shop.start()
    assert (again.session_id, again.status) == (attempt.session_id, "paid")


def test_other_terms_are_refused(shop):
    """An order whose page shows one price can't get a second page with another."""
    shop.start()
    with pytest.raises(InvalidArgument, match="amount_minor differs"):
        shop.start(amount_minor=1)


def test_an_attempt_is_found_by_what_a_webhook_says(shop):
    """The challenge's hash leads to the order."""
    attempt = shop.start()
    found = shop.find(attempt.challenge_hash)
    assert (found.order_id, found.session_id) == ("order-1", attempt.session_id)
    assert shop.find("sha256:of nothing") is None


def test_what_failed_to_open_is_opened_with_the_same_nonce(shop, mock):
    """A platform that is down leaves an attempt that the next start goes on with."""
    with pytest.raises(InvalidArgument, match="success_url"):
        shop.start(success_url="not a URL")
    attempt = shop.start()
    assert attempt.number == 1


def test_the_platform_is_asked_once(mock, tmp_path, monkeypatch):
    """Not even a platform that opens a session for each call would open two."""
    shop = Threads(mock, f"sqlite:///{tmp_path / 'shop.db'}")
    asked = []
    create = shop.client.checkout_sessions.create
    monkeypatch.setattr(
        shop.client.checkout_sessions,
        "create",
        lambda **terms: (asked.append(terms["nonce"]), create(**terms))[1],
    )
    shop.start_at_once(10)
    assert len(asked) == 1
    shop.close()
