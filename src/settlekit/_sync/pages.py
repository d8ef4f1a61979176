# Made from settlekit/_async by scripts/unasync.py: edit that, then run it again.
"""Pages: one of many, and all that follow it."""

from collections.abc import Iterator
from typing import Generic, TypeVar

import attrs

from settlekit._calls.call import Call
from settlekit._codec import Listing
from settlekit._sync.core import Core
from settlekit.errors import DecodeError
from settlekit.models import Response

T = TypeVar("T")


class Page(Generic[T]):
    """One page of a list; iterating gives its items and those of all pages after it."""

    def __init__(self, core: Core, call: Call[Listing[T]], listing: Listing[T]) -> None:
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

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> "Iterator[Page[T]]":
        """Give this page and all after it, each asked for when it is needed."""
        page: Page[T] | None = self
        seen: set[str] = set()
        while page is not None:
            yield page
            if page.next_cursor in seen:
                raise DecodeError(("the cursors go in a circle @ $.next_cursor",), page.response)
            seen.add(page.next_cursor or "")
            page = page.next_page()

    def all(self) -> list[T]:
        """Return the items of this page and all after it."""
        return list(self)

    def next_page(self) -> "Page[T] | None":
        """Ask for the next page; None on the last one."""
        if self.next_cursor is None:
            return None
        query = {**self._call.query, "cursor": self.next_cursor}
        return load_page(self._core, attrs.evolve(self._call, query=query))


def load_page(core: Core, call: Call[Listing[T]]) -> Page[T]:
    """Ask for a page."""
    return Page(core, call, core.run(call))


def page_of(core: Core, call: Call[Listing[T]]) -> "Page[T]":
    """Ask for a list's first page."""
    return load_page(core, call)
