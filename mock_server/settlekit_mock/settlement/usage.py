"""Accept metered payments: one, or many in a row, by the same steps.

A ``Desk`` loads what a payment is decided on once, decides and adds up in memory, and
writes the rows and the sums back together. So the ten-millionth payment costs what the
first did, and a hundred thousand in a row cost little more than their rows.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.dialects.postgresql import insert as upsert

from settlekit.digest import extend
from settlekit.money import Band, band_of
from settlekit_mock.kernel.bulk import insert_rows
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.settlement.buyers import buyer_with_id
from settlekit_mock.settlement.funds import keep_purse, open_purse, refusal
from settlekit_mock.settlement.periods import close_period
from settlekit_mock.settlement.rules.acceptance import Accepted, Refused, decide
from settlekit_mock.settlement.rules.amounts import LARGEST_AMOUNT_MINOR, split_metered, wire_minor
from settlekit_mock.settlement.scopes import (
    OpenPeriod,
    Sale,
    begin_period,
    keep_scope,
    label_number,
    open_scope,
)
from settlekit_mock.settlement.tables import PERIOD_LABELS, USAGE

USAGE_ID = "mu"
REFUSED_ID = "mur"


class Usage(NamedTuple):
    """One accepted payment. Amounts are units."""

    metered_usage_id: str
    band: Band
    currency: str
    gross: int
    fee: int
    created_at: int
    exposure: int
    threshold_reached_at: int | None


@dataclass(slots=True)
class Tally:
    """What became of many payments in a row."""

    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    first_usage_id: str | None = None
    last_usage_id: str | None = None


def metered_band(amount_minor: int, currency: str) -> Band:
    """Return the band of an amount; raises ``Invalid`` for one the mock doesn't take."""
    if currency not in LARGEST_AMOUNT_MINOR:
        raise Invalid("currency: must be JPY or USD")
    if not 1 <= amount_minor <= LARGEST_AMOUNT_MINOR[currency]:
        raise Invalid(f"amount_minor: must be from 1 to {LARGEST_AMOUNT_MINOR[currency]}")
    return band_of(amount_minor, currency)


class Desk:
    """Accepts payments of one sale and one amount within a transaction."""

    def __init__(self, tx: Transaction, sale: Sale, amount_minor: int) -> None:
        if metered_band(amount_minor, sale.currency) is Band.STANDARD:
            raise Invalid(
                "amount_minor: this amount is of the standard band, which settles per payment"
            )
        self._tx = tx
        self._sale = sale
        self._split = split_metered(amount_minor, sale.currency)
        self._gross_text = wire_minor(self._split.gross, sale.currency)
        self._fee_text = wire_minor(self._split.fee, sale.currency)
        buyer = buyer_with_id(tx.connection, sale.buyer_id)
        self._scope = open_scope(tx, buyer, sale, self._split.band)
        self._purse = open_purse(tx.connection, buyer, sale.currency)
        self._label = label_number(tx.connection, sale)
        self._rows: list[tuple[object, ...]] = []
        self._changed = False

    def offer(self, at: int, outcome: str | None = None) -> Usage | Refused:
        """Accept a payment at an instant, or say why not; writes nothing but in ``keep``."""
        self._close_overdue(at)
        decision = decide(
            self._scope.state, self._purse.at(at), self._split.gross, self._sale.currency
        )
        if isinstance(decision, Refused):
            return decision
        return self._accept(at, decision, outcome)

    def _close_overdue(self, at: int) -> None:
        """Close a period whose slot has passed: a real clock may be ahead of its due work."""
        period = self._scope.period
        if period is None or at < period.period_end:
            return
        now, self._tx.now = self._tx.now, period.period_end
        self._end_period(period.period_end)
        self._tx.now = now

    def _accept(self, at: int, decision: Accepted, outcome: str | None) -> Usage:
        period = self._scope.period or begin_period(self._tx, self._scope, at)
        split = self._split
        usage_id = self._tx.new_id(USAGE_ID)
        self._add(period, usage_id, at, outcome)
        self._scope.exposure += split.gross
        self._purse.spend(split.gross, reserve=split.gross)
        self._changed = True
        usage = Usage(
            metered_usage_id=usage_id,
            band=split.band,
            currency=self._sale.currency,
            gross=split.gross,
            fee=split.fee,
            created_at=at,
            exposure=self._scope.exposure,
            threshold_reached_at=at if decision.closes_period else None,
        )
        self._record(usage, period)
        if decision.closes_period:
            self._end_period(at, threshold_reached_at=at)
        return usage

    def _add(self, period: OpenPeriod, usage_id: str, at: int, outcome: str | None) -> None:
        split = self._split
        period.usage_count += 1
        period.gross += split.gross
        period.fee += split.fee
        period.digest = extend(
            period.digest,
            metered_usage_id=usage_id,
            created_at=to_text(at),
            provider_gross_amount_minor=self._gross_text,
            protocol_fee_minor=self._fee_text,
        )
        scope = self._scope
        self._rows.append(
            (
                usage_id,
                period.period_number,
                scope.provider_number,
                scope.buyer.buyer_number,
                self._label,
                at,
                split.gross,
                split.fee,
                outcome,
            )
        )

    def _record(self, usage: Usage, period: OpenPeriod) -> None:
        self._tx.record(
            "payment.accepted",
            usage.metered_usage_id,
            at=usage.created_at,
            buyer=self._sale.buyer_id,
            merchant=self._sale.merchant,
            period=period.period_id,
            plan_type=usage.band.value,
            currency=usage.currency,
            amount_minor=self._gross_text,
        )

    def _end_period(self, at: int, *, threshold_reached_at: int | None = None) -> None:
        period = self._scope.period
        assert period is not None
        self.keep()
        self._scope.period = None
        self._scope.last_period_end = at
        close_period(self._tx, period.period_id, at=at, threshold_reached_at=threshold_reached_at)
        self._changed = True

    def keep(self) -> None:
        """Write rows and sums."""
        if not self._changed:
            return
        if self._rows:
            insert_rows(self._tx.connection, USAGE, _COLUMNS, self._rows)
            self._keep_label(len(self._rows))
            self._rows = []
        keep_scope(self._tx.connection, self._scope)
        keep_purse(self._tx.connection, self._purse)
        self._changed = False

    def _keep_label(self, count: int) -> None:
        assert self._scope.period is not None
        self._tx.connection.execute(
            _ADD_LABEL,
            {
                "period_number": self._scope.period.period_number,
                "label_number": self._label,
                "usage_count": count,
                "gross": count * self._split.gross,
                "fee": count * self._split.fee,
            },
        )


