"""Flows without I/O of their own, and what drives them.

A flow is a generator that yields what is to be done next, as a callable, and is sent what came
of it. One flow so serves threads and tasks: ``run`` calls what it yields, ``run_async`` awaits it.
"""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

T = TypeVar("T")
Flow = Generator[Callable[[], Any], Any, T]


def run(flow: Flow[T]) -> T:
    """Do what a flow asks for, and return its result."""
    try:
        step = next(flow)
        while True:
            try:
                found = step()
            except Exception as error:  # noqa: BLE001 - the flow decides
                step = flow.throw(error)
            else:
                step = flow.send(found)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()


async def run_async(flow: Flow[T]) -> T:
    """Do what a flow asks for, awaiting each step, and return its result."""
    try:
        step = next(flow)
        while True:
            try:
                found = await step()
            except Exception as error:  # noqa: BLE001 - the flow decides
                step = flow.throw(error)
            else:
                step = flow.send(found)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()
