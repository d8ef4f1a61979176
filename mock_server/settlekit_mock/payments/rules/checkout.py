"""The life of a checkout session, and where it sends the buyer.

Source: docs/platform.md, "Merchants and checkout".
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_plus

from settlekit.money import Band, band_of
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import MINUTE
from settlekit_mock.settlement.rules.amounts import LARGEST_AMOUNT_MINOR

LIFETIME: Final = 30 * MINUTE
"""How long a session waits for its buyer."""


class SessionStatus(StrEnum):
    """What became of a session."""

    OPEN = "open"
    AUTHENTICATED = "authenticated"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


_WAITING: Final = frozenset({SessionStatus.OPEN, SessionStatus.AUTHENTICATED})

MOVES: Final[Mapping[SessionStatus, frozenset[SessionStatus]]] = MappingProxyType(
    {
        SessionStatus.AUTHENTICATED: _WAITING,
        SessionStatus.PAID: _WAITING,
        SessionStatus.EXPIRED: _WAITING,
        SessionStatus.CANCELLED: _WAITING,
        SessionStatus.FAILED: _WAITING,
    }
)
"""Each status, and those from which it is reached; what isn't here is refused."""


def status_at(status: SessionStatus, expires_at: int, now: int) -> SessionStatus:
    """Return the status at an instant: a waiting session is over at its expiry."""
    return SessionStatus.EXPIRED if status in _WAITING and now >= expires_at else status


def may_become(current: SessionStatus, wanted: SessionStatus) -> bool:
    """Say whether a session may take a status now."""
    return current in MOVES.get(wanted, frozenset())


def payable_band(amount_minor: int, currency: str) -> Band:
    """Return the band of an amount; raise ``Invalid`` for more than the mock takes."""
    largest = LARGEST_AMOUNT_MINOR[currency]
    if not 1 <= amount_minor <= largest:
        raise Invalid(f"amount_minor: must be from 1 to {largest} in {currency}")
    return band_of(amount_minor, currency)


def with_session(url: str, session_id: str) -> str:
    """Return an address with ``session_id`` added to its query, replacing one that is there."""
    address, hash_, fragment = url.partition("#")
    path, _, query = address.partition("?")
    # The rest stays as it is to the byte: reading and writing it again would change some.
    kept = [
        field
        for field in query.split("&")
        if field and unquote_plus(field.partition("=")[0]) != "session_id"
    ]
    return f"{path}?{'&'.join([*kept, f'session_id={session_id}'])}{hash_}{fragment}"
