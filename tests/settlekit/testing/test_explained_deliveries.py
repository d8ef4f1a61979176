"""The mock's delivery log says why an endpoint in this process refused."""

import io

import flask
import pytest
from fastapi import FastAPI

from settlekit import webhooks
from settlekit.webhooks import fastapi as fastapi_webhooks
from settlekit.webhooks import flask as flask_webhooks

URL = "https://shop.localhost/webhooks"


class AddsNewline:
    """WSGI middleware that spoils the body, as a proxy may."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read() + b"\n"
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        return self.app(environ, start_response)


def flask_app(secret):
    app = flask.Flask(__name__)
    inbox = webhooks.MemoryInbox()
    flask_webhooks.mount(app, "/webhooks", webhooks.Handlers(), secrets=secret, inbox=inbox)
    return app


def fastapi_app(secret):
    app = FastAPI()
    inbox = webhooks.MemoryInbox()
    fastapi_webhooks.mount(app, "/webhooks", webhooks.Handlers(), secrets=secret, inbox=inbox)
    return app


def failure(client):
    """Have a payment told, and return the first delivery as the log has it."""
    session = client.checkout_sessions.create(
        merchant="sandbox_merchant",
        amount_minor=1200,
        currency="JPY",
        success_url="http://localhost:3000/ok",
        cancel_url="http://localhost:3000/no",
    )
    path = f"/sandbox/checkout-sessions/{session.session_id}/confirm"
    client.request("POST", path, json={})
    return client.webhook_endpoints.deliveries().items[-1]


@pytest.mark.parametrize("make", [flask_app, fastapi_app])
def test_another_secret_is_named(make, settlekit_mock, settlekit_client):
    """Refused with 400, and the log says that it was the mock's own secret that signed."""
    settlekit_mock.webhooks.deliver_to(make("whsec_wrongly_copied"), url=URL)
    told = failure(settlekit_client)
    assert told.response_status == 400
    assert "signed with the local mock's own (…ocal)" in told.error
    assert "whsec" not in told.error


def test_an_endpoint_of_the_fixture_is_explained_too(
    settlekit_mock, settlekit_client, settlekit_webhooks
):
    """Collected or not, what the endpoint refused says why."""
    settlekit_webhooks.deliver_to(flask_app("whsec_wrongly_copied"), url=URL)
    told = failure(settlekit_client)
    assert "signed with the local mock's own (…ocal)" in told.error
    assert [event.type for event in settlekit_webhooks.events] == ["direct_payment.confirmed"]


def test_where_the_body_first_differs_is_told(settlekit_mock, settlekit_client):
    """The mock knows what it sent."""
    secret = settlekit_mock.world.settings.webhook_secret
    settlekit_mock.webhooks.deliver_to(AddsNewline(flask_app(secret)), url=URL)
    told = failure(settlekit_client)
    assert "a line end was added, lost or changed: it first differs at byte" in told.error
