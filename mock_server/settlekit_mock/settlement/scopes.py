"""Scopes and their open periods: where a payment accrues."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from settlekit.digest import SEED
from settlekit.money import Band
from settlekit_mock.kernel.ids import seed_key
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.settlement.buyers import Buyer
from settlekit_mock.settlement.providers import provider_number
from settlekit_mock.settlement.rules.acceptance import ScopeState
from settlekit_mock.settlement.rules.references import buyer_period_ref
from settlekit_mock.settlement.rules.slots import Slot, period_bounds
from settlekit_mock.settlement.rules.timetable import estimate_notice_at
from settlekit_mock.settlement.tables import LABELS, PERIODS, SCOPES

CLOSE = "period.close"
ESTIMATE = "period.estimate"


@dataclass(frozen=True, slots=True)
class Sale:
    """What is sold to whom by whom: everything of a metered payment but its amount."""

    buyer_id: str
    provider_id: str
    merchant: str
    listing_id: str
    capability_key: str
    operation_key: str
    currency: str
    product_listing_id: str = ""


@dataclass(slots=True)
class OpenPeriod:
    """The open period of a scope while a transaction works with it. Amounts are units."""

    period_number: int
    period_id: str
    period_start: int
    period_end: int
    buyer_period_ref: str
    usage_count: int = 0
    gross: int = 0
    fee: int = 0
    digest: bytes = SEED


@dataclass(slots=True)
class Scope:
    """A scope while a transaction works with it."""

    scope_number: int
    buyer: Buyer
    provider_number: int
    provider_id: str
    currency: str
    band: Band
    exposure: int
    paused_batches: int
    last_period_end: int | None
    period: OpenPeriod | None = field(default=None)

    @property
    def state(self) -> ScopeState:
        """What the rules look at."""
        open_gross = 0 if self.period is None else self.period.gross
        return ScopeState(self.exposure, open_gross, self.paused_batches)

    @property
    def slot(self) -> Slot:
        """The slot at which this scope's periods close."""
        return self.buyer.weekly_slot if self.band is Band.MICRO else self.buyer.monthly_slot


def open_scope(tx: Transaction, buyer: Buyer, sale: Sale, band: Band) -> Scope:
    """Return the scope of a payment with its open period, making what is missing."""
    provider = provider_number(tx.connection, sale.provider_id)
    key = {
        "of_buyer": buyer.buyer_number,
        "of_provider": provider,
        "in_currency": sale.currency,
        "in_band": band.value,
    }
    row = tx.connection.execute(_FIND, key).first()
    if row is None:
        tx.connection.execute(_NEW_SCOPE, key)
        row = tx.connection.execute(_FIND, key).one()
    scope = Scope(
        scope_number=row.scope_number,
        buyer=buyer,
        provider_number=provider,
        provider_id=sale.provider_id,
        currency=sale.currency,
        band=band,
        exposure=row.exposure,
        paused_batches=row.paused_batches,
        last_period_end=row.last_period_end,
    )
    if row.open_period is not None:
        scope.period = _open_period(row)
    return scope


def _open_period(row: Any) -> OpenPeriod:
    return OpenPeriod(
        period_number=row.open_period,
        period_id=row.period_id,
        period_start=row.period_start,
        period_end=row.period_end,
        buyer_period_ref=row.buyer_period_ref,
        usage_count=row.usage_count,
        gross=row.gross,
        fee=row.fee,
        digest=row.digest,
    )


def begin_period(tx: Transaction, scope: Scope, at: int) -> OpenPeriod:
    """Open the period that usage at an instant falls into, and schedule its close."""
    bounds = period_bounds(at, scope.slot, scope.buyer.timezone, scope.last_period_end)
    period_id = tx.new_id("per")
    reference = buyer_period_ref(
        seed_key(tx.state.seed), scope.buyer.buyer_id, scope.provider_id, period_id
    )
    tx.connection.execute(
        _NEW_PERIOD,
        {
            "period_id": period_id,
            "scope_number": scope.scope_number,
            "buyer_number": scope.buyer.buyer_number,
            "provider_number": scope.provider_number,
            "currency": scope.currency,
            "band": scope.band.value,
            "buyer_period_ref": reference,
            "period_start": bounds.period_start,
            "period_end": bounds.period_end,
            "close_at": bounds.period_end,
            "settlement_trigger": "scheduled_close",
            "usage_count": 0,
            "gross": 0,
            "fee": 0,
            "digest": SEED,
        },
    )
    number = tx.connection.execute(_PERIOD_NUMBER, {"with_id": period_id}).scalar_one()
    scope.period = OpenPeriod(number, period_id, bounds.period_start, bounds.period_end, reference)
    tx.record("period.opened", period_id, buyer=scope.buyer.buyer_id, band=scope.band.value)
    estimate_at = estimate_notice_at(at, bounds.period_end)
    if estimate_at is not None:
        tx.schedule(ESTIMATE, period_id, estimate_at)
    tx.schedule(CLOSE, period_id, bounds.period_end)
    return scope.period


