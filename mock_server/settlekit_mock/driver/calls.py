"""Call control routes and read their answers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar

import msgspec

from settlekit_mock.kernel.times import to_instant, to_text

Send = Callable[[str, str, bytes | None], tuple[int, bytes]]
"""(method, path with query, JSON body) → (status, body)."""
T = TypeVar("T")


class ControlError(Exception):
    """A control call was refused: ``status``, ``code`` and ``message`` say why."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"


class Calls:
    """Calls control routes and reads their answers."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def call(
        self, answers: type[T], method: str, path: str, body: dict[str, Any] | None = None
    ) -> T:
        """Call a control route; raises ``ControlError`` when it refuses."""
        raw = None if body is None else msgspec.json.encode(given(body))
        status, answer = self._send(method, f"/_mock/{path}", raw)
        read = msgspec.json.decode(answer)
        if status >= 400:
            _refuse(status, read)
        return msgspec.convert(read["data"], answers)


def given(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what wasn't given."""
    return {name: value for name, value in body.items() if value is not None}


def _refuse(status: int, read: Any) -> NoReturn:
    error = read.get("error", {})
    raise ControlError(status, error.get("code", ""), error.get("message", ""))


def duration_text(duration: timedelta | str | float | None) -> str | float | None:
    """Write a duration as the control routes take it."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def time_text(time: datetime | str | None) -> str | None:
    """Write a time as the control routes take it."""
    return to_text(to_instant(time)) if isinstance(time, datetime) else time
