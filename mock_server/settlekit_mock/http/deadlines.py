"""Reading from a socket until a deadline: bytes that trickle in don't put it off."""

import socket
import time
from contextlib import suppress
from typing import Any, Final

from settlekit_mock.http.gathering import Gathered

_PIECE: Final = 64 * 1024


class Incoming(socket.SocketIO):
    """What comes over a socket, until a deadline, behind what was gathered before."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, "rb")
        self._patience = sock.gettimeout()
        self._taken = sock
        self.gathered = Gathered()
        self.deadline: float | None = None

    def gather(self) -> None:
        """Take what has come, without waiting for more."""
        self._taken.settimeout(0)
        try:
            with suppress(BlockingIOError):
                data = self._taken.recv(_PIECE)
                self.gathered.is_over = not data
                self.gathered.add(data)
        except OSError:
            self.gathered.is_over = True
        finally:
            self._taken.settimeout(self._patience)

    def readinto(self, b: Any) -> int | None:
        """Read some bytes; ``None`` with no deadline set, for then nobody may wait."""
        if self.deadline is None:
            return None
        if self.gathered:
            data = self.gathered.take(len(b))
            b[: len(data)] = data
            return len(data)
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if self._patience is None or left >= self._patience:
            return super().readinto(b)
        self._taken.settimeout(left)
        try:
            return super().readinto(b)
        finally:
            self._taken.settimeout(self._patience)
