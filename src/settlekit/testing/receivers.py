"""Applications in this process as receivers of webhooks, just as they are."""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from settlekit.testing.transports import WsgiTransport

Receiver = Callable[[str, Mapping[str, str], bytes], int]
"""(URL, headers, raw body) → the HTTP status it answers."""


def application_receiver(application: Any) -> Receiver:
    """Return a receiver that hands deliveries to a WSGI or ASGI application, as it is.

    A Django site is either: ``get_wsgi_application()`` or ``get_asgi_application()``.
    """
    if _is_asgi(application):
        return lambda url, headers, body: _in_a_loop(_post_async(application, url, headers, body))

    def receive(url: str, headers: Mapping[str, str], body: bytes) -> int:
        with httpx.Client(transport=WsgiTransport(application), trust_env=False) as http:
            return http.post(url, headers=dict(headers), content=body).status_code

    return receive


def _is_asgi(application: Any) -> bool:
    call = application if inspect.isfunction(application) else type(application).__call__
    return inspect.iscoroutinefunction(call)


async def _post_async(application: Any, url: str, headers: Mapping[str, str], body: bytes) -> int:
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as http:
        return (await http.post(url, headers=dict(headers), content=body)).status_code


def _in_a_loop(call: Any) -> int:
    # In a thread of its own: the caller's may have a loop that runs already.
    found: list[int] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(asyncio.run(call))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failed.append(error)

    # With the caller's context, in which explanations of refusals are collected.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,))
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]
