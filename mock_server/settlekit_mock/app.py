"""Put the rooms together: their tables, their due work, their routes, one application."""

import os
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from settlekit_mock.console.page import PAGE_ROUTES
from settlekit_mock.console.routes import ROUTES as CONSOLE_ROUTES
from settlekit_mock.control.routes import ROUTES as CONTROL_ROUTES
from settlekit_mock.http.application import Application
from settlekit_mock.http.dialects import PLAIN
from settlekit_mock.http.openapi import document
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Route
from settlekit_mock.kernel.database import MEMORY_URL, Database
from settlekit_mock.kernel.worker import work_by_itself
from settlekit_mock.kernel.world import Settings, World
from settlekit_mock.operations.routes import ROUTES as OPERATIONS_ROUTES
from settlekit_mock.payments.install import install as install_payments
from settlekit_mock.payments.routes import ROUTES as PAYMENTS_ROUTES
from settlekit_mock.recurring.install import install as install_recurring
from settlekit_mock.recurring.routes import ROUTES as RECURRING_ROUTES
from settlekit_mock.seeding import seed
from settlekit_mock.settings import settings_from
from settlekit_mock.settlement.install import install as install_settlement
from settlekit_mock.settlement.routes import ROUTES as SETTLEMENT_ROUTES
from settlekit_mock.webhooks.install import Nowhere, mounts_of
from settlekit_mock.webhooks.install import install as install_webhooks
from settlekit_mock.webhooks.routes import ROUTES as WEBHOOKS_ROUTES
from settlekit_mock.webhooks.sender import Mounts, Sender

_images: dict[Settings, bytes] = {}
"""Beginnings made before in this process, by their settings: copying one takes a moment."""


def open_world(url: str = MEMORY_URL, settings: Settings | None = None) -> World:
    """Open a world: a new one is given its sandbox actors, an existing one goes on as it was.

    Raises ``DatabaseUnusable`` for a database that can't be used, or that another server uses.
    """
    settings = settings or Settings()
    if url == MEMORY_URL:
        return _open_in_memory(settings)
    database = Database(url)
    try:
        with database.beginning():
            fresh = database.prepare()
            database.claim()
            world = _installed(database, settings)
            world.is_new = fresh
            if fresh:
                world.begin()
    except BaseException:
        database.close()
        raise
    return world


def _open_in_memory(settings: Settings) -> World:
    """Open a fresh world in memory, copied from one that was made for the same settings."""
    image = _images.get(settings)
    if image is not None:
        return _installed(Database(image=image), settings)
    database = Database()
    database.prepare()
    world = _installed(database, settings)
    world.begin()
    if settings.freeze_at is not None and settings.webhook_url is None:
        # On a real clock no two beginnings are alike.
        _images[settings] = database.image()
    return world


def fork_world(world: World, *, webhooks: bool = False) -> World:
    """Open another world that begins as this one is now, and goes its own way.

    Its webhooks reach nobody and count as delivered, unless ``webhooks`` asks that they
    go where this world's go. Raises ``Conflict`` for a world that isn't in memory.
    """
    database = Database(image=world.image().content)
    if webhooks:
        forked = _installed(database, world.settings, mounts=mounts_of(world))
        forked.own_ports.update(world.own_ports)
        return forked
    return _installed(database, world.settings, sender=Nowhere())


def _installed(
    database: Database,
    settings: Settings,
    *,
    mounts: Mounts | None = None,
    sender: Sender | None = None,
) -> World:
    world = World(database, settings)
    world.seed = seed
    install_webhooks(world, mounts=mounts, sender=sender)
    install_settlement(world)
    install_payments(world)
    install_recurring(world)
    return world


@cache
def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of every route but its own and the console's page."""
    return document(ROUTES, version=metadata.version("settlekit"))


ROUTES: tuple[Route, ...] = (
    *WEBHOOKS_ROUTES,
    *SETTLEMENT_ROUTES,
    *PAYMENTS_ROUTES,
    *RECURRING_ROUTES,
    *OPERATIONS_ROUTES,
    *CONTROL_ROUTES,
    *CONSOLE_ROUTES,
)
_OPENAPI_ROUTE = Route(
    "GET",
    "/openapi.json",
    Role.ANYONE,
    lambda _request: openapi(),
    "application/json",
    "This document",
    dialect=PLAIN,
)
_ALL_ROUTES = (*ROUTES, _OPENAPI_ROUTE, *PAGE_ROUTES)


def build(world: World) -> Application:
    """Make the application that answers for a world."""
    return Application(world, _ALL_ROUTES)


def create_app(environ: Mapping[str, str] | None = None) -> Application:
    """Make the WSGI application of a mock server from ``SETTLEKIT_MOCK_…`` in the environment.

    On a real clock it does by itself what falls due, in each process that has it.
    Raises ``DatabaseUnusable`` or ``ValueError`` with one line that says what to mend.
    """
    url, settings = settings_from(os.environ if environ is None else environ)
    world = open_world(url, settings)
    work_by_itself(world)
    return build(world)
