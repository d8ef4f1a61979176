"""The journal, live, as server-sent events.

The journal is looked at a few times a second: that costs little, sees what other processes
write, and needs no word from whoever writes.
"""

import re
import time
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from settlekit_mock.control.journal import Seq, shaped
from settlekit_mock.http.routes import Request, Stream
from settlekit_mock.http.wire import StrictBody
from settlekit_mock.kernel import journal
from settlekit_mock.kernel.clock import load_state
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.world import World

LOOK_SECONDS: Final = 0.1
HEARTBEAT_SECONDS: Final = 5.0
"""After so long without an entry comes a comment: who is gone is noticed, who is there waits on."""
GROUP: Final = 500
MEDIA_TYPE: Final = "text/event-stream"
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class StreamQuery(StrictBody, frozen=True, kw_only=True):
    """Where to begin, what to leave out, and after how many entries to end."""

    after: Seq | None = None
    kind: Annotated[str, Meta(max_length=100)] | None = None
    subject: Annotated[str, Meta(max_length=255)] | None = None
    limit: Annotated[int, Meta(ge=1, le=2**31)] | None = None


def stream_events(request: Request) -> Stream:
    """Answer the journal as it is written: from now on, or from behind an entry."""
    query: StreamQuery = request.query
    return Stream(_Events(request.world, query, *_beginning(request)), MEDIA_TYPE)


def _beginning(request: Request) -> tuple[int, int]:
    """Return where to begin, and in which world: a browser that lost the stream says where."""
    last = request.headers.get("Last-Event-ID") or None
    if last is not None and _NUMBER.fullmatch(last) is None:
        raise Invalid("Last-Event-ID: must be the number of a journal entry")
    after = request.query.after if last is None else int(last)
    with request.world.snapshot() as connection:
        end, resets = journal.last_seq(connection), load_state(connection).resets
    # A number beyond the end is of a world that was reset or went back since.
    return (end if after is None else min(after, end)), resets


class _Events:
    """The chunks of one stream; it keeps its place until it is closed."""

    def __init__(self, world: World, query: StreamQuery, after: int, resets: int) -> None:
        self._world = world
        self._query = query
        self._after = after
        self._resets = resets
        self._left = query.limit
        self._place = world.streams.enter()

    def __iter__(self) -> Iterator[bytes]:
        yield b": the journal\n\n"
        spoke_at = time.monotonic()
        while self._left != 0 and not self._place.over.is_set():
            chunk = self._next()
            if chunk:
                yield chunk
            elif time.monotonic() - spoke_at >= HEARTBEAT_SECONDS:
                yield b": heartbeat\n\n"
            else:
                self._place.over.wait(LOOK_SECONDS)
                continue
            spoke_at = time.monotonic()

    def _next(self) -> bytes:
        """Return what was written since, as events; empty when nothing was."""
        most = GROUP if self._left is None else min(GROUP, self._left)
        with self._world.snapshot() as connection:
            if load_state(connection).resets != self._resets:
                self._place.over.set()  # by another process, which couldn't tell this one
                return b""
            end = journal.last_seq(connection)
            if end <= self._after:
                return b""
            found = journal.entries(
                connection,
                after=self._after,
                kind=self._query.kind,
                subject=self._query.subject,
                limit=most,
            )
        self._after = found[-1].seq if len(found) == most else end
        if self._left is not None:
            self._left -= len(found)
        return b"".join(_event(entry) for entry in found)

    def close(self) -> None:
        """Give the place back."""
        self._place.leave()


def _event(entry: journal.Entry) -> bytes:
    return b"id: %d\ndata: %s\n\n" % (entry.seq, msgspec.json.encode(shaped(entry)))
