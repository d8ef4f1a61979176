"""The clock goes on: periods close, notices go out, 72 hours pass, debits settle."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from examples.demo.stage import Stage
from settlekit.models import SettlementBatch

FINALITY = timedelta(seconds=30)
ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Debit:
    """The last batch to close, watched: how it stood just before its time, at it, and after."""

    before: SettlementBatch
    at_its_time: SettlementBatch
    after: SettlementBatch


def all_batches(stage: Stage) -> list[SettlementBatch]:
    """Read all batches, newest first."""
    return stage.provider.provider_statements.settlement_batches(limit=200).all()


def statuses(batches: list[SettlementBatch]) -> str:
    """Say how many batches are in which status."""
    counts = Counter(str(batch.status) for batch in batches)
    return ", ".join(f"{count} {status}" for status, count in counts.most_common())


def close_periods(stage: Stage) -> datetime | None:
    """Advance to the close of the last open period; None where none is open."""
    open_periods = stage.provider.provider_statements.summary().open_periods
    closes = [period.close_at for period in open_periods if period.close_at is not None]
    if not closes:
        return None
    stage.control.clock.advance(to=max(closes))
    return max(closes)


def settle_last(stage: Stage, batches: list[SettlementBatch]) -> Debit | None:
    """Advance until the batch that closed last is settled, and watch it on the way."""
    gates = [
        (batch.not_before_attempt_at, batch.settlement_batch_id)
        for batch in batches
        if batch.not_before_attempt_at is not None
    ]
    if not gates:
        return None
    gate, batch_id = max(gates)
    if gate <= stage.control.clock.now:  # it was settled while the month went on
        last = stage.provider.provider_statements.settlement_batch(batch_id)
        return Debit(last, last, last)
    return Debit(
        before=_batch_at(stage, batch_id, gate - ONE_SECOND),
        at_its_time=_batch_at(stage, batch_id, gate),
        after=_batch_at(stage, batch_id, gate + FINALITY),
    )


def _batch_at(stage: Stage, batch_id: str, at: datetime) -> SettlementBatch:
    stage.control.clock.advance(to=at)
    return stage.provider.provider_statements.settlement_batch(batch_id)
