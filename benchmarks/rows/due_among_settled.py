"""The clock over one due batch: among a hundred thousand settled ones, and among a hundred.

A hundred batches are settled by the rules; the large world copies their rows, for what is
measured is whether work grows with what exists.
"""

from collections.abc import Iterator

from figures import Figure, Unit, ratio_at_most
from measuring import Sample, Scale, medians, timed
from samples import pay
from sqlalchemy import Connection, Table, func, select

from settlekit_mock import MockServer
from settlekit_mock.settlement.tables import ATTEMPTS, BATCHES, MOVES, NOTICES, PERIODS

SETTLED = 100
PERIOD_DAYS = 12
"""A week's period at most, the notice and 72 h, and the debit's finality."""

RENUMBERED = {
    "period_number": PERIODS,
    "batch_number": BATCHES,
    "move_number": MOVES,
    "attempt_number": ATTEMPTS,
    "notice_number": NOTICES,
}
"""The key columns, and the table whose numbering each is of."""

RENAMED = ("period_id", "settlement_batch_id", "chain_receipt_id", "notice_id")


def measure(scale: Scale) -> Iterator[Figure]:
    copies = scale.pick(100, 1_000)
    ours, theirs = medians(scale.pick(15, 41), _sample(copies), _sample(1))
    yield Figure(
        work=f"one due batch among {SETTLED * copies:,} settled",
        ours=ours,
        theirs=theirs,
        against=f"among {SETTLED}",
        unit=Unit.SECONDS,
        target=ratio_at_most(1.5),
    )


def _sample(copies: int) -> Sample:
    mock = MockServer(freeze_at="2026-01-01T00:00:00Z")
    for _ in range(SETTLED):
        pay(mock, mock.buyers.create(), 10)
    mock.clock.advance(days=2 * PERIOD_DAYS)
    with mock.world.transaction() as tx:
        _copy(tx.connection, copies - 1)
    buyer = mock.buyers.create()

    def one_batch() -> None:
        mock.clock.advance(days=PERIOD_DAYS)

    sample = timed(one_batch)

    def paid_first() -> float:
        pay(mock, buyer, 10)
        return sample()

    return paid_first


def _copy(connection: Connection, copies: int) -> None:
    highest = {
        name: connection.execute(select(func.max(table.c[name]))).scalar_one()
        for name, table in RENUMBERED.items()
    }
    for table in (PERIODS, BATCHES, MOVES, ATTEMPTS, NOTICES):
        statement = _copying(table, highest)
        for number in range(1, copies + 1):
            connection.exec_driver_sql(statement, (number,))


def _copying(table: Table, highest: dict[str, int]) -> str:
    copied = [
        f"{column.name} + {highest[column.name]} * ?1"
        if column.name in RENUMBERED
        else f"{column.name} || '.' || ?1"
        if column.name in RENAMED
        else column.name
        for column in table.c
    ]
    names = ", ".join(column.name for column in table.c)
    key = next(name for name in RENUMBERED if RENUMBERED[name] is table)
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {', '.join(copied)} "
        f"FROM {table.name} WHERE {key} <= {highest[key]}"
    )
