"""CSV files as streams of typed rows, one connection each and no memory of the past."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from settlekit._async.core import AsyncCore
from settlekit._async.transport import AsyncBody
from settlekit._calls.call import Answer
from settlekit._calls.download import Download
from settlekit._csv import RowReader
from settlekit._saving import PartialFile, length_of
from settlekit.errors import DecodeError, InvalidArgument
from settlekit.models import Response, UsageRow

T = TypeVar("T")

#: Told how many bytes have come, and how many there are in all where that is known.
Progress = Callable[[int, int | None], object]


class AsyncRows(Generic[T]):
    """The rows of a CSV file, read as they come; use it in a ``with`` block, or save it.

    Rows are given once. A body that was cut raises TransportError or DecodeError, at the
    latest after the last row. Where the connection can't show a cut, and with ``verify``
    always, the rows' digest must be the batch's.
    """

    def __init__(self, core: AsyncCore, download: Download[T], *, verify: bool = False) -> None:
        if verify and download.batch is None:
            raise InvalidArgument("verify", "needs all rows of a batch: a part has no digest")
        self._verify = verify
        self._core = core
        self._download = download
        self._reader = RowReader(download.rows)
        self._answer: Answer | None = None
        self._body: AsyncBody | None = None
        self._rows: Iterator[T] = iter(())
        self._finished = False

    def __repr__(self) -> str:
        path = self._download.call.path
        return f"<{type(self).__name__} of {path}: {self.row_count} read, {self._state}>"

    @property
    def _state(self) -> str:
        if self._finished:
            return "finished"
        return "not open" if self._body is None else "open"

    async def __aenter__(self) -> Self:
        self._answer, self._body = await self._core.open(self._download.call)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._body is not None:
            await self._body.release()
            self._body = None

    @property
    def response(self) -> Response | None:
        """The metadata of the answer, once it is open."""
        return None if self._answer is None else self._answer.metadata()

    @property
    def row_count(self) -> int:
        """How many rows were read so far."""
        return self._reader.row_count

    async def __aiter__(self) -> AsyncIterator[T]:
        # What is left of a piece after a break is where the next loop goes on.
        for row in self._rows:
            yield row
        async for piece in self._pieces():
            self._rows = iter(self._reader.rows(piece))
            for row in self._rows:
                yield row
        await self._finish()

    async def save(self, path: str | os.PathLike[str], *, progress: Progress | None = None) -> None:
        """Write the file to a path, whole or not at all.

        ``progress`` is told after each piece; what it raises ends the download.
        """
        if self._reader.row_count or self._finished:
            raise RuntimeError("rows were read already: save() needs the file from its start")
        file = PartialFile(path)
        try:
            if self._body is None:
                async with self:
                    await self._fill(file, progress)
            else:
                await self._fill(file, progress)
            file.commit()
        finally:
            file.discard()

    async def _fill(self, file: PartialFile, progress: Progress | None) -> None:
        received = 0
        async for piece in self._pieces():
            self._reader.records(piece)
            file.write(piece)
            received += len(piece)
            if progress is not None and self._answer is not None:
                progress(received, length_of(self._answer))
        await self._finish()

    async def _pieces(self) -> AsyncIterator[bytes]:
        if self._finished:
            return
        if self._body is None:
            raise RuntimeError("open the rows first: use them in a with block")
        async for piece in self._body:
            yield piece

    async def _finish(self) -> None:
        """Make sure that this was all."""
        if self._finished:
            return
        self._reader.finish()
        assert self._answer is not None
        if self._verify or not self._answer.framed:
            await self._compare()
        self._finished = True

    async def _compare(self) -> None:
        """Raise DecodeError unless the batch says that these are its rows, all of them."""
        if self._download.batch is None:
            problem = "the connection doesn't show where the file ends, and no digest does @ $"
            raise DecodeError((problem,), self.response)
        batch = await self._core.run(self._download.batch)
        if batch.usage_event_digest is None:
            raise DecodeError(("the batch has no digest to compare with @ $",), self.response)
        if batch.usage_event_digest != self._reader.digest:
            problem = "the rows' digest isn't the batch's: some are missing or changed @ $"
            raise DecodeError((problem,), self.response)


class AsyncUsageRows(AsyncRows[UsageRow]):
    """The rows of a batch, whose hash chain is the batch's ``usage_event_digest``."""

    async def digest(self) -> str:
        """Return the digest of all rows, reading to the end what wasn't read yet."""
        if self._body is None and not self._finished:
            async with self:
                return await self._digest()
        return await self._digest()

    async def _digest(self) -> str:
        async for piece in self._pieces():
            self._reader.records(piece)
        await self._finish()
        return self._reader.digest
