"""Call control routes and read their answers."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, Protocol, TypeVar
from urllib.parse import urlencode

import msgspec

from settlekit_mock.kernel.times import to_instant, to_text

Send = Callable[[str, str, bytes | None], tuple[int, bytes]]
"""(method, path with query, JSON body) → (status, body)."""
Listen = Callable[[str], AbstractContextManager[tuple[int, Iterable[bytes]]]]
"""path with query → (status, the body's pieces as they come)."""
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
DATA: Final = b"data: "
LONGEST_LINE: Final = 1 << 20
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_SHORT = re.compile(
    r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,8})h)?(?:(\d{1,9})m)?(?:(\d{1,10})s)?", re.ASCII
)


class ControlError(Exception):
    """A control call was refused: ``status``, ``code`` and ``message`` say why."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"


class UnreadableAnswer(Exception):
    """What answered isn't a mock server, or one of another release."""


class Page(Protocol[T_co]):
    """A page of a list: the items, and where the next page begins."""

    @property
    def items(self) -> Sequence[T_co]:
        """What the page holds."""
        ...

    @property
    def next_cursor(self) -> str | None:
        """Where the next page begins; ``None`` on the last one."""
        ...


class Calls:
    """Calls control routes and reads their answers."""

    def __init__(self, send: Send, listen: Listen | None = None) -> None:
        self._send = send
        self._listen = listen

    def call(
        self, answers: type[T], method: str, path: str, body: dict[str, Any] | None = None
    ) -> T:
        """Call a control route.

        Raises ``ControlError`` when it refuses, ``UnreadableAnswer`` where no mock answers.
        """
        raw = None if body is None else msgspec.json.encode(given(body))
        status, answer = self._send(method, f"/_mock/{path}", raw)
        if status >= 400:
            _refuse(status, answer)
        try:
            envelope = msgspec.json.decode(answer, type=_Envelope)
            return msgspec.convert(envelope.data, answers)
        except _UNREADABLE as error:
            raise UnreadableAnswer(f"an answer {status} that no mock gives: {error}") from error

    def pages(
        self,
        answers: type[Page[T]],
        path: str,
        asked: Mapping[str, Any],
        *,
        size: int,
        limit: int | None = None,
    ) -> list[T]:
        """Read a list by pages of a size: all of it, or at most ``limit`` items."""
        found: list[T] = []
        cursor: str | None = None
        while True:
            wanted = size if limit is None else min(size, limit - len(found))
            query = urlencode(given({**asked, "limit": wanted, "cursor": cursor}))
            page = self.call(answers, "GET", f"{path}?{query}")
            found += page.items
            if page.next_cursor is None or len(found) == limit:
                return found
            if not page.items or page.next_cursor == cursor:
                raise UnreadableAnswer("pages without an end, which no mock gives")
            cursor = page.next_cursor

    def lines(self, path: str) -> Iterator[bytes]:
        """Yield the lines of an answer that goes on, as they come."""
        if self._listen is None:
            raise TypeError("this driver was given no way to listen")
        with self._listen(f"/_mock/{path}") as (status, pieces):
            if status >= 400:
                _refuse(status, b"".join(pieces))
            yield from _lines(pieces)

    def told(self, answers: type[T], path: str) -> Iterator[T]:
        """Yield the events of a server-sent stream; what isn't one raises UnreadableAnswer."""
        for line in self.lines(path):
            if not line.startswith(DATA):
                continue
            try:
                yield msgspec.json.decode(line[len(DATA) :], type=answers)
            except _UNREADABLE as error:
                raise UnreadableAnswer(f"an event that no mock tells: {error}") from error


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield whole lines; what comes behind the last line feed was cut, and is no line."""
    kept: list[bytes] = []
    kept_bytes = 0
    for piece in pieces:
        first, *others = piece.split(b"\n")
        for part in (first, *others[:-1]) if others else ():
            yield b"".join((*kept, part))
            kept, kept_bytes = [], 0
        kept.append(others[-1] if others else first)
        kept_bytes += len(kept[-1])
        if kept_bytes > LONGEST_LINE:
            raise UnreadableAnswer("a line without an end, which no mock tells")


class _Envelope(msgspec.Struct):
    data: Any


class _Error(msgspec.Struct):
    code: str
    message: str


class _Refusal(msgspec.Struct):
    error: _Error


def given(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what wasn't given."""
    return {name: value for name, value in body.items() if value is not None}


def _refuse(status: int, answer: bytes) -> NoReturn:
    try:
        error = msgspec.json.decode(answer, type=_Refusal).error
    except _UNREADABLE as unreadable:
        raise UnreadableAnswer(f"an answer {status} that no mock gives") from unreadable
    raise ControlError(status, error.code, error.message)


def duration_text(duration: timedelta | str | float | None) -> str | float | None:
    """Write a duration as the control routes take it; a short one such as 7d or 1h30m as P7D."""
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    return as_iso_8601(duration) if isinstance(duration, str) else duration


def as_iso_8601(text: str) -> str:
    """Write a short duration such as 7d or 1h30m as P7D or PT1H30M; leave any other text."""
    found = _SHORT.fullmatch(text)
    if not text or found is None:
        return text
    parts = [f"{part}{unit}" for part, unit in zip(found.groups(), "WDHMS", strict=True) if part]
    days = "".join(part for part in parts if part[-1] in "WD")
    hours = "".join(part for part in parts if part[-1] in "HMS")
    return f"P{days}T{hours}" if hours else f"P{days}"


def time_text(time: datetime | str | None) -> str | None:
    """Write a time as the control routes take it."""
    return to_text(to_instant(time)) if isinstance(time, datetime) else time
