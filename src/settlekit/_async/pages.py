"""Pages: one of many, and all that follow it."""

from collections.abc import AsyncIterator, Generator
from typing import Any, Generic, TypeVar

import attrs

from settlekit._async.core import AsyncCore
from settlekit._calls.call import Call
from settlekit._codec import Listing
from settlekit.errors import DecodeError
from settlekit.models import Response

T = TypeVar("T")


class AsyncPage(Generic[T]):
    """One page of a list; iterating gives its items and those of all pages after it."""

    def __init__(self, core: AsyncCore, call: Call[Listing[T]], listing: Listing[T]) -> None:
        self._core = core
        self._call = call
        self._listing = listing

    def __repr__(self) -> str:
        count = len(self.items)
        further = "the last page" if self.next_cursor is None else "more follow"
        return f"<{type(self).__name__}: {count} item{'' if count == 1 else 's'}, {further}>"

    @property
    def items(self) -> tuple[T, ...]:
        """The items of this page alone."""
        return self._listing.items

    @property
    def next_cursor(self) -> str | None:
        """Where the next page starts, or None on the last one."""
        return self._listing.next_cursor

    @property
    def response(self) -> Response:
        """The metadata of the answer that held this page."""
        return self._listing.response

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self) -> "AsyncIterator[AsyncPage[T]]":
        """Give this page and all after it, each asked for when it is needed."""
        page: AsyncPage[T] | None = self
        seen: set[str] = set()
        while page is not None:
            yield page
            if page.next_cursor in seen:
                raise DecodeError(("the cursors go in a circle @ $.next_cursor",), page.response)
            seen.add(page.next_cursor or "")
            page = await page.next_page()

    async def all(self) -> list[T]:
        """Return the items of this page and all after it."""
        return [item async for item in self]

    async def next_page(self) -> "AsyncPage[T] | None":
        """Ask for the next page; None on the last one."""
        if self.next_cursor is None:
            return None
        query = {**self._call.query, "cursor": self.next_cursor}
        return await load_page(self._core, attrs.evolve(self._call, query=query))


async def load_page(core: AsyncCore, call: Call[Listing[T]]) -> AsyncPage[T]:
    """Ask for a page."""
    return AsyncPage(core, call, await core.run(call))


# async only: begin
class AsyncPageCall(Generic[T]):
    """A list that is yet to be asked for: await it for a page, or iterate over all items."""

    def __init__(self, core: AsyncCore, call: Call[Listing[T]]) -> None:
        self._core = core
        self._call = call

    def __await__(self) -> Generator[Any, Any, AsyncPage[T]]:
        return load_page(self._core, self._call).__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for item in await self:
            yield item

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Give all pages, each asked for when it is needed."""
        async for page in (await self).pages():
            yield page

    async def all(self) -> list[T]:
        """Return the items of all pages."""
        return await (await self).all()


# async only: end
def page_of(core: AsyncCore, call: Call[Listing[T]]) -> "AsyncPageCall[T]":
    """Ask for a list's first page."""
    # async only: begin
    return AsyncPageCall(core, call)
    # async only: end
    # sync only: return load_page(core, call)
