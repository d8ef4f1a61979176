"""Waiting, the one thing that differs between the twins beyond a keyword."""

import sys
import time
from contextlib import AbstractContextManager, nullcontext


def sleep(seconds: float) -> None:
    """Wait in this thread."""
    time.sleep(seconds)


async def async_sleep(seconds: float) -> None:
    """Wait in this task, on asyncio or trio."""
    import anyio

    await anyio.sleep(seconds)


def deadline(_: float | None) -> AbstractContextManager[object]:
    """Do nothing: a thread can't be interrupted, so who reads looks at the clock."""
    return nullcontext()


def async_deadline(seconds: float | None) -> AbstractContextManager[object]:
    """Raise TimeoutError in this task when the time is up, wherever it waits."""
    import anyio

    return anyio.fail_after(seconds)


def current_loop() -> object | None:
    """Return what the running task's connections belong to, or None outside of any."""
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return _trio_token()


def _trio_token() -> object | None:
    trio = sys.modules.get("trio")
    if trio is None:
        return None
    try:
        token: object = trio.lowlevel.current_trio_token()
    except RuntimeError:
        return None
    return token
