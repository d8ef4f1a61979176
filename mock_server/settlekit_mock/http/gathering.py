"""What has come of a request while no thread reads it, and whether it is worth one yet.

A thread is worth a request that is whole, or that will never be one. A body that is long, or of
unknown length, is read by a thread as it comes: an upload, of which few are let in at once.
"""

import re
import time
from collections.abc import Callable
from typing import Final

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request's first line and headers."""
SHORT_BODY: Final = 64 * 1024
"""Bytes of a body that is gathered whole."""

_HEAD_ENDS: Final = re.compile(rb"\r\n\r\n|(?<!\r)\n")
"""An empty line; or a line that ends as no line of a head may, and is refused at once."""
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n", re.IGNORECASE)
_COMES_LATER: Final = re.compile(rb"\r\n(?:transfer-encoding|expect):", re.IGNORECASE)


class Gathered:
    """The bytes of a request so far, and the next one's behind them."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._data = bytearray()
        self._searched = 0
        self._needed: int | None = None
        self.is_over = False
        """Whether the caller has hung up."""
        self.is_upload = False
        """Whether the head is whole, and a thread is to read the body as it comes."""
        self.began_at: float | None = None
        """When the first byte of it came."""

    def __len__(self) -> int:
        return len(self._data)

    def add(self, data: bytes) -> None:
        """Add what has come."""
        self._data += data
        self._look()

    def put_back(self, data: bytes) -> None:
        """Put in front what was read too far."""
        self._data[:0] = data
        self._forget()
        self._look()

    def take(self, room: int) -> bytes:
        """Take so many bytes at most."""
        taken = bytes(self._data[:room])
        del self._data[:room]
        self._forget()
        return taken

    @property
    def has_head(self) -> bool:
        """Whether all headers are there."""
        return self._needed is not None

    @property
    def is_ready(self) -> bool:
        """Whether a thread has something to do."""
        whole = self._needed is not None and len(self._data) >= self._needed
        return whole or self.is_over or len(self._data) > HEAD_LIMIT + SHORT_BODY

    def _forget(self) -> None:
        self._searched = 0
        self._needed = self.began_at = None
        self.is_upload = False

    def _look(self) -> None:
        if self._data and self.began_at is None:
            self.began_at = self._now()
        if self._needed is None:
            self._find_head()

    def _find_head(self) -> None:
        found = _HEAD_ENDS.search(self._data, self._searched)
        self._searched = max(0, len(self._data) - 3)
        if found is None:
            if len(self._data) > HEAD_LIMIT:
                self._needed = 0
            return
        end = found.end()
        length = _LENGTH.search(self._data, 0, end)
        body = 0 if length is None else int(length[1])
        self.is_upload = body > SHORT_BODY or _COMES_LATER.search(self._data, 0, end) is not None
        self._needed = end if self.is_upload else end + body
