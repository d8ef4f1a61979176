"""Drive a mock from Python: every control route as a named method.

The same driver serves a mock in this process and one on a socket; what differs is the
``Send`` it is given. Answers are the control routes' own classes.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from settlekit_mock.control.buyers import BuyerAnswer, Buyers
from settlekit_mock.control.clock import Advanced, Clock
from settlekit_mock.control.journal import Journal, JournalEntry
from settlekit_mock.control.tokens import TokenAnswer
from settlekit_mock.control.usage import UsageAnswer
from settlekit_mock.kernel.times import from_text, to_instant, to_moment, to_text

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


class _Calls:
    """Calls control routes and reads their answers."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def call(
        self, answers: type[T], method: str, path: str, body: dict[str, Any] | None = None
    ) -> T:
        raw = None if body is None else msgspec.json.encode(_given(body))
        status, answer = self._send(method, f"/_mock/{path}", raw)
        read = msgspec.json.decode(answer)
        if status >= 400:
            _refuse(status, read)
        return msgspec.convert(read["data"], answers)


def _given(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _refuse(status: int, read: Any) -> NoReturn:
    error = read.get("error", {})
    raise ControlError(status, error.get("code", ""), error.get("message", ""))


class ClockDriver:
    """The mock's clock."""

    def __init__(self, calls: _Calls) -> None:
        self._calls = calls

    @property
    def now(self) -> datetime:
        """The time it shows, in UTC."""
        return to_moment(from_text(self.read().now))

    def read(self) -> Clock:
        """Read the clock: its time, its mode, and when something is due next."""
        return self._calls.call(Clock, "GET", "clock")

    def advance(
        self,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        by: timedelta | str | float | None = None,
        to: datetime | str | None = None,
        until: str | None = None,
        limit: timedelta | str | float | None = None,
    ) -> Advanced:
        """Advance the clock: by weeks … seconds, by a duration, to a time, or until a kind.

        Everything that falls due on the way happens, each at its own time, webhooks
        included. ``until`` is a journal kind such as ``batch.settled``, or ``next``.
        """
        parts = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        if by is None and to is None and until is None:
            by = parts
        elif parts:
            raise ValueError("give weeks … seconds, or one of by, to and until")
        body = {"by": _duration(by), "to": _time(to), "until": until, "limit": _duration(limit)}
        return self._calls.call(Advanced, "POST", "clock/advance", body)

    def freeze(
        self, *, at: datetime | str | None = None, sign_with_clock: bool | None = None
    ) -> Clock:
        """Stop the clock, now or at a later time."""
        body = {"at": _time(at), "sign_with_clock": sign_with_clock}
        return self._calls.call(Clock, "POST", "clock/freeze", body)

    def resume(self) -> Clock:
        """Let the clock run on from the time it shows."""
        return self._calls.call(Clock, "POST", "clock/resume", {})


def _duration(given: timedelta | str | float | None) -> str | float | None:
    return given.total_seconds() if isinstance(given, timedelta) else given


def _time(given: datetime | str | None) -> str | None:
    return to_text(to_instant(given)) if isinstance(given, datetime) else given


class BuyersDriver:
    """The mock's buyers."""

    def __init__(self, calls: _Calls) -> None:
        self._calls = calls

    def create(
        self,
        *,
        buyer_id: str | None = None,
        token: str | None = None,
        timezone: str | None = None,
        balances: dict[str, str] | None = None,
        allowances: dict[str, str] | None = None,
        vault_active: bool | None = None,
        caps: dict[str, int] | None = None,
        weekly_slot: dict[str, int] | None = None,
        monthly_slot: dict[str, int] | None = None,
    ) -> BuyerAnswer:
        """Make a buyer; balances and allowances are minor units by token."""
        body = {name: value for name, value in locals().items() if name != "self"}
        return self._calls.call(BuyerAnswer, "POST", "buyers", body)

    def get(self, buyer_id: str) -> BuyerAnswer:
        """Read a buyer."""
        return self._calls.call(BuyerAnswer, "GET", f"buyers/{quote(buyer_id, safe='')}")

    def update(self, buyer_id: str, **changes: Any) -> BuyerAnswer:
        """Change a buyer; takes what ``create`` takes, but for id and token."""
        return self._calls.call(BuyerAnswer, "PATCH", f"buyers/{quote(buyer_id, safe='')}", changes)

    def all(self) -> list[BuyerAnswer]:
        """Read every buyer, oldest first."""
        return self._calls.call(Buyers, "GET", "buyers").items


class TokensDriver:
    """The mock's bearer tokens."""

    def __init__(self, calls: _Calls) -> None:
        self._calls = calls

    def create(self, *, role: str, subject: str, expires_at: datetime | str | None = None) -> str:
        """Make a token and return it."""
        body = {"role": role, "subject": subject, "expires_at": _time(expires_at)}
        return self._calls.call(TokenAnswer, "POST", "tokens", body).token


class Driver:
    """Drives one mock server."""

    def __init__(self, send: Send) -> None:
        self._calls = _Calls(send)
        self.clock = ClockDriver(self._calls)
        self.buyers = BuyersDriver(self._calls)
        self.tokens = TokensDriver(self._calls)

    def usage(
        self,
        buyer: BuyerAnswer | str,
        *,
        merchant: str,
        amount_minor: int,
        currency: str,
        count: int = 1,
        over: timedelta | str | float | None = None,
        listing_id: str | None = None,
        capability_key: str | None = None,
        operation_key: str | None = None,
    ) -> UsageAnswer:
        """Have a buyer pay a metered amount ``count`` times, at once or spread over a time."""
        body = {
            "buyer": buyer if isinstance(buyer, str) else buyer.buyer_id,
            "merchant": merchant,
            "amount_minor": amount_minor,
            "currency": currency,
            "count": count,
            "over": _duration(over),
            "listing_id": listing_id,
            "capability_key": capability_key,
            "operation_key": operation_key,
        }
        return self._calls.call(UsageAnswer, "POST", "usage", body)

    def events(
        self, *, kind: str | None = None, subject: str | None = None, after: int = 0
    ) -> Iterator[JournalEntry]:
        """Iterate over the journal, oldest first."""
        while True:
            query = _given({"limit": 1000, "after": after, "kind": kind, "subject": subject})
            page = self._calls.call(Journal, "GET", f"events?{urlencode(query)}")
            yield from page.items
            if not page.items:
                return
            after = page.next_after

    def reset(self) -> Clock:
        """Drop everything and begin with a fresh world."""
        return self._calls.call(Clock, "POST", "reset", {})
