"""What a use costs and sells for adds up to the last unit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.operations.rules.rating import (
    DEFAULT_MARKUP,
    MARKED_UP,
    Parts,
    RouteMode,
    Tokens,
    adds_up,
    rate_fee,
    rate_tokens,
)

COUNTS = st.builds(Tokens, *[st.integers(0, 10**9)] * 3)
PRICES = st.builds(Tokens, *[st.integers(0, 10**12)] * 3)
SHARES = st.integers(0, 10_000)


def test_tokens_are_rated_by_their_prices() -> None:
    """A million tokens of each kind cost their three prices; 30 % is added, 40 % of it shared."""
    million = Tokens(1_000_000, 1_000_000, 1_000_000)
    prices = Tokens(2 * MAJOR, 7 * MAJOR, 1 * MAJOR)
    assert rate_tokens(million, prices) == Parts(
        upstream=10 * MAJOR,
        retail=13 * MAJOR,
        channel=12 * MAJOR // 10,
        platform=18 * MAJOR // 10,
    )


@pytest.mark.parametrize(
    ("tokens", "prices", "parts"),
    [
        (Tokens(1), Tokens(999_999), Parts(0, 0, 0, 0)),
        (Tokens(1), Tokens(1_000_000), Parts(1, 1, 0, 0)),
        (Tokens(7), Tokens(1_000_000), Parts(7, 9, 0, 2)),
        (Tokens(1, 1), Tokens(500_000, 500_000), Parts(1, 1, 0, 0)),
        (Tokens(0, 0, 10), Tokens(9, 9, 1_000_000), Parts(10, 13, 1, 2)),
    ],
    ids=str,
)
def test_each_division_rounds_down(tokens: Tokens, prices: Tokens, parts: Parts) -> None:
    """Cost, markup and share lose their rest; the platform's part takes up the share's."""
    assert rate_tokens(tokens, prices) == parts


@given(tokens=COUNTS, prices=PRICES, markup=st.integers(0, 10**12), share_bps=SHARES)
def test_parts_of_rated_tokens_add_up(
    tokens: Tokens, prices: Tokens, markup: int, share_bps: int
) -> None:
    """Whatever is rated, the parts are the price, none is negative, none exceeds its due."""
    parts = rate_tokens(tokens, prices, markup=markup, share_bps=share_bps)
    cost = Fraction(sum(a * b for a, b in zip(tokens, prices, strict=True)), 10**6)
    margin = Fraction(parts.upstream * markup, 100 * MAJOR)
    assert adds_up(parts)
    assert min(parts) >= 0
    assert 0 <= cost - parts.upstream < 1
    assert 0 <= margin - (parts.retail - parts.upstream) < 1
    assert 0 <= Fraction((parts.retail - parts.upstream) * share_bps, 10_000) - parts.channel < 1


@given(fee=st.integers(0, 10**18), share_bps=SHARES)
def test_a_fee_is_shared_without_a_markup(fee: int, share_bps: int) -> None:
    """Where the platform has no cost, the price is the fee to the last unit."""
    parts = rate_fee(fee, share_bps=share_bps)
    assert (parts.upstream, parts.retail) == (0, fee)
    assert adds_up(parts)
    assert parts.channel == fee * share_bps // 10_000


def test_two_modes_are_marked_up() -> None:
    """Only keys that cost the platform or the developer something bear a markup, of 30 %."""
    assert set(RouteMode) - MARKED_UP == {"byok", "local"}
    assert DEFAULT_MARKUP == 30 * MAJOR
