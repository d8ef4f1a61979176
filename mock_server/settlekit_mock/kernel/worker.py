"""The thread that does due work by itself while the clock is real."""

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settlekit_mock.kernel.world import World

LONGEST_SLEEP_SECONDS = 1.0
"""The queue is looked at this often even when nobody says that there is more."""

_LOG = logging.getLogger("settlekit_mock")


class Worker:
    """Waits for what is due next, and does it."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="settlekit-mock-due", daemon=True)
        world.on_woken(self._wake.set)

    def start(self) -> None:
        """Start working."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._stopped = True
        self._wake.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopped:
            self._wake.clear()
            try:
                if not self._world.state().frozen:
                    self._world.due.settle()
                pause = self._pause()
            except Exception:  # noqa: BLE001 - the thread must outlive a defect
                _LOG.exception("due work failed; it is tried again in a second")
                pause = LONGEST_SLEEP_SECONDS
            self._wake.wait(pause)

    def _pause(self) -> float:
        at = self._world.due.next_due_at()
        if at is None or self._world.state().frozen:
            return LONGEST_SLEEP_SECONDS
        return min(max((at - self._world.now()) / 1000, 0.0), LONGEST_SLEEP_SECONDS)
