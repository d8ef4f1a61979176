"""What the routes of usage take and answer."""

from typing import Annotated

from msgspec import UNSET, Meta

from settlekit_mock.http.wire import (
    Answer,
    Currency,
    Listing,
    MajorText,
    ShortText,
    StrictBody,
    Timestamp,
)
from settlekit_mock.operations.amounts import two_shapes
from settlekit_mock.operations.rules import rating
from settlekit_mock.operations.rules.rating import RouteMode
from settlekit_mock.operations.wire import OptionalCurrency, OptionalMajor

AppId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"^(?!\.{1,2}$)[^/]+$",
        description="Text without a slash, and no dot or two alone: it is a part of paths.",
    ),
]
TokenCount = Annotated[int, Meta(ge=0, le=10**12)]
PartText = Annotated[
    str,
    Meta(
        max_length=32,
        description="A decimal string of major units, zero or more, up to eight places.",
    ),
]


class UsageBody(StrictBody, frozen=True, kw_only=True):
    """One use of a model: with all four amounts, or with what to rate it by.

    Prices are of a million tokens of a kind, zero unless given, and the kinds don't overlap.
    In the modes byok and local only ``fee_usd`` counts. Whose app it is and who used it are
    the server's first merchant and buyer unless said.
    """

    request_id: ShortText
    public_app_id: AppId
    developer_id: ShortText | None = None
    buyer_id: ShortText | None = None
    feature_key: ShortText
    route_mode: RouteMode
    provider: ShortText
    model: ShortText
    input_tokens: TokenCount = 0
    output_tokens: TokenCount = 0
    cached_tokens: TokenCount = 0
    input_price_per_million_usd: PartText | None = None
    output_price_per_million_usd: PartText | None = None
    cached_price_per_million_usd: PartText | None = None
    markup_percent: Annotated[PartText, Meta(description="Percent, up to eight places.")] = "30"
    share_bps: Annotated[int, Meta(ge=0, le=rating.WHOLE_BPS)] = rating.DEFAULT_SHARE_BPS
    fee_usd: PartText | None = None
    upstream_cost_usd: PartText | None = None
    retail_price_usd: PartText | None = None
    channel_revenue_usd: PartText | None = None
    platform_revenue_usd: PartText | None = None


class UsageAnswer(Answer, frozen=True, kw_only=True):
    """A recorded use: the price, and where it went."""

    request_id: str
    public_app_id: str
    developer_id: str
    buyer_id: str
    feature_key: str
    route_mode: RouteMode
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    upstream_cost_usd: MajorText
    retail_price_usd: MajorText
    channel_revenue_usd: MajorText
    platform_revenue_usd: MajorText
    created_at: Timestamp


class UsageListing(Listing, frozen=True, kw_only=True):
    """An app's uses, newest first."""

    items: list[UsageAnswer]


class RevenueQuery(StrictBody, frozen=True, kw_only=True):
    """In which currency."""

    currency: Currency = "USD"


class RevenueFields(Answer, frozen=True, kw_only=True):
    """What a developer holds, what waits to be paid out, and what was ever earned."""

    developer_id: str
    currency: OptionalCurrency = UNSET
    wallet_balance: OptionalMajor = UNSET
    pending_payout: OptionalMajor = UNSET
    lifetime_revenue: OptionalMajor = UNSET
    wallet_balance_usd: OptionalMajor = UNSET
    pending_payout_usd: OptionalMajor = UNSET
    lifetime_revenue_usd: OptionalMajor = UNSET


RevenueAnswer = Annotated[
    RevenueFields, two_shapes("wallet_balance", "pending_payout", "lifetime_revenue")
]
