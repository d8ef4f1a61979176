"""Usage of models: record it, list it, see what it earned."""

from decimal import Decimal
from typing import Final

import attrs

from settlekit import _codec
from settlekit._calls import arguments, terms
from settlekit._calls.call import Call, get, post
from settlekit._codec import Listing
from settlekit.errors import InvalidArgument
from settlekit.models import AppUsage, DeveloperRevenue

ROUTE_MODES: Final = ("platform", "developer_key", "byok", "local")
WHOLE_BPS: Final = 10_000

Amount = Decimal | str | int


def record_usage(
    *,
    public_app_id: str,
    feature_key: str,
    route_mode: str,
    provider: str,
    model: str,
    request_id: str | None = None,
    developer_id: str | None = None,
    buyer_id: str | None = None,
    input_tokens: int = 0,
    output_tokens: int = 0,
    cached_tokens: int = 0,
    input_price_per_million_usd: Amount | None = None,
    output_price_per_million_usd: Amount | None = None,
    cached_price_per_million_usd: Amount | None = None,
    markup_percent: Amount | None = None,
    share_bps: int | None = None,
    fee_usd: Amount | None = None,
    upstream_cost_usd: Amount | None = None,
    retail_price_usd: Amount | None = None,
    channel_revenue_usd: Amount | None = None,
    platform_revenue_usd: Amount | None = None,
) -> Call[AppUsage]:
    """Record a use; its request id counts once, which makes the call safe to repeat."""
    part = arguments.part
    call = post(
        "/admin/usage",
        _codec.one(AppUsage),
        request_id=terms.idempotency_key(request_id, "request_id"),
        public_app_id=arguments.required(public_app_id, "public_app_id"),
        developer_id=arguments.optional(developer_id, "developer_id"),
        buyer_id=arguments.optional(buyer_id, "buyer_id"),
        feature_key=arguments.required(feature_key, "feature_key"),
        route_mode=arguments.choice(route_mode, "route_mode", ROUTE_MODES),
        provider=arguments.required(provider, "provider"),
        model=arguments.required(model, "model"),
        input_tokens=arguments.count(input_tokens, "input_tokens", 0),
        output_tokens=arguments.count(output_tokens, "output_tokens", 0),
        cached_tokens=arguments.count(cached_tokens, "cached_tokens", 0),
        input_price_per_million_usd=part(
            input_price_per_million_usd, "input_price_per_million_usd"
        ),
        output_price_per_million_usd=part(
            output_price_per_million_usd, "output_price_per_million_usd"
        ),
        cached_price_per_million_usd=part(
            cached_price_per_million_usd, "cached_price_per_million_usd"
        ),
        markup_percent=part(markup_percent, "markup_percent"),
        share_bps=_share_bps(share_bps),
        fee_usd=part(fee_usd, "fee_usd"),
        upstream_cost_usd=part(upstream_cost_usd, "upstream_cost_usd"),
        retail_price_usd=part(retail_price_usd, "retail_price_usd"),
        channel_revenue_usd=part(channel_revenue_usd, "channel_revenue_usd"),
        platform_revenue_usd=part(platform_revenue_usd, "platform_revenue_usd"),
    )
    return attrs.evolve(call, repeatable=True)


def app_usage(
    public_app_id: str, *, cursor: str | None = None, limit: int | None = None
) -> Call[Listing[AppUsage]]:
    """Ask for an app's uses, newest first."""
    return get(
        f"/apps/{arguments.path_segment(public_app_id, 'public_app_id')}/usage",
        _codec.listing(AppUsage),
        cursor=arguments.optional(cursor, "cursor"),
        limit=arguments.limit(limit, arguments.MAX_BATCHES),
    )


def developer_revenue(developer_id: str, *, currency: str | None = None) -> Call[DeveloperRevenue]:
    """Ask what a developer holds, waits for and has earned."""
    return get(
        f"/developers/{arguments.path_segment(developer_id, 'developer_id')}/revenue",
        _codec.one(DeveloperRevenue),
        currency=arguments.currency(currency),
    )


def _share_bps(value: int | None) -> int | None:
    share = arguments.count(value, "share_bps", 0)
    if share is not None and share > WHOLE_BPS:
        raise InvalidArgument("share_bps", f"must be a whole number from 0 to {WHOLE_BPS}")
    return share
