"""The thread that does due work by itself while the clock is real."""

import logging
import os
import threading
import weakref
from typing import TYPE_CHECKING

from settlekit_mock.kernel.database import UNAVAILABLE

if TYPE_CHECKING:
    from settlekit_mock.kernel.world import World

LONGEST_SLEEP_SECONDS = 1.0
"""The queue is looked at this often even when nobody says that there is more."""
SHORTEST_SLEEP_SECONDS = 0.01
"""What is due and still there is under way elsewhere: waiting for it must not keep a core busy."""

_LOG = logging.getLogger("settlekit_mock")


class Worker:
    """Waits for what is due next, and does it."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="settlekit-mock-due", daemon=True)
        self._forget = world.on_woken(self._nudge)

    def _nudge(self, ahead_ms: int) -> None:
        if ahead_ms <= LONGEST_SLEEP_SECONDS * 1000:  # what is further off is found in time
            self._wake.set()

    def start(self) -> None:
        """Start working."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._forget()
        self._stopped = True
        self._wake.set()
        self._thread.join()

    def _work(self) -> None:
        # A frozen world's calls do what they leave due, unless their process was killed first.
        left_behind, answers = True, True
        while not self._stopped:
            self._wake.clear()
            try:
                if left_behind or not self._world.state().frozen:
                    self._world.due.settle()
                else:
                    self._world.settle()  # what a call couldn't do when the database failed
                left_behind = self._world.due.left_behind()
                pause, answers = self._pause(), True
            except UNAVAILABLE as error:
                if answers:  # said once, however long it lasts
                    why = str(error).partition("\n")[0]
                    _LOG.error("the database doesn't answer, and due work waits: %s", why)
                pause, answers = LONGEST_SLEEP_SECONDS, False
            except Exception:  # noqa: BLE001 - the thread must outlive a defect
                _LOG.exception("due work failed; it is tried again in a second")
                pause = LONGEST_SLEEP_SECONDS
            self._wake.wait(pause)

    def _pause(self) -> float:
        read = self._world.due.read()
        if read.next_due_at is None or read.frozen:
            return LONGEST_SLEEP_SECONDS
        ahead = (read.next_due_at - read.now) / 1000
        return min(max(ahead, SHORTEST_SLEEP_SECONDS), LONGEST_SLEEP_SECONDS)


def work_by_itself(world: "World") -> None:
    """Start a worker for as long as the world is open, in this process and in its forks.

    A server may fork its processes before or after it makes its application.
    """
    _start(world)
    known = weakref.ref(world)

    def in_child() -> None:
        found = known()
        if found is not None:
            found.forked()
            _start(found)

    os.register_at_fork(after_in_child=in_child)


def _start(world: "World") -> None:
    worker = Worker(world)
    world.on_closed(worker.stop)
    worker.start()
