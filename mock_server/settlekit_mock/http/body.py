"""A request's body as it comes over a connection, read strictly: of a length, or in chunks."""

import io
import re
from typing import Final, Protocol

_CHUNK: Final = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(;[^\r\n]*)?\r\n")
_LONGEST_LINE: Final = 256
_MOST_TRAILERS: Final = 16
_PIECE: Final = 64 * 1024
_WORTH_READING: Final = 64 * 1024
"""Bytes of a body that nobody asked for, read all the same to keep the connection."""


class Lines(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes:
        """Read so many bytes, fewer at the end alone."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Read to the end of a line, or so many bytes."""
        ...


class Body(io.RawIOBase):
    """A body that knows its end; ``length`` is absent where it comes in chunks.

    Reading raises ``ValueError`` for chunks that aren't well-formed, and ``ConnectionError``
    where the caller hangs up before the end.
    """

    def __init__(self, source: Lines, length: int | None) -> None:
        self._source = source
        self._chunked = length is None
        self._left = length or 0
        self.ended = length == 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, into: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Read some bytes into a buffer; 0 at the end."""
        if self._left == 0 and not self.ended:
            self._begin_chunk()
        if self.ended:
            return 0
        data = self._source.read(min(len(into), self._left))
        if not data:
            raise ConnectionError("the body ended early")
        into[: len(data)] = data
        self._left -= len(data)
        if self._left == 0:
            self._end_piece()
        return len(data)

    def _end_piece(self) -> None:
        if not self._chunked:
            self.ended = True
        elif self._source.read(2) != b"\r\n":
            raise ValueError("a chunk is longer than its size")

    def _begin_chunk(self) -> None:
        found = _CHUNK.fullmatch(self._source.readline(_LONGEST_LINE))
        if found is None:
            raise ValueError("a chunk begins with its size in hexadecimal digits")
        self._left = int(found[1], 16)
        if self._left == 0:
            self._pass_trailers()
            self.ended = True

    def _pass_trailers(self) -> None:
        for _ in range(_MOST_TRAILERS):
            line = self._source.readline(_LONGEST_LINE)
            if line == b"\r\n":
                return
            if not line.endswith(b"\r\n"):
                break
        raise ValueError("the trailers don't end")

    def read_rest(self) -> bool:
        """Read what nobody asked for, within bounds; return whether the end was reached."""
        room = _WORTH_READING
        try:
            while not self.ended and room > 0:
                room -= len(self.read(_PIECE) or b"")
        except (OSError, ValueError):
            return False
        return self.ended
