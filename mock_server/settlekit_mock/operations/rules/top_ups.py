"""What an event of the card processor means for a top-up.

Source: docs/operators-guide.md, "Top-ups".
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from settlekit_mock.kernel.money import LIMIT, MAJOR
from settlekit_mock.kernel.problems import Invalid

COMPLETED: Final = "checkout.session.completed"
CENT: Final = MAJOR // 100
"""Units in one US cent."""
MOST_CENTS: Final = LIMIT // CENT
LONGEST_ID: Final = 255


class Completed(NamedTuple):
    """A checkout session that was paid, in US cents."""

    event_id: str
    session_id: str
    amount_cents: int


def completed(event: Mapping[str, Any]) -> Completed | None:
    """Return what an event says was paid, ``None`` for one that credits nothing.

    Raises ``Invalid`` for a completed payment that isn't a positive amount of US cents.
    """
    if event.get("type") != COMPLETED:
        _text(event, "type")
        return None
    session = _object(_object(event, "data"), "object")
    if session.get("payment_status", "paid") != "paid":
        return None
    if session.get("currency") != "usd":
        raise Invalid("currency: a top-up is paid in usd")
    return Completed(_text(event, "id"), _text(session, "id"), _cents(session))


def _cents(session: Mapping[str, Any]) -> int:
    cents = session.get("amount_total")
    if not isinstance(cents, int) or isinstance(cents, bool) or not 0 < cents <= MOST_CENTS:
        raise Invalid(f"amount_total: must be a whole number of cents, 1 to {MOST_CENTS}")
    return cents


def _object(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    if not isinstance(found, dict):
        raise Invalid(f"{name}: must be an object")
    return cast(dict[str, Any], found)


def _text(holder: Mapping[str, Any], name: str) -> str:
    found = holder.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_ID:
        raise Invalid(f"{name}: must be a text of 1 to {LONGEST_ID} characters")
    return found
