"""Usage of models: recorded once, charged to the buyer, and shared out at once."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.problems import Invalid, NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger.service import Leg, clearing_account, post, wallet
from settlekit_mock.operations.apps import app_owner, register_app
from settlekit_mock.operations.audit import audit
from settlekit_mock.operations.billing import credits_wallet
from settlekit_mock.operations.rules.rating import Parts, RouteMode, Tokens
from settlekit_mock.operations.usage_tables import USAGE_RECORDS
from settlekit_mock.settlement.buyers import all_buyers, find_buyer

CURRENCY = "USD"
"""Usage is charged to credits, and these are of US dollars."""
CLEARING = "usage"
RETAIL_REASON = "usage_retail_price"
COST_REASON = "usage_provider_cost"
CHANNEL_REASON = "usage_channel_revenue"
PLATFORM_REASON = "usage_platform_revenue"


class Use(NamedTuple):
    """One use of a model; ``None`` for whose it is takes the first there is."""

    request_id: str
    public_app_id: str
    developer_id: str | None
    buyer_id: str | None
    feature_key: str
    route_mode: RouteMode
    provider: str
    model: str
    tokens: Tokens


class UsageRecord(NamedTuple):
    """A use that was recorded; ``parts`` in units."""

    number: int
    use: Use
    parts: Parts
    created_at: int


def record_usage(tx: Transaction, use: Use, parts: Parts, *, actor: str) -> UsageRecord:
    """Record and charge a use; a request id that was recorded before answers what it was.

    Raises ``NotFound`` for an unknown buyer or developer, ``Invalid`` for an app that is
    another developer's, ``PaymentRequired`` where the buyer's credits don't hold the price;
    nothing is written then.
    """
    found = _named(tx.connection, use.request_id)
    if found is not None:
        return found
    use = _owned(tx, use)
    _charge(tx, use, parts)
    record = _keep(tx, use, parts)
    _tell(tx, record, actor)
    return record


def _owned(tx: Transaction, use: Use) -> Use:
    """Say whose app it is and who uses it, where the caller didn't."""
    owner = app_owner(tx.connection, use.public_app_id, use.developer_id)
    if use.developer_id not in (None, owner):
        raise Invalid("public_app_id: this app is another developer's")
    buyer_id = use.buyer_id or all_buyers(tx.connection)[0].buyer_id
    if find_buyer(tx.connection, buyer_id) is None:
        raise NotFound(f"no buyer {buyer_id}")
    register_app(tx, use.public_app_id, owner)
    return use._replace(developer_id=owner, buyer_id=buyer_id)


def _charge(tx: Transaction, use: Use, parts: Parts) -> None:
    """Post the price into the clearing account, and from there what everyone gets."""
    clearing = clearing_account(tx, CLEARING, CURRENCY)
    buyer = credits_wallet(tx, use.buyer_id or "")
    price = parts.retail
    _move(tx, use, RETAIL_REASON, [Leg(buyer, -price), Leg(clearing, price)])
    for reason, scope, owner_id, amount in (
        (COST_REASON, "provider_cost", use.provider, parts.upstream),
        (CHANNEL_REASON, "developer", use.developer_id or "", parts.channel),
        (PLATFORM_REASON, "platform", "platform", parts.platform),
    ):
        taker = wallet(tx, owner_scope=scope, owner_id=owner_id, currency=CURRENCY)
        _move(tx, use, reason, [Leg(clearing, -amount), Leg(taker, amount)])


def _move(tx: Transaction, use: Use, reason: str, legs: list[Leg]) -> None:
    if not any(leg.amount for leg in legs):
        return
    post(
        tx,
        reason,
        legs,
        subject=use.request_id,
        idempotency_key=f"{reason}:{use.request_id}",
        metadata={"request_id": use.request_id, "public_app_id": use.public_app_id},
    )


def _keep(tx: Transaction, use: Use, parts: Parts) -> UsageRecord:
    said = {name: value for name, value in use._asdict().items() if name != "tokens"}
    row: dict[str, object] = {
        **said,
        **{f"{kind}_tokens": count for kind, count in use.tokens._asdict().items()},
        **parts._asdict(),
        "currency": CURRENCY,
        "created_at": tx.now,
    }
    number: int = tx.connection.execute(_INSERT, row).scalar_one()
    return UsageRecord(number, use, parts, tx.now)


def _tell(tx: Transaction, record: UsageRecord, actor: str) -> None:
    use = record.use
    told: dict[str, Any] = {
        "public_app_id": use.public_app_id,
        "developer_id": use.developer_id,
        "buyer_id": use.buyer_id,
        "retail_price": major_text(record.parts.retail),
    }
    tx.record("usage.recorded", use.request_id, **told)
    audit(tx, actor=actor, action="usage.recorded", resource=use.request_id, **told)


def usage_of_app(
    connection: Connection, public_app_id: str, *, before: int | None, limit: int
) -> list[UsageRecord]:
    """Return an app's records older than number ``before``, newest first."""
    query = (
        _RECORD.where(USAGE_RECORDS.c.public_app_id == public_app_id)
        .order_by(USAGE_RECORDS.c.record_number.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(USAGE_RECORDS.c.record_number < before)
    return [_record(row) for row in connection.execute(query)]


def _named(connection: Connection, request_id: str) -> UsageRecord | None:
    row = connection.execute(_NAMED, {"named": request_id}).first()
    return None if row is None else _record(row)


def _record(row: Any) -> UsageRecord:
    said: list[Any] = [*row[1:6], RouteMode(row[6]), *row[7:9], Tokens(*row[9:12])]
    return UsageRecord(row[0], Use(*said), Parts(*row[12:16]), row[16])


_INSERT = insert(USAGE_RECORDS).returning(USAGE_RECORDS.c.record_number)
_RECORD = select(
    USAGE_RECORDS.c.record_number,
    USAGE_RECORDS.c.request_id,
    USAGE_RECORDS.c.public_app_id,
    USAGE_RECORDS.c.developer_id,
    USAGE_RECORDS.c.buyer_id,
    USAGE_RECORDS.c.feature_key,
    USAGE_RECORDS.c.route_mode,
    USAGE_RECORDS.c.provider,
    USAGE_RECORDS.c.model,
    USAGE_RECORDS.c.input_tokens,
    USAGE_RECORDS.c.output_tokens,
    USAGE_RECORDS.c.cached_tokens,
    USAGE_RECORDS.c.upstream,
    USAGE_RECORDS.c.retail,
    USAGE_RECORDS.c.channel,
    USAGE_RECORDS.c.platform,
    USAGE_RECORDS.c.created_at,
)
_NAMED = _RECORD.where(USAGE_RECORDS.c.request_id == bindparam("named"))
