"""Webhooks in FastAPI: ``mount(app, "/webhooks/siglume", handlers, secrets=…, inbox=…)``."""

from typing import Any, TypeVar

try:
    from fastapi import APIRouter, FastAPI, Request, Response
    from fastapi.concurrency import run_in_threadpool
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "settlekit.webhooks.fastapi needs FastAPI: pip install 'settlekit[fastapi]'",
        name=error.name,
    ) from error

from settlekit.webhooks.endpoint import TOO_LARGE, AsyncEndpoint, Endpoint, Secrets, make_endpoint
from settlekit.webhooks.handlers import Handlers
from settlekit.webhooks.inbox import AsyncInbox, Inbox
from settlekit.webhooks.signature import SIGNATURE_HEADER

TxT = TypeVar("TxT")


def mount(
    app: FastAPI | APIRouter,
    path: str,
    handlers: Handlers[TxT],
    *,
    secrets: Secrets,
    inbox: Inbox[TxT] | AsyncInbox[TxT],
    **options: Any,
) -> Endpoint[TxT] | AsyncEndpoint[TxT]:
    """Receive webhooks at a path of an application or router; POST is the only method.

    With an asynchronous inbox the handlers are ``async def``; with another one they are plain
    functions and run in a worker thread. ``secrets`` is the signing secret, or a list while it
    is rotated; ``options`` are those of Endpoint. Returns the endpoint, whose ``recover`` takes
    what a process that died left.
    """
    endpoint = make_endpoint(handlers, inbox, secrets=secrets, **options)

    async def receive_webhook(request: Request) -> Response:
        body = await _body(request, endpoint.max_body_bytes)
        # Two headers become one that no reader takes, never the first of the two.
        header = ",".join(request.headers.getlist(SIGNATURE_HEADER)) or None
        if body is None:
            answer = TOO_LARGE
        elif isinstance(endpoint, AsyncEndpoint):
            answer = await endpoint.receive(body, header)
        else:
            answer = await run_in_threadpool(endpoint.receive, body, header)
        return Response(status_code=answer.status, headers=dict(answer.headers))

    app.add_api_route(path, receive_webhook, methods=["POST"], include_in_schema=False)
    return endpoint


async def _body(request: Request, limit: int) -> bytes | None:
    """Read the raw body, or as much as shows that it is too long."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        return None
    taken: list[bytes] = []
    length = 0
    async for piece in request.stream():
        length += len(piece)
        if length > limit:
            return None
        taken.append(piece)
    return b"".join(taken)