def keep_scope(connection: Connection, scope: Scope) -> None:
    """Write the running sums of a scope and its open period."""
    period = scope.period
    connection.execute(
        _KEEP_SCOPE,
        {
            "this_scope": scope.scope_number,
            "new_exposure": scope.exposure,
            "new_period": None if period is None else period.period_number,
            "new_end": scope.last_period_end,
        },
    )
    if period is not None:
        keep_period(connection, period)


def keep_period(connection: Connection, period: OpenPeriod) -> None:
    """Write the running sums of a period."""
    connection.execute(
        _KEEP_PERIOD,
        {
            "this_period": period.period_number,
            "new_count": period.usage_count,
            "new_gross": period.gross,
            "new_fee": period.fee,
            "new_digest": period.digest,
        },
    )


def label_number(connection: Connection, sale: Sale) -> int:
    """Return the number of what is sold, giving it one the first time."""
    values = {name: getattr(sale, name) for name in _LABELLED}
    key = {f"is_{name}": value for name, value in values.items()}
    number: int | None = connection.execute(_LABEL, key).scalar()
    if number is None:
        connection.execute(insert(LABELS).values(values))
        made: int = connection.execute(_LABEL, key).scalar_one()
        return made
    return number


_PERIOD_NUMBER = select(PERIODS.c.period_number).where(PERIODS.c.period_id == bindparam("with_id"))
_LABELLED = ("merchant", "listing_id", "product_listing_id", "capability_key", "operation_key")
_LABEL = select(LABELS.c.label_number).where(
    *(LABELS.c[name] == bindparam(f"is_{name}") for name in _LABELLED)
)
_FIND = (
    select(
        SCOPES.c.scope_number,
        SCOPES.c.exposure,
        SCOPES.c.paused_batches,
        SCOPES.c.open_period,
        SCOPES.c.last_period_end,
        PERIODS.c.period_id,
        PERIODS.c.period_start,
        PERIODS.c.period_end,
        PERIODS.c.buyer_period_ref,
        PERIODS.c.usage_count,
        PERIODS.c.gross,
        PERIODS.c.fee,
        PERIODS.c.digest,
    )
    .select_from(SCOPES.outerjoin(PERIODS, PERIODS.c.period_number == SCOPES.c.open_period))
    .where(
        SCOPES.c.buyer_number == bindparam("of_buyer"),
        SCOPES.c.provider_number == bindparam("of_provider"),
        SCOPES.c.currency == bindparam("in_currency"),
        SCOPES.c.band == bindparam("in_band"),
    )
)
_NEW_SCOPE = insert(SCOPES).values(
    buyer_number=bindparam("of_buyer"),
    provider_number=bindparam("of_provider"),
    currency=bindparam("in_currency"),
    band=bindparam("in_band"),
    exposure=0,
    paused_batches=0,
)
_KEEP_SCOPE = (
    update(SCOPES)
    .where(SCOPES.c.scope_number == bindparam("this_scope"))
    .values(
        exposure=bindparam("new_exposure"),
        open_period=bindparam("new_period"),
        last_period_end=bindparam("new_end"),
    )
)
_KEEP_PERIOD = (
    update(PERIODS)
    .where(PERIODS.c.period_number == bindparam("this_period"))
    .values(
        usage_count=bindparam("new_count"),
        gross=bindparam("new_gross"),
        fee=bindparam("new_fee"),
        digest=bindparam("new_digest"),
    )
)
_NEW_PERIOD = insert(PERIODS)
