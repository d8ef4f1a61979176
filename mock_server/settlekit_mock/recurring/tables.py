"""Subscriptions and their charges; scheduled authorizations and their runs."""

from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    select,
    update,
)

from settlekit_mock.kernel.append_only import append_only
from settlekit_mock.kernel.tables import METADATA, Number
from settlekit_mock.payments.tables import MERCHANTS
from settlekit_mock.recurring.rules import AuthorizationStatus, Limits, Runs, SubscriptionStatus

SUBSCRIPTIONS = Table(
    "payment_subscriptions",
    METADATA,
    Column("subscription_number", Number, primary_key=True),
    Column("subscription_id", Text, nullable=False, unique=True),
    Column("buyer_id", Text, nullable=False),
    Column("merchant_number", BigInteger, ForeignKey(MERCHANTS.c.merchant_number), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("challenge_hash", Text, nullable=False, unique=True),
    Column("mandate_id", Text, nullable=False, unique=True),
    Column("billing_plan", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("charge_count", Integer, nullable=False),
    Column("failed_tries", Integer, nullable=False),
    Column("next_charge_at", BigInteger),
    Column("started_at", BigInteger, nullable=False),
    Column("cancelled_at", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
)
"""``billing_plan`` is the merchant's at the start: the fee of every charge is frozen then."""

SUBSCRIPTION_CHARGES = append_only(
    Table(
        "subscription_charges",
        METADATA,
        Column("charge_number", Number, primary_key=True),
        Column("charge_id", Text, nullable=False, unique=True),
        Column(
            "subscription_number",
            BigInteger,
            ForeignKey(SUBSCRIPTIONS.c.subscription_number),
            nullable=False,
        ),
        Column("ordinal", Integer, nullable=False),
        Column("due_at", BigInteger, nullable=False),
        Column("requirement_id", Text, nullable=False, unique=True),
        Column("charged_at", BigInteger, nullable=False),
        UniqueConstraint("subscription_number", "ordinal"),
    )
)
"""One month that was paid, a row."""

AUTHORIZATIONS = Table(
    "scheduled_authorizations",
    METADATA,
    Column("authorization_number", Number, primary_key=True),
    Column("authorization_id", Text, nullable=False, unique=True),
    Column("buyer_id", Text, nullable=False),
    Column("merchant_number", BigInteger, ForeignKey(MERCHANTS.c.merchant_number), nullable=False),
    Column("agent_id", Text),
    Column("capability_key", Text, nullable=False),
    Column("operation_key", Text),
    Column("amount_minor", BigInteger, nullable=False),
    Column("max_amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("cadence", Text, nullable=False),
    Column("max_runs", BigInteger),
    Column("max_runs_per_day", BigInteger),
    Column("max_runs_per_month", BigInteger),
    Column("max_amount_minor_per_day", BigInteger),
    Column("max_amount_minor_per_month", BigInteger),
    Column("challenge_hash", Text, nullable=False, unique=True),
    Column("mandate_id", Text, nullable=False, unique=True),
    Column("billing_plan", Text, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("token_hint", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("run_count", BigInteger, nullable=False),
    Column("counted_day", Text, nullable=False),
    Column("day_runs", BigInteger, nullable=False),
    Column("month_runs", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
"""``counted_day`` is the buyer's own day that ``day_runs`` counts, its month ``month_runs``."""

RUNS = append_only(
    Table(
        "scheduled_runs",
        METADATA,
        Column("run_number", Number, primary_key=True),
        Column("run_id", Text, nullable=False, unique=True),
        Column(
            "authorization_number",
            BigInteger,
            ForeignKey(AUTHORIZATIONS.c.authorization_number),
            nullable=False,
        ),
        Column("slot_id", Text, nullable=False),
        Column("ordinal", Integer, nullable=False),
        Column("scheduled_for", BigInteger),
        Column("requirement_id", Text, nullable=False, unique=True),
        Column("run_at", BigInteger, nullable=False),
        UniqueConstraint("authorization_number", "slot_id"),
    )
)
"""One slot that was charged, a row."""


class Subscription(NamedTuple):
    """A subscription."""

    subscription_number: int
    subscription_id: str
    buyer_id: str
    merchant_number: int
    amount_minor: int
    currency: str
    challenge_hash: str
    mandate_id: str
    billing_plan: str
    status: SubscriptionStatus
    charge_count: int
    failed_tries: int
    next_charge_at: int | None
    started_at: int
    cancelled_at: int | None
    updated_at: int


class Authorization(NamedTuple):
    """A scheduled authorization. Its token isn't in it: nobody can read it back."""

    authorization_number: int
    authorization_id: str
    buyer_id: str
    merchant_number: int
    agent_id: str | None
    capability_key: str
    operation_key: str | None
    amount_minor: int
    max_amount_minor: int
    currency: str
    cadence: str
    max_runs: int | None
    max_runs_per_day: int | None
    max_runs_per_month: int | None
    max_amount_minor_per_day: int | None
    max_amount_minor_per_month: int | None
    challenge_hash: str
    mandate_id: str
    billing_plan: str
    token_hash: str
    token_hint: str
    metadata: str
    status: AuthorizationStatus
    run_count: int
    counted_day: str
    day_runs: int
    month_runs: int
    expires_at: int | None
    revoked_at: int | None
    created_at: int
    updated_at: int

    @property
    def limits(self) -> Limits:
        """What the buyer approved."""
        return Limits(*(getattr(self, name) for name in Limits._fields))

    @property
    def runs(self) -> Runs:
        """How often it ran, in all and on the day that was counted last."""
        return Runs(self.run_count, self.day_runs, self.month_runs)


def subscription_with_id(connection: Connection, subscription_id: str) -> Subscription:
    """Return the subscription that due work names."""
    row = Subscription(*connection.execute(_SUBSCRIPTION, {"given": subscription_id}).one())
    return row._replace(status=SubscriptionStatus(row.status))


def authorization_with_id(connection: Connection, authorization_id: str) -> Authorization | None:
    """Return an authorization by its id."""
    return _authorization(connection.execute(_BY_ID, {"given": authorization_id}).first())


def authorization_with_token(
    connection: Connection, token_hash: str, *, to_write: bool = False
) -> Authorization | None:
    """Return the authorization whose token has a hash; who is to write keeps others waiting."""
    query = _BY_TOKEN_ALONE if to_write else _BY_TOKEN
    return _authorization(connection.execute(query, {"given": token_hash}).first())


def _authorization(row: object) -> Authorization | None:
    if row is None:
        return None
    found = Authorization(*row)  # type: ignore[misc]
    return found._replace(status=AuthorizationStatus(found.status))


_SUBSCRIPTION = select(*SUBSCRIPTIONS.c).where(
    SUBSCRIPTIONS.c.subscription_id == bindparam("given")
)
_BY_ID = select(*AUTHORIZATIONS.c).where(AUTHORIZATIONS.c.authorization_id == bindparam("given"))
_BY_TOKEN = select(*AUTHORIZATIONS.c).where(AUTHORIZATIONS.c.token_hash == bindparam("given"))
_BY_TOKEN_ALONE = _BY_TOKEN.with_for_update()
INSERT_SUBSCRIPTION = insert(SUBSCRIPTIONS)
UPDATE_SUBSCRIPTION = update(SUBSCRIPTIONS).where(
    SUBSCRIPTIONS.c.subscription_id == bindparam("given")
)
INSERT_CHARGE = insert(SUBSCRIPTION_CHARGES)
INSERT_AUTHORIZATION = insert(AUTHORIZATIONS)
UPDATE_AUTHORIZATION = update(AUTHORIZATIONS).where(
    AUTHORIZATIONS.c.authorization_id == bindparam("given")
)
INSERT_RUN = insert(RUNS)
