"""The pump: drives flows with the transport, the clock and the settings."""

from functools import partial
from typing import TypeVar

import attrs

from settlekit._async.transport import AsyncBody, AsyncTransport
from settlekit._calls.call import Answer, Call, Steps, Wait
from settlekit._flow import Chance, Outcome, perform
from settlekit._observing import Observer
from settlekit._pause import async_sleep
from settlekit._requests import Options, request_of
from settlekit._settings import Settings
from settlekit.errors import SettlekitError

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class AsyncCore:
    """What every resource of a client stands on; its variants share the transport."""

    transport: AsyncTransport
    settings: Settings
    options: Options
    observer: Observer = attrs.Factory(Observer)
    chance: Chance = attrs.Factory(Chance)

    async def run(self, call: Call[T]) -> T:
        """Make a call and return what it reads."""
        result, _ = await self._drive(call, stream=False)
        return result

    async def open(self, call: Call[Answer]) -> tuple[Answer, AsyncBody]:
        """Make a call and return its answer with the body unread."""
        answer, body = await self._drive(call, stream=True)
        assert body is not None, "a success is streamed"
        return answer, body

    async def follow(self, steps: Steps[T]) -> T:
        """Make several calls, as the steps ask for them; they are told what failed."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Wait):
                    await async_sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    result = await self.run(step)
                except SettlekitError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as done:
            outcome: T = done.value
            return outcome

    async def _drive(self, call: Call[T], *, stream: bool) -> tuple[T, AsyncBody | None]:
        prepare = partial(request_of, settings=self.settings, options=self.options)
        steps = perform(call, prepare, self.options.retries, self.chance, self.observer)
        outcome: Outcome = None
        body: AsyncBody | None = None
        try:
            step = next(steps)
            while True:
                outcome = None
                if isinstance(step, Wait):
                    await async_sleep(step.seconds)
                else:
                    try:
                        outcome, body = await self.transport.open(step.request, stream=stream)
                    except BaseException as error:
                        steps.throw(error)
                        raise
                step = steps.send(outcome)
        except StopIteration as done:
            result: T = done.value
            return result, body
