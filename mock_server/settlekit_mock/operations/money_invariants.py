"""What must hold of adjustments, payments, top-ups and usage: each moved its money once."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
)

from settlekit_mock.kernel.invariants import MOST, Invariant, Violation, unguarded
from settlekit_mock.ledger.tables import ACCOUNTS, ENTRIES, TRANSACTIONS
from settlekit_mock.operations.billing import PAYMENT_REASON
from settlekit_mock.operations.billing_tables import PAYMENT_EVENTS, TOP_UPS
from settlekit_mock.operations.rules.top_ups import CENT
from settlekit_mock.operations.tables import ADJUSTMENT_REASONS, ADJUSTMENTS, AUDIT
from settlekit_mock.operations.top_ups import CREDIT_REASON
from settlekit_mock.operations.usage import (
    CHANNEL_REASON,
    COST_REASON,
    PLATFORM_REASON,
    RETAIL_REASON,
)
from settlekit_mock.operations.usage_tables import USAGE_RECORDS


def adjustments_are_posted_once(connection: Connection) -> list[Violation]:
    """Hold an adjustment to one entry of its amount in its wallet, under its kind's reason."""
    return _found(connection, "adjustments_are_posted_once", _ADJUSTED)


def adjustments_are_audited(connection: Connection) -> list[Violation]:
    """Hold every adjustment to one audit entry."""
    return _found(connection, "adjustments_are_audited", _UNAUDITED)


def payments_are_credited_once(connection: Connection) -> list[Violation]:
    """Hold a payment to one credit of its cents to its buyer's USD credits."""
    return _found(connection, "payments_are_credited_once", _PAID)


def top_ups_are_credited_once(connection: Connection) -> list[Violation]:
    """Hold a credited top-up to one credit of its amount, and a pending one to none."""
    return _found(connection, "top_ups_are_credited_once", _TOPPED_UP)


def usage_adds_up(connection: Connection) -> list[Violation]:
    """Hold the price of a use to the sum of its parts."""
    return _found(connection, "usage_adds_up", _UNEVEN)


def usage_is_shared_out_once(connection: Connection) -> list[Violation]:
    """Hold the postings of a use to its price and its parts, each once."""
    found: list[Violation] = []
    for request_id, *amounts in connection.execute(_SHARED_OUT):
        expected, got = amounts[: len(_PARTS)], amounts[len(_PARTS) :]
        found.append(Violation("usage_is_shared_out_once", request_id, str(expected), str(got)))
    return found


def postings_belong_to_an_act(connection: Connection) -> list[Violation]:
    """Hold every posting under these reasons to the row that it was made for."""
    return _found(connection, "postings_belong_to_an_act", _STRAYS)


def acts_never_change(connection: Connection) -> list[Violation]:
    """Hold the guards that refuse a change of adjustments, payments and usage."""
    return unguarded(connection, "acts_never_change", ADJUSTMENTS, PAYMENT_EVENTS, USAGE_RECORDS)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    adjustments_are_posted_once,
    adjustments_are_audited,
    payments_are_credited_once,
    top_ups_are_credited_once,
    usage_adds_up,
    usage_is_shared_out_once,
    postings_belong_to_an_act,
    acts_never_change,
)


def _found(connection: Connection, name: str, query: Select[*tuple[Any, ...]]) -> list[Violation]:
    rows: Iterable[Sequence[object]] = connection.execute(query).fetchmany(MOST)
    return [Violation(name, *map(str, row)) for row in rows]


_MOVED = func.coalesce(func.sum(ENTRIES.c.amount), 0)
_TIMES = func.count(ENTRIES.c.entry_number)


def _posted(reasons: ColumnElement[bool], subject: Column[str]) -> ColumnElement[bool]:
    return and_(TRANSACTIONS.c.subject == subject, reasons)


def _entry_of(wallet: Column[int]) -> ColumnElement[bool]:
    return and_(
        ENTRIES.c.transaction_number == TRANSACTIONS.c.transaction_number,
        ENTRIES.c.account_number == wallet,
    )


