from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from settlekit._scalars import (
    MAX_REMEMBERED,
    Memo,
    parse_decimal,
    parse_instant,
    write_instant,
)


def test_a_memo_makes_a_value_once() -> None:
    """Texts that repeat cost one look-up."""
    made: list[str] = []
    memo = Memo[str, str](lambda text: made.append(text) or text.upper())  # type: ignore[func-returns-value]
    assert [memo["a"], memo["b"], memo["a"]] == ["A", "B", "A"]
    assert made == ["a", "b"]


def test_a_memo_is_bounded() -> None:
    """A server can't grow the process by sending ever new texts."""
    memo = Memo[int, int](lambda number: number)
    values = [memo[number] for number in range(MAX_REMEMBERED * 2 + 1)]
    assert values == list(range(MAX_REMEMBERED * 2 + 1))
    assert len(memo) <= MAX_REMEMBERED


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T00:00:00.123Z",
        "2026-03-01t00:00:00.123z",
        "2026-03-01T00:00:00.123456789Z",
        "2026-03-01T09:00:00.123+09:00",
    ],
)
def test_an_instant_is_read_from_any_zone(text: str) -> None:
    """RFC 3339 in its forms is one instant, to the microsecond."""
    instant = parse_instant(text)
    assert instant.replace(microsecond=123000) == datetime(
        2026, 3, 1, microsecond=123000, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-01",
        "20260301T000000Z",
        "2026-W09-7T00:00:00Z",
        "2026-03-01T00:00:00",
        "2026-03-01 00:00:00Z",
        "２026-03-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
    ],
)
def test_anything_else_is_no_instant(text: str) -> None:
    """Dates alone, other ISO forms, naive times and days that don't exist."""
    with pytest.raises(ValueError, match=r"instant|day"):
        parse_instant(text)


def test_an_instant_is_written_in_utc() -> None:
    """Three fraction digits and Z, whatever zone it was in."""
    tokyo = timezone(timedelta(hours=9))
    assert write_instant(datetime(2026, 3, 1, 9, tzinfo=tokyo)) == "2026-03-01T00:00:00.000Z"


@pytest.mark.parametrize("read", [parse_instant, parse_decimal])
@pytest.mark.parametrize("secret", ["bpr_canary", f"{'x' * 30} whsec_canary", "Bearer canary"])
def test_what_cannot_be_read_is_told_without_its_secrets(
    read: Callable[[str], object], secret: str
) -> None:
    """Where a column slipped, a secret may stand in place of a number or an instant."""
    with pytest.raises(ValueError, match="not a") as caught:
        read(secret)
    assert "can" not in str(caught.value)
