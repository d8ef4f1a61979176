"""A file that appears whole or not at all."""

import os
import uuid
from pathlib import Path


class PartialFile:
    """A file under a passing name beside its place; ``commit`` moves it there."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._passing = self._path.with_name(f".{self._path.name}.{uuid.uuid4().hex}.part")
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

    def discard(self) -> None:
        """Leave nothing behind; after ``commit`` there is nothing to leave."""
        self._file.close()
        self._passing.unlink(missing_ok=True)
