"""Golden files as calls: a method of either client, its arguments, a server that answers."""

import asyncio
import contextlib
import inspect
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import attrs
import httpx

from settlekit import AsyncClient, Client, RetryPolicy, _codec
from settlekit._calls.call import Answer, Call
from settlekit.models import PaymentRequirement
from settlekit.testing import golden
from settlekit.testing.golden import ANSWER_OF, Golden, GoldenResponse

ORIGIN = "http://localhost:8787"
ONCE = RetryPolicy(attempts=1)

#: Methods that are made of other methods' routes.
COMPOSED = {"checkout_sessions.wait", "merchants.set_up_checkout"}


def methods(client: Client | AsyncClient) -> set[str]:
    """Return the names of a client's methods, as ``resource.method``."""
    return {
        f"{resource}.{method}"
        for resource, owner in vars(client).items()
        if not resource.startswith("_")
        for method, _ in inspect.getmembers(owner, inspect.ismethod)
        if not method.startswith("_")
    }


def bound(client: Any, name: str) -> Callable[..., Any]:
    resource, method = name.split(".")
    found: Callable[..., Any] = getattr(getattr(client, resource), method)
    return found


def positional(file: Golden) -> list[Any]:
    """Return the positional arguments, with other files' answers where these are named."""
    return [_argument(value) for value in file.call.args]


def _argument(value: Any) -> Any:
    if isinstance(value, dict) and ANSWER_OF in value:
        content = golden.load(value[ANSWER_OF]).response.content
        return _codec.one(PaymentRequirement)(Answer(status=200, headers={}, content=content))
    return value


def requirement(**changes: Any) -> PaymentRequirement:
    return attrs.evolve(_argument({ANSWER_OF: "payment_requirements.create"}), **changes)


class _Caught(Exception):
    """A method asked for its call to be made."""


class _Core:
    """Takes a method's call, and makes none."""

    call: Call[Any]

    def run(self, call: Call[Any]) -> Any:
        self.call = call
        raise _Caught

    open = run


@cache
def call_of(name: str) -> Call[Any]:
    """Return the call that a method makes of its golden arguments."""
    file, core = golden.load(name), _Core()
    resource, method = name.split(".")
    owner = type(getattr(Client(token="tok", base_url=ORIGIN), resource))(core)
    with contextlib.suppress(_Caught):
        rows = getattr(owner, method)(*positional(file), **file.call.kwargs)
        rows.__enter__()
    return core.call


def read(name: str, data: Any) -> list[Any]:
    """Return the models that a method reads from an answer that holds this."""
    response = with_payload(golden.load(name).response, data)
    answer = Answer(status=response.status, headers={}, content=response.content)
    return models_of(call_of(name).read(answer))


class Server:
    """Answers every request in the same way, and keeps what it was asked."""

    def __init__(self, response: GoldenResponse) -> None:
        self.requests: list[httpx.Request] = []
        self._response = response

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(
            self._response.status,
            headers=self._response.headers,
            stream=httpx.ByteStream(self._response.content),
        )


def call_sync(name: str, response: GoldenResponse, **options: Any) -> tuple[Any, Server]:
    """Call a method of the sync client as its golden file says; rows are read to their end."""
    file, server = golden.load(name), Server(response)
    options.setdefault("retries", ONCE)
    with (
        httpx.Client(transport=httpx.MockTransport(server)) as http,
        Client(token="tok", base_url=f"{ORIGIN}/v1", http=http, **options) as client,
    ):
        result = bound(client, name)(*positional(file), **file.call.kwargs)
        if hasattr(result, "row_count"):
            with result as rows:
                return list(rows), server
        return result, server


def call_async(name: str, response: GoldenResponse) -> tuple[Any, Server]:
    """Call a method of the async client as its golden file says."""
    return asyncio.run(_call_async(name, response))


async def _call_async(name: str, response: GoldenResponse) -> tuple[Any, Server]:
    file, server = golden.load(name), Server(response)
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(server)) as http,
        AsyncClient(token="tok", base_url=f"{ORIGIN}/v1", http=http, retries=ONCE) as client,
    ):
        result = bound(client, name)(*positional(file), **file.call.kwargs)
        if hasattr(result, "row_count"):
            async with result as rows:
                return [row async for row in rows], server
        return await result, server


def payload(response: GoldenResponse) -> Any:
    """Return what an answer holds, out of its envelope."""
    body = response.body
    return body["data"] if isinstance(body, dict) and "data" in body else body


def with_payload(response: GoldenResponse, data: Any) -> GoldenResponse:
    """Return an answer that holds something else."""
    body = response.body
    enveloped = isinstance(body, dict) and "data" in body
    # Through JSON, so that no two answers share an object.
    changed = json.loads(json.dumps({**body, "data": data} if enveloped else data))
    return attrs.evolve(response, body=changed)


def items_of(data: Any) -> list[Any]:
    """Return the objects that an answer holds: a page's items, or the one."""
    if isinstance(data, list):
        return data
    return data["items"] if set(data) == {"items", "next_cursor"} else [data]


def models_of(result: Any) -> list[Any]:
    """Return the models that a result holds."""
    return list(result.items) if hasattr(result, "next_cursor") else [result]
