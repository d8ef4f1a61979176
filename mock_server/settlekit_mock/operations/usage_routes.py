"""The routes of usage: record, list by app, and what a developer earned."""

from typing import Final

from settlekit_mock.http.cursors import read_cursor
from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.kernel.money import major_text, units_from_major
from settlekit_mock.kernel.problems import Invalid, NotFound
from settlekit_mock.kernel.times import to_text
from settlekit_mock.operations.amounts import amounts
from settlekit_mock.operations.apps import find_app
from settlekit_mock.operations.paging import page_of
from settlekit_mock.operations.revenue import revenue_of
from settlekit_mock.operations.rules import rating
from settlekit_mock.operations.rules.rating import MARKED_UP, Parts, Tokens
from settlekit_mock.operations.usage import UsageRecord, Use, record_usage, usage_of_app
from settlekit_mock.operations.usage_wire import (
    RevenueAnswer,
    RevenueFields,
    RevenueQuery,
    UsageAnswer,
    UsageBody,
    UsageListing,
)
from settlekit_mock.operations.wire import PageQuery

MARKUP_LIMIT: Final = 10_000
"""Percent."""


def _record(request: Request) -> UsageAnswer:
    body: UsageBody = request.body
    parts = _parts(body)
    use = Use(
        request_id=body.request_id,
        public_app_id=body.public_app_id,
        developer_id=body.developer_id,
        buyer_id=body.buyer_id,
        feature_key=body.feature_key,
        route_mode=body.route_mode,
        provider=body.provider,
        model=body.model,
        tokens=Tokens(body.input_tokens, body.output_tokens, body.cached_tokens),
    )
    with request.world.transaction() as tx:
        return _shaped(record_usage(tx, use, parts, actor=request.caller.subject))


def _parts(body: UsageBody) -> Parts:
    given = [getattr(body, name) for name in _AMOUNTS]
    if any(amount is not None for amount in given):
        return _given_parts(body)
    if body.route_mode in MARKED_UP:
        if body.fee_usd is not None:
            raise Invalid("fee_usd: goes with the modes byok and local")
        return _rated(body)
    return rating.rate_fee(_units(body, "fee_usd"), share_bps=body.share_bps)


def _given_parts(body: UsageBody) -> Parts:
    missing = [name for name in _AMOUNTS if getattr(body, name) is None]
    beside = [name for name in (*_PRICES, "fee_usd") if getattr(body, name) is not None]
    if missing or beside:
        raise Invalid(
            f"{(missing or beside)[0]}: give all four amounts and no price or fee, or none of them"
        )
    parts = Parts(*(_units(body, name) for name in _AMOUNTS))
    if not rating.adds_up(parts):
        raise Invalid("retail_price_usd: must be the sum of cost, channel and platform revenue")
    return parts


def _rated(body: UsageBody) -> Parts:
    markup = _units(body, "markup_percent")
    if markup > MARKUP_LIMIT * 10**8:
        raise Invalid(f"markup_percent: at most {MARKUP_LIMIT}")
    return rating.rate_tokens(
        Tokens(body.input_tokens, body.output_tokens, body.cached_tokens),
        Tokens(*(_units(body, name) for name in _PRICES)),
        markup=markup,
        share_bps=body.share_bps,
    )


def _units(body: UsageBody, name: str) -> int:
    text: str | None = getattr(body, name)
    if text is None:
        return 0
    try:
        # A part of a price may be nothing, where a movement of money may not.
        return 0 if _is_zero(text) else units_from_major(text)
    except ValueError as error:
        raise Invalid(f"{name}: {error}") from error


def _is_zero(text: str) -> bool:
    whole, point, part = text.partition(".")
    return whole == "0" and len(part) <= 8 and set(part) <= {"0"} and bool(part) == bool(point)


def _shaped(record: UsageRecord) -> UsageAnswer:
    use, parts = record.use, record.parts
    return UsageAnswer(
        request_id=use.request_id,
        public_app_id=use.public_app_id,
        developer_id=use.developer_id or "",
        buyer_id=use.buyer_id or "",
        feature_key=use.feature_key,
        route_mode=use.route_mode,
        provider=use.provider,
        model=use.model,
        **{f"{kind}_tokens": count for kind, count in use.tokens._asdict().items()},
        upstream_cost_usd=major_text(parts.upstream),
        retail_price_usd=major_text(parts.retail),
        channel_revenue_usd=major_text(parts.channel),
        platform_revenue_usd=major_text(parts.platform),
        created_at=to_text(record.created_at),
    )


def _app_usage(request: Request) -> UsageListing:
    query: PageQuery = request.query
    public_app_id = request.path["public_app_id"]
    listing = f"usage:{public_app_id}"
    before = read_cursor(listing, query.cursor)
    with request.world.snapshot() as connection:
        if find_app(connection, public_app_id) is None:
            raise NotFound(f"no app {public_app_id}")
        rows = usage_of_app(connection, public_app_id, before=before, limit=query.limit + 1)
    page, next_cursor = page_of(rows, query.limit, listing)
    return UsageListing(items=[_shaped(record) for record in page], next_cursor=next_cursor)


def _revenue(request: Request) -> RevenueAnswer:
    query: RevenueQuery = request.query
    developer_id = request.path["developer_id"]
    with request.world.snapshot() as connection:
        revenue = revenue_of(connection, developer_id, query.currency)
    return RevenueFields(developer_id=developer_id, **amounts(query.currency, **revenue._asdict()))


_PRICES: Final = (
    "input_price_per_million_usd",
    "output_price_per_million_usd",
    "cached_price_per_million_usd",
)
_AMOUNTS: Final = (
    "upstream_cost_usd",
    "retail_price_usd",
    "channel_revenue_usd",
    "platform_revenue_usd",
)

USAGE_ROUTES: Final = (
    Route(
        "POST",
        "/v1/admin/usage",
        Role.ADMIN,
        _record,
        UsageAnswer,
        "Record one use of a model, charge it and share it out; a repeat answers the first",
        body=UsageBody,
        status=201,
        dialect=OPERATIONS,
        errors=((402, "insufficient_balance"), (404, "invalid_request")),
    ),
    Route(
        "GET",
        "/v1/apps/<public_app_id>/usage",
        Role.ADMIN,
        _app_usage,
        UsageListing,
        "List an app's uses, newest first",
        query=PageQuery,
        dialect=OPERATIONS,
    ),
    Route(
        "GET",
        "/v1/developers/<developer_id>/revenue",
        Role.ADMIN,
        _revenue,
        RevenueAnswer,
        "Read what a developer holds, waits for and has earned",
        query=RevenueQuery,
        dialect=OPERATIONS,
    ),
)
