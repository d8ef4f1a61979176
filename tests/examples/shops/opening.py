"""The three shops in this process, each on a mock and a database file of its own."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from examples.shop_parts.account import Account
from examples.shop_parts.tables import Base, use_sqlite_well
from settlekit.testing.transports import WsgiTransport
from settlekit_mock import MockServer

Opened = tuple[Any, httpx.BaseTransport]
"""A shop's application, and how a browser reaches it."""


class AsgiTransport(httpx.BaseTransport):
    """Hands requests to an ASGI application in one loop, in which its client stays."""

    def __init__(self, application: Any) -> None:
        self._inner = httpx.ASGITransport(application)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        request.read()
        answer = asyncio.run_coroutine_threadsafe(self._answer(request), self._loop)
        return answer.result(30)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)

    def close(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def flask_shop(mock: MockServer, account: Account, database: Path) -> Iterator[Opened]:
    from examples.flask_shop.app import create_app

    engine = sa.create_engine(f"sqlite:///{database}")
    use_sqlite_well(engine)
    Base.metadata.create_all(engine)
    with mock.client("merchant") as client:
        shop = create_app(client, account, engine)
        yield shop, WsgiTransport(shop)
    engine.dispose()


@contextmanager
def fastapi_shop(mock: MockServer, account: Account, database: Path) -> Iterator[Opened]:
    from examples.fastapi_shop.app import create_app
    from examples.fastapi_shop.serve import create_tables, engine_on

    # The exam delivers in loops of its own, between which no connection can be shared.
    engine = engine_on(database, poolclass=NullPool)
    asyncio.run(create_tables(engine))
    shop = create_app(mock.async_client("merchant"), account, engine)
    with contextlib.closing(AsgiTransport(shop)) as transport:
        yield shop, transport


@contextmanager
def django_shop(mock: MockServer, account: Account, database: Path) -> Iterator[Opened]:
    from tests.settlekit.webhooks import django_site

    # A process has one site: this borrows it, with the shop's settings for the while.
    site = django_site.at(sa.make_url(f"sqlite:///{database}"))
    with _settings_of_the_shop(), mock.client("merchant") as client:
        from django.core.handlers.wsgi import WSGIHandler

        from examples.django_shop import payments

        kept = payments.account, payments.client
        payments.account, payments.client = (lambda: account), (lambda: client)  # type: ignore[assignment]
        _make_tables(database)
        shop = WSGIHandler()
        try:
            yield shop, WsgiTransport(shop)
        finally:
            payments.account, payments.client = kept
            site.close()


@contextmanager
def _settings_of_the_shop() -> Iterator[None]:
    from django.db import connections
    from django.test.utils import override_settings

    from examples.django_shop import settings

    names = ("INSTALLED_APPS", "ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES", "ALLOWED_HOSTS")
    options = connections.settings["default"]
    kept, options["OPTIONS"] = options["OPTIONS"], settings.DATABASES["default"]["OPTIONS"]
    try:
        with override_settings(**{name: getattr(settings, name) for name in names}):
            yield
    finally:
        options["OPTIONS"] = kept


_migrated: list[bytes] = []


def _make_tables(database: Path) -> None:
    from django.core.management import call_command
    from django.db import connections

    if not _migrated:
        call_command("migrate", verbosity=0)
        connections["default"].close()
        _migrated.append(database.read_bytes())
    database.write_bytes(_migrated[0])


OPEN: dict[str, Callable[[MockServer, Account, Path], AbstractContextManager[Opened]]] = {
    "flask_shop": flask_shop,
    "fastapi_shop": fastapi_shop,
    "django_shop": django_shop,
}
TABLES = {
    "orders": {"django_shop": "shop_order"},
    "settled_batches": {"django_shop": "shop_settledbatch"},
}


def rows(kind: str, database: Path, table: str) -> list[dict[str, Any]]:
    """Read a table of a shop's database, whatever wrote it."""
    name = TABLES.get(table, {}).get(kind, table)
    with contextlib.closing(sqlite3.connect(database, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"select * from {name}")]
