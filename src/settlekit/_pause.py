"""Waiting, the one thing that differs between the twins beyond a keyword."""

import time


def sleep(seconds: float) -> None:
    """Wait in this thread."""
    time.sleep(seconds)


async def async_sleep(seconds: float) -> None:
    """Wait in this task, on asyncio or trio."""
    import anyio

    await anyio.sleep(seconds)
