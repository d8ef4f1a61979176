"""Rating: what one use of a model costs, what it is sold for, and who gets what of the margin.

Amounts are units of 10⁻⁸ of a major unit. Every division rounds down, and what is left over
goes to the platform, so that the parts always add up to the price.
Source: docs/operators-guide.md, "Usage".
"""

from enum import StrEnum
from typing import Final, NamedTuple

from settlekit_mock.kernel.money import MAJOR

MILLION: Final = 1_000_000
DEFAULT_MARKUP: Final = 30 * MAJOR
"""Percent, in units: 10⁻⁸ of a percent."""
DEFAULT_SHARE_BPS: Final = 4_000
WHOLE_BPS: Final = 10_000


class RouteMode(StrEnum):
    """Whose key reached the model: the platform's, the developer's; or the user's own, or none."""

    PLATFORM = "platform"
    DEVELOPER_KEY = "developer_key"
    BYOK = "byok"
    LOCAL = "local"


MARKED_UP: Final = frozenset({RouteMode.PLATFORM, RouteMode.DEVELOPER_KEY})
"""The cost of tokens is passed on with a markup; the others have an explicit fee alone."""


class Parts(NamedTuple):
    """What a use is sold for, and where it goes: ``retail`` is the sum of the other three."""

    upstream: int
    retail: int
    channel: int
    platform: int


class Tokens(NamedTuple):
    """A number for each kind of token: how many, or the price of a million in units."""

    input: int = 0
    output: int = 0
    cached: int = 0


def rate_tokens(
    tokens: Tokens,
    prices: Tokens,
    *,
    markup: int = DEFAULT_MARKUP,
    share_bps: int = DEFAULT_SHARE_BPS,
) -> Parts:
    """Rate a use by its tokens; the kinds don't overlap, and the sum rounds down once."""
    cost = sum(count * price for count, price in zip(tokens, prices, strict=True))
    upstream = cost // MILLION
    return _shared(upstream, upstream * markup // (100 * MAJOR), share_bps)


def rate_fee(fee: int, *, share_bps: int = DEFAULT_SHARE_BPS) -> Parts:
    """Rate a use that costs the platform nothing: an explicit fee, and no hidden markup."""
    return _shared(0, fee, share_bps)


def _shared(upstream: int, margin: int, share_bps: int) -> Parts:
    channel = margin * share_bps // WHOLE_BPS
    return Parts(upstream, upstream + margin, channel, margin - channel)


def adds_up(parts: Parts) -> bool:
    """Say whether the parts of a use add up to its price."""
    return parts.retail == parts.upstream + parts.channel + parts.platform
