"""Reading from a socket until a deadline: bytes that trickle in don't put it off."""

import socket
import time
from typing import Any


class Incoming(socket.SocketIO):
    """What comes over a socket, until a deadline."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, "rb")
        self._patience = sock.gettimeout()
        self._taken = sock
        self.deadline: float | None = None

    def readinto(self, b: Any) -> int | None:
        """Read some bytes; ``None`` with no deadline set, for then nobody may wait."""
        if self.deadline is None:
            return None
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
