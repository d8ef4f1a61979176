# Made from settlekit/_async by scripts/unasync.py: edit that, then run it again.
"""The pump: drives flows with the transport, the clock and the settings."""

from functools import partial
from typing import TypeVar

import attrs

from settlekit._calls.call import Answer, Call, Steps, Wait
from settlekit._flow import Chance, Outcome, perform
from settlekit._observing import Observer
from settlekit._pause import sleep
from settlekit._requests import Options, request_of
from settlekit._settings import Settings
from settlekit._sync.transport import Body, Transport
from settlekit.errors import SettlekitError

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Core:
    """What every resource of a client stands on; its variants share the transport."""

    transport: Transport
    settings: Settings
    options: Options
    observer: Observer = attrs.Factory(Observer)
    chance: Chance = attrs.Factory(Chance)

    def run(self, call: Call[T]) -> T:
        """Make a call and return what it reads."""
        result, _ = self._drive(call, stream=False)
        return result

    def open(self, call: Call[Answer]) -> tuple[Answer, Body]:
        """Make a call and return its answer with the body unread."""
        answer, body = self._drive(call, stream=True)
        assert body is not None, "a success is streamed"
        return answer, body

    def follow(self, steps: Steps[T]) -> T:
        """Make several calls, as the steps ask for them; they are told what failed."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Wait):
                    sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    result = self.run(step)
                except SettlekitError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as done:
            outcome: T = done.value
            return outcome

    def _drive(self, call: Call[T], *, stream: bool) -> tuple[T, Body | None]:
        prepare = partial(request_of, settings=self.settings, options=self.options)
        steps = perform(call, prepare, self.options.retries, self.chance, self.observer)
        outcome: Outcome = None
        body: Body | None = None
        try:
            step = next(steps)
            while True:
                outcome = None
                if isinstance(step, Wait):
                    sleep(step.seconds)
                else:
                    try:
                        outcome, body = self.transport.open(step.request, stream=stream)
                    except BaseException as error:
                        steps.throw(error)
                        raise
                step = steps.send(outcome)
        except StopIteration as done:
            result: T = done.value
            return result, body
