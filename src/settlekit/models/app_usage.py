"""Usage of models by apps, and what it earns; amounts are Decimals of major units."""

from decimal import Decimal

import attrs

from settlekit.models.base import Instant, Model
from settlekit.models.states import RouteMode


@attrs.frozen(kw_only=True, getstate_setstate=False)
class AppUsage(Model):
    """One use of a model: the price, and where it went.

    ``retail_price_usd`` is the sum of the other three amounts.
    """

    request_id: str
    public_app_id: str
    feature_key: str | None = None
    route_mode: RouteMode | None = None
    provider: str | None = None
    model: str | None = None
    developer_id: str | None = None
    buyer_id: str | None = attrs.field(default=None, repr=False)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    upstream_cost_usd: Decimal | None = None
    retail_price_usd: Decimal | None = None
    channel_revenue_usd: Decimal | None = None
    platform_revenue_usd: Decimal | None = None
    created_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class DeveloperRevenue(Model):
    """What a developer holds, what waits to be paid out, and what was ever earned.

    In US dollars the fields say ``…_usd``; in another currency they have no ending.
    """

    developer_id: str | None = None
    currency: str | None = None
    wallet_balance_usd: Decimal | None = None
    pending_payout_usd: Decimal | None = None
    lifetime_revenue_usd: Decimal | None = None
    wallet_balance: Decimal | None = None
    pending_payout: Decimal | None = None
    lifetime_revenue: Decimal | None = None