_ADJUSTED = (
    select(ADJUSTMENTS.c.adjustment_id, ADJUSTMENTS.c.amount, _MOVED)
    .select_from(
        ADJUSTMENTS.outerjoin(
            TRANSACTIONS,
            _posted(
                TRANSACTIONS.c.reason == literal("wallet_").concat(ADJUSTMENTS.c.kind),
                ADJUSTMENTS.c.adjustment_id,
            ),
        ).outerjoin(ENTRIES, _entry_of(ADJUSTMENTS.c.wallet_number))
    )
    .group_by(ADJUSTMENTS.c.adjustment_number)
    .having(or_(ADJUSTMENTS.c.amount != _MOVED, _TIMES != 1))
)
_ENTRIES_OF_AUDIT = func.count(AUDIT.c.audit_number)
_UNAUDITED = (
    select(ADJUSTMENTS.c.adjustment_id, literal(1), _ENTRIES_OF_AUDIT)
    .select_from(
        ADJUSTMENTS.outerjoin(
            AUDIT,
            and_(
                AUDIT.c.resource == ADJUSTMENTS.c.adjustment_id,
                AUDIT.c.action == "wallet.adjusted",
            ),
        )
    )
    .group_by(ADJUSTMENTS.c.adjustment_number)
    .having(_ENTRIES_OF_AUDIT != 1)
)
_IS_CREDITS = and_(
    ACCOUNTS.c.account_number == ENTRIES.c.account_number,
    ACCOUNTS.c.kind == "wallet",
    ACCOUNTS.c.owner_scope == "end_user",
    ACCOUNTS.c.owner_id == PAYMENT_EVENTS.c.buyer_id,
    ACCOUNTS.c.currency == "USD",
)
_CREDITED = func.coalesce(
    func.sum(case((ACCOUNTS.c.account_number.is_not(None), ENTRIES.c.amount), else_=0)), 0
)
_PAID = (
    select(PAYMENT_EVENTS.c.external_ref, PAYMENT_EVENTS.c.amount_cents * CENT, _CREDITED)
    .select_from(
        PAYMENT_EVENTS.outerjoin(
            TRANSACTIONS,
            and_(
                TRANSACTIONS.c.transaction_id == PAYMENT_EVENTS.c.transaction_id,
                TRANSACTIONS.c.reason.in_((PAYMENT_REASON, CREDIT_REASON)),
            ),
        )
        .outerjoin(ENTRIES, ENTRIES.c.transaction_number == TRANSACTIONS.c.transaction_number)
        .outerjoin(ACCOUNTS, _IS_CREDITS)
    )
    .group_by(PAYMENT_EVENTS.c.event_number)
    .having(PAYMENT_EVENTS.c.amount_cents * CENT != _CREDITED)
)
_DUE_CREDITS = case((TOP_UPS.c.event_id.is_not(None), 1), else_=0)
_DUE_UNITS = _DUE_CREDITS * TOP_UPS.c.amount_cents * CENT
_TOPPED_UP = (
    select(TOP_UPS.c.top_up_id, _DUE_UNITS, _MOVED)
    .select_from(
        TOP_UPS.outerjoin(
            TRANSACTIONS,
            _posted(TRANSACTIONS.c.reason == CREDIT_REASON, TOP_UPS.c.top_up_id),
        ).outerjoin(ENTRIES, _entry_of(TOP_UPS.c.wallet_number))
    )
    .group_by(TOP_UPS.c.top_up_number)
    .having(or_(_DUE_UNITS != _MOVED, _DUE_CREDITS != _TIMES))
)

_SUM_OF_PARTS = USAGE_RECORDS.c.upstream + USAGE_RECORDS.c.channel + USAGE_RECORDS.c.platform
_UNEVEN = select(USAGE_RECORDS.c.request_id, _SUM_OF_PARTS, USAGE_RECORDS.c.retail).where(
    USAGE_RECORDS.c.retail != _SUM_OF_PARTS
)
_PARTS: Final = {
    RETAIL_REASON: -USAGE_RECORDS.c.retail,
    COST_REASON: USAGE_RECORDS.c.upstream,
    CHANNEL_REASON: USAGE_RECORDS.c.channel,
    PLATFORM_REASON: USAGE_RECORDS.c.platform,
}
_BY_REASON = [
    func.coalesce(func.sum(case((TRANSACTIONS.c.reason == reason, ENTRIES.c.amount), else_=0)), 0)
    for reason in _PARTS
]
# A wallet's entries alone: the other side of each is the clearing account's.
_WALLET_ENTRY = and_(
    ENTRIES.c.transaction_number == TRANSACTIONS.c.transaction_number,
    ENTRIES.c.account_number.in_(
        select(ACCOUNTS.c.account_number).where(ACCOUNTS.c.kind == "wallet")
    ),
)
_SHARED_OUT = (
    select(USAGE_RECORDS.c.request_id, *_PARTS.values(), *_BY_REASON)
    .select_from(
        USAGE_RECORDS.outerjoin(
            TRANSACTIONS,
            _posted(TRANSACTIONS.c.reason.in_(list(_PARTS)), USAGE_RECORDS.c.request_id),
        ).outerjoin(ENTRIES, _WALLET_ENTRY)
    )
    .group_by(USAGE_RECORDS.c.record_number)
    .having(or_(*(part != moved for part, moved in zip(_PARTS.values(), _BY_REASON, strict=True))))
    .limit(MOST)
)


def _without(column: Column[str], of_posting: Column[str]) -> ColumnElement[bool]:
    return not_(select(literal(1)).where(column == of_posting).exists())


_STRAYS = select(TRANSACTIONS.c.transaction_id, TRANSACTIONS.c.reason, literal("none")).where(
    or_(
        and_(
            TRANSACTIONS.c.reason.in_(ADJUSTMENT_REASONS),
            _without(ADJUSTMENTS.c.adjustment_id, TRANSACTIONS.c.subject),
        ),
        and_(
            TRANSACTIONS.c.reason.in_((PAYMENT_REASON, CREDIT_REASON)),
            _without(PAYMENT_EVENTS.c.transaction_id, TRANSACTIONS.c.transaction_id),
        ),
        and_(
            TRANSACTIONS.c.reason.in_(list(_PARTS)),
            _without(USAGE_RECORDS.c.request_id, TRANSACTIONS.c.subject),
        ),
    )
)
