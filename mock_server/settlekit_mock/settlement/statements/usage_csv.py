"""A batch's usage as CSV, streamed: memory doesn't grow with rows.

The rows of a batch share most of their cells, so a line is joined from what varies (id,
time, amounts, status) and two pieces made once for each kind of thing sold. Ids, times
and amounts never need quoting; everything a caller named goes through the CSV writer.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import select

from settlekit.money import TOKENS, Band
from settlekit_mock.http.csv import guarded, lines
from settlekit_mock.kernel.bulk import in_driver_words
from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.world import World
from settlekit_mock.settlement.confirmations import CADENCES, metered_amounts
from settlekit_mock.settlement.rules.standing import usage_status
from settlekit_mock.settlement.tables import LABELS, PERIOD_LABELS

COLUMNS: Final = (
    "metered_usage_id",
    "created_at",
    "plan_type",
    "settlement_cadence",
    "period_start",
    "period_end",
    "listing_id",
    "capability_key",
    "operation_key",
    "currency",
    "token_symbol",
    "provider_gross_amount_minor",
    "provider_usage_amount_minor",
    "provider_receivable_minor",
    "protocol_fee_minor",
    "gross_buyer_debit_minor",
    "rounding_delta_minor",
    "buyer_debit_minor",
    "status",
    "settlement_batch_id",
    "buyer_period_ref",
)
CHUNK: Final = 2_000
_AMOUNTS: Final = COLUMNS[11:18]
_ROWS: Final = (
    "SELECT usage_number, metered_usage_id, created_at, label_number, gross, fee, outcome "
    "FROM usage WHERE period_number = ? AND usage_number > ? ORDER BY usage_number LIMIT ?"
)


class _Label(NamedTuple):
    listing_id: str
    capability_key: str
    operation_key: str


def usage_csv(
    world: World, batch: AnyRow, *, listing_id: str | None, capability_key: str | None
) -> Iterator[bytes]:
    """Yield a batch's rows in the order of acceptance, narrowed to what was sold."""
    yield lines([COLUMNS])
    joined = _Lines(batch, _labels(world, batch.period_number), listing_id, capability_key)
    after = 0
    while True:
        with world.snapshot() as connection:
            statement = in_driver_words(_ROWS, connection.dialect.name)
            rows = connection.exec_driver_sql(statement, (batch.period_number, after, CHUNK)).cursor
            assert rows is not None
            chunk = rows.fetchall()
        if not chunk:
            return
        after = chunk[-1][0]
        yield joined.join(chunk).encode()


def _line(cells: tuple[str, ...]) -> str:
    return lines([cells]).decode()


def _labels(world: World, period_number: int) -> dict[int, _Label]:
    query = (
        select(
            LABELS.c.label_number,
            LABELS.c.listing_id,
            LABELS.c.capability_key,
            LABELS.c.operation_key,
        )
        .join(PERIOD_LABELS, PERIOD_LABELS.c.label_number == LABELS.c.label_number)
        .where(PERIOD_LABELS.c.period_number == period_number)
    )
    with world.snapshot() as connection:
        return {number: _Label(*cells) for number, *cells in connection.execute(query)}


class _Lines:
    """Joins the lines of one batch."""

    def __init__(
        self,
        batch: AnyRow,
        labels: dict[int, _Label],
        listing_id: str | None,
        capability_key: str | None,
    ) -> None:
        self._batch = batch
        self._heads = {
            number: self._head(label)
            for number, label in labels.items()
            if listing_id in (None, label.listing_id)
            and capability_key in (None, label.capability_key)
        }
        self._amounts: dict[tuple[int, int], str] = {}
        self._seconds: dict[int, str] = {}
        self._tails = {outcome: self._tail(outcome) for outcome in (None, "failed_chargeable")}

    def _head(self, label: _Label) -> str:
        batch = self._batch
        cells = (
            batch.band,
            CADENCES[Band(batch.band)],
            to_text(batch.period_start),
            to_text(batch.period_end),
            *(guarded(cell) for cell in label),
            batch.currency,
            TOKENS[batch.currency],
        )
        return _line(cells).rstrip("\r\n")

    def _tail(self, outcome: str | None) -> str:
        batch = self._batch
        status = usage_status(batch.status, failed_chargeable=outcome is not None)
        return _line((status.value, batch.settlement_batch_id, batch.buyer_period_ref))

    def _amount_cells(self, gross: int, fee: int) -> str:
        amounts = metered_amounts(gross, fee, self._batch.currency)
        return ",".join(amounts[name] for name in _AMOUNTS)

    def join(self, chunk: Sequence[Any]) -> str:
        """Join a chunk of rows."""
        heads, amounts, tails = self._heads, self._amounts, self._tails
        found: list[str] = []
        for _, usage_id, created_at, label, gross, fee, outcome in chunk:
            head = heads.get(label)
            if head is None:
                continue
            money = amounts.get((gross, fee))
            if money is None:
                money = amounts[gross, fee] = self._amount_cells(gross, fee)
            time = self._time(created_at)
            found.append(f"{usage_id},{time},{head},{money},{tails[outcome]}")
        return "".join(found)

    def _time(self, instant: int) -> str:
        second, millisecond = divmod(instant, 1000)
        text = self._seconds.get(second)
        if text is None:
            if len(self._seconds) > CHUNK:
                self._seconds.clear()
            text = self._seconds[second] = to_text(second * 1000)[:-4]
        return f"{text}{millisecond:03d}Z"
