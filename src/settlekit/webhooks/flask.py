"""Webhooks in Flask: ``mount(app, "/webhooks/siglume", handlers, secrets=…, inbox=…)``."""

from typing import Any, TypeVar

try:
    from flask import Blueprint, Flask, Response, request
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "settlekit.webhooks.flask needs Flask: pip install 'settlekit[flask]'", name=error.name
    ) from error
from werkzeug.exceptions import RequestEntityTooLarge

from settlekit.webhooks.endpoint import TOO_LARGE, Endpoint, Secrets
from settlekit.webhooks.handlers import Handlers
from settlekit.webhooks.inbox import Inbox
from settlekit.webhooks.signature import SIGNATURE_HEADER

TxT = TypeVar("TxT")


def mount(
    app: Flask | Blueprint,
    path: str,
    handlers: Handlers[TxT],
    *,
    secrets: Secrets,
    inbox: Inbox[TxT],
    name: str = "settlekit_webhooks",
    **options: Any,
) -> Endpoint[TxT]:
    """Receive webhooks at a path of an application or blueprint; POST is the only method.

    ``secrets`` is the signing secret, or a list while it is rotated; ``options`` are those of
    Endpoint: ``merchant``, ``tolerance_seconds``, ``max_body_bytes``, ``now``. Returns the
    endpoint, whose ``recover`` takes what a process that died left. A form protection such as
    Flask-WTF's must exempt the view (``name``).
    """
    endpoint = Endpoint(handlers, secrets=secrets, inbox=inbox, **options)

    def receive() -> Response:
        request.max_content_length = endpoint.max_body_bytes
        try:
            # The signature is over the bytes as they came, whatever their content type.
            body = request.get_data(cache=False)
        except RequestEntityTooLarge:
            answer = TOO_LARGE
        else:
            answer = endpoint.receive(body, request.headers.get(SIGNATURE_HEADER))
        return Response(status=answer.status, headers=dict(answer.headers))

    app.add_url_rule(path, name, receive, methods=["POST"])
    return endpoint
