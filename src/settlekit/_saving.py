"""A file that appears whole or not at all."""

import os
import uuid
from contextlib import suppress
from pathlib import Path

from settlekit._calls.call import Answer


class PartialFile:
    """A file under a passing name beside its place; ``commit`` moves it there."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._passing = self._path.with_name(f".{uuid.uuid4().hex}.part")
        self._file = self._passing.open("xb")

    def write(self, piece: bytes) -> None:
        """Write some bytes."""
        self._file.write(piece)

    def commit(self) -> None:
        """Put the file in its place, on the disk before the name says so."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._passing.replace(self._path)
        _sync_folder(self._path.parent)

    def discard(self) -> None:
        """Leave nothing behind; after ``commit`` there is nothing to leave."""
        try:
            self._file.close()
        finally:  # a full disk fails to close, too
            self._passing.unlink(missing_ok=True)


def length_of(answer: Answer) -> int | None:
    """Return how many bytes a file will have, where its answer says so."""
    length = answer.headers.get("content-length", "")
    encoded = answer.headers.get("content-encoding", "identity").lower() != "identity"
    return int(length) if length.isascii() and length.isdecimal() and not encoded else None


def _sync_folder(folder: Path) -> None:
    """Have the name itself on the disk, where the system can do that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with suppress(OSError):  # some file systems refuse
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
