# Made from settlekit/_async by scripts/unasync.py: edit that, then run it again.
"""CSV files as streams of typed rows, one connection each and no memory of the past."""

import os
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from settlekit._calls.call import Answer
from settlekit._calls.download import Download, is_framed
from settlekit._csv import RowReader
from settlekit._saving import PartialFile
from settlekit._sync.core import Core
from settlekit._sync.transport import Body
from settlekit.errors import DecodeError
from settlekit.models import Response, UsageRow

T = TypeVar("T")


class Rows(Generic[T]):
    """The rows of a CSV file, read as they come; use it in a ``with`` block, or save it.

    Rows are given once. A body that was cut raises TransportError or DecodeError, at the
    latest after the last row.
    """

    def __init__(self, core: Core, download: Download[T]) -> None:
        self._core = core
        self._download = download
        self._reader = RowReader(download.rows)
        self._answer: Answer | None = None
        self._body: Body | None = None
        self._rows: Iterator[T] = iter(())
        self._finished = False

    def __enter__(self) -> Self:
        self._answer, self._body = self._core.open(self._download.call)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._body is not None:
            self._body.release()
            self._body = None

    @property
    def response(self) -> Response | None:
        """The metadata of the answer, once it is open."""
        return None if self._answer is None else self._answer.metadata()

    @property
    def row_count(self) -> int:
        """How many rows were read so far."""
        return self._reader.row_count

    def __iter__(self) -> Iterator[T]:
        # What is left of a piece after a break is where the next loop goes on.
        for row in self._rows:
            yield row
        for piece in self._pieces():
            self._rows = iter(self._reader.rows(piece))
            for row in self._rows:
                yield row
        self._finish()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file to a path, whole or not at all."""
        if self._reader.row_count or self._finished:
            raise RuntimeError("rows were read already: save() needs the file from its start")
        file = PartialFile(path)
        try:
            if self._body is None:
                with self:
                    self._fill(file)
            else:
                self._fill(file)
            file.commit()
        finally:
            file.discard()

    def _fill(self, file: PartialFile) -> None:
        for piece in self._pieces():
            self._reader.records(piece)
            file.write(piece)
        self._finish()

    def _pieces(self) -> Iterator[bytes]:
        if self._finished:
            return
        if self._body is None:
            raise RuntimeError("open the rows first: use them in a with block")
        yield from self._body

    def _finish(self) -> None:
        """Make sure that this was all."""
        if self._finished:
            return
        self._reader.finish()
        assert self._answer is not None
        if self._download.batch is not None and not is_framed(self._answer):
            batch = self._core.run(self._download.batch)
            if batch.usage_event_digest not in {None, self._reader.digest}:
                problem = "the rows' digest isn't the batch's: some are missing or changed @ $"
                raise DecodeError((problem,), self.response)
        self._finished = True


class UsageRows(Rows[UsageRow]):
    """The rows of a batch, whose hash chain is the batch's ``usage_event_digest``."""

    def digest(self) -> str:
        """Return the digest of all rows, reading to the end what wasn't read yet."""
        if self._body is None and not self._finished:
            with self:
                return self._digest()
        return self._digest()

    def _digest(self) -> str:
        for piece in self._pieces():
            self._reader.records(piece)
        self._finish()
        return self._reader.digest
