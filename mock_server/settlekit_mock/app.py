"""Put the rooms together: their tables, their due work, their routes, one application."""

import os
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from settlekit_mock.control.routes import ROUTES as CONTROL_ROUTES
from settlekit_mock.http.application import Application
from settlekit_mock.http.dialects import PLAIN
from settlekit_mock.http.openapi import document
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.kernel.database import MEMORY_URL, Database
from settlekit_mock.kernel.world import Settings, World
from settlekit_mock.operations.routes import ROUTES as OPERATIONS_ROUTES
from settlekit_mock.payments.install import install as install_payments
from settlekit_mock.payments.routes import ROUTES as PAYMENTS_ROUTES
from settlekit_mock.seeding import seed_world
from settlekit_mock.settings import settings_from
from settlekit_mock.settlement.install import install as install_settlement
from settlekit_mock.settlement.routes import ROUTES as SETTLEMENT_ROUTES
from settlekit_mock.webhooks.install import install as install_webhooks
from settlekit_mock.webhooks.routes import ROUTES as WEBHOOKS_ROUTES

OPENAPI_PATH = "/openapi.json"
_image: bytes | None = None


def open_world(url: str = MEMORY_URL, settings: Settings | None = None) -> World:
    """Open a world: a new one is given its sandbox actors, an existing one goes on as it was.

    Raises ``DatabaseUnusable`` for a database that can't be used.
    """
    settings = settings or Settings()
    database, fresh = _open_database(url)
    world = World(database, settings)
    world.seed = seed_world
    install_webhooks(world)
    install_settlement(world)
    install_payments(world)
    if fresh:
        world.create()
        seed_world(world)
        world.settle()
    return world


def _open_database(url: str) -> tuple[Database, bool]:
    """Open a database; one in memory starts from a prepared image, which costs no DDL."""
    global _image  # noqa: PLW0603 - made once per process, never changed
    if url != MEMORY_URL:
        database = Database(url)
        return database, database.prepare()
    if _image is None:
        first = Database()
        first.prepare()
        _image = first.image()
        first.close()
    return Database(image=_image), True


def build(world: World) -> Application:
    """Make the application that answers for a world."""
    routes: list[Route] = [
        *WEBHOOKS_ROUTES,
        *SETTLEMENT_ROUTES,
        *PAYMENTS_ROUTES,
        *OPERATIONS_ROUTES,
        *CONTROL_ROUTES,
    ]
    described: dict[str, Any] = {}

    def openapi(_request: Request) -> Any:
        if not described:
            described.update(document(routes, version=metadata.version("settlekit")))
        return described

    return Application(world, [*routes, _openapi_route(openapi)])


def _openapi_route(run: Any) -> Route:
    return Route(
        "GET", OPENAPI_PATH, Role.ANYONE, run, "application/json", "This document", dialect=PLAIN
    )


def create_app(environ: Mapping[str, str] | None = None) -> Application:
    """Make the WSGI application of a mock server from ``SETTLEKIT_MOCK_…`` in the environment.

    Raises ``DatabaseUnusable`` or ``ValueError`` with one line that says what to mend.
    """
    url, settings = settings_from(os.environ if environ is None else environ)
    return build(open_world(url, settings))
