"""The pytest plugin: fixtures for a fresh mock, its client and its webhooks.

The mock is imported when a fixture is asked for, so that having the plugin costs nothing.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from settlekit import Client
    from settlekit.testing.inbox import WebhookInbox
    from settlekit.testing.routes import CannedAnswers
    from settlekit_mock import MockServer


@pytest.fixture
def settlekit_mock() -> "Iterator[MockServer]":
    """Give a mock of the platform in this process, fresh for the test, its clock frozen."""
    from settlekit_mock import MockServer

    with MockServer() as mock:
        yield mock


@pytest.fixture
def settlekit_client(settlekit_mock: "MockServer") -> "Iterator[Client]":
    """Give a client of the mock with its merchant's token, which is a provider's too."""
    with settlekit_mock.client("merchant") as client:
        yield client


@pytest.fixture
def settlekit_webhooks(settlekit_mock: "MockServer") -> "WebhookInbox":
    """Collect what the mock delivers to its merchant: ``events``, ``wait_for(event_type=…)``.

    ``deliver_to(application, url=…)`` has a WSGI, ASGI or Django application take it, too.
    """
    return settlekit_mock.webhooks.collect()


@pytest.fixture
def settlekit_routes() -> "Iterator[CannedAnswers]":
    """Answer every client's calls from the golden files, without a server; needs respx."""
    from settlekit.testing import routes

    with routes.canned() as platform:
        yield platform