def accept(tx: Transaction, sale: Sale, amount_minor: int, *, outcome: str | None = None) -> Usage:
    """Accept one metered payment at the transaction's time.

    Raises ``Problem`` 409 ``METERED_SETTLEMENT_PAST_DUE`` while the scope is paused, 402
    ``BUDGET_EXCEEDED`` where it doesn't fit the buyer's budget: nothing accrues then, and
    the journal says so.
    """
    desk = Desk(tx, sale, amount_minor)
    answer = desk.offer(tx.now, outcome)
    if isinstance(answer, Refused):
        tx.when_refused(lambda after: record_refusal(after, sale, amount_minor, answer, after.now))
        raise refusal(answer)
    desk.keep()
    return answer


def accept_many(
    tx: Transaction, sale: Sale, amount_minor: int, times: list[int], tally: Tally
) -> int:
    """Offer one payment at each of the times, in order, and count what became of them.

    Stops behind a payment that closed its period, for that leaves work due at once.
    Returns how many were offered.
    """
    desk = Desk(tx, sale, amount_minor)
    offered = 0
    for at in times:
        tx.now = at
        offered += 1
        answer = desk.offer(at)
        if isinstance(answer, Refused):
            tally.refused[answer.code] += 1
            record_refusal(tx, sale, amount_minor, answer, at)
            continue
        tally.accepted += 1
        tally.first_usage_id = tally.first_usage_id or answer.metered_usage_id
        tally.last_usage_id = answer.metered_usage_id
        if answer.threshold_reached_at is not None:
            break
    desk.keep()
    return offered


def record_refusal(
    tx: Transaction, sale: Sale, amount_minor: int, refused: Refused, at: int
) -> None:
    """Write into the journal that a payment was refused, and why."""
    tx.record(
        "payment.refused",
        tx.new_id(REFUSED_ID),
        at=at,
        buyer=sale.buyer_id,
        merchant=sale.merchant,
        currency=sale.currency,
        amount_minor=str(amount_minor),
        code=refused.code,
        reason=refused.reason.value,
    )


_COLUMNS = (
    "metered_usage_id",
    "period_number",
    "provider_number",
    "buyer_number",
    "label_number",
    "created_at",
    "gross",
    "fee",
    "outcome",
)
_ADDED = ("usage_count", "gross", "fee")
_NEW_LABEL = upsert(PERIOD_LABELS)
_ADD_LABEL = _NEW_LABEL.on_conflict_do_update(
    index_elements=["period_number", "label_number"],
    set_={name: PERIOD_LABELS.c[name] + _NEW_LABEL.excluded[name] for name in _ADDED},
)
