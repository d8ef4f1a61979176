"""The operator's reports over many rows, through the mock's WSGI application."""

import tracemalloc
from collections.abc import Callable, Iterator

from figures import Figure, Unit, at_least, at_most
from measuring import Scale, medians, timed
from samples import ORIGIN, world_on_file

from settlekit.testing.transports import sync_http
from settlekit_mock import MockServer
from settlekit_mock.kernel.bulk import insert_rows
from settlekit_mock.ledger import service as ledger
from settlekit_mock.operations.tables import PAYOUTS
from settlekit_mock.operations.usage_tables import USAGE_RECORDS

REPORTS = ("usage", "payouts")
APPS = 50


def measure(scale: Scale) -> Iterator[Figure]:
    rows = scale.pick(50_000, 1_000_000)
    with world_on_file() as mock:
        _fill_usage(mock, rows)
        _fill_payouts(mock, rows)
        exports = [_export(mock, name) for name in REPORTS]
        rounds = scale.pick(3, 5)
        for name, seconds in zip(REPORTS, medians(rounds, *map(timed, exports)), strict=True):
            yield Figure(
                work=f"{name}.csv, {rows:,} rows",
                ours=rows / seconds,
                unit=Unit.RATE,
                target=at_least(80_000),
            )
        yield Figure(
            work=f"memory at most, while {rows:,} rows stream",
            ours=_peak(exports[0]),
            unit=Unit.BYTES,
            target=at_most(8 * 1024 * 1024),
        )


def _export(mock: MockServer, name: str) -> Callable[[], None]:
    headers = {"Authorization": f"Bearer {mock.token('admin')}"}

    def export() -> None:
        with (
            sync_http(mock.app) as http,
            http.stream("GET", f"{ORIGIN}/v1/admin/reports/{name}.csv", headers=headers) as answer,
        ):
            for _ in answer.raise_for_status().iter_raw():
                pass

    return export


def _peak(export: Callable[[], None]) -> float:
    export()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    export()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return max(peak - before, 0)


def _fill_usage(mock: MockServer, count: int) -> None:
    columns = tuple(column.name for column in USAGE_RECORDS.c)[1:]
    said = ("usr_1", "buyer_1", "chat", "platform", "a_provider", "a-model", 1000, 500, 0, "USD")
    amounts = (710_000, 923_000, 85_200, 127_800)
    rows = [(f"req_{n}", f"app_{n % APPS}", *said, *amounts, 37 * n) for n in range(count)]
    with mock.world.transaction() as tx:
        insert_rows(tx.connection, USAGE_RECORDS, columns, rows)


def _fill_payouts(mock: MockServer, count: int) -> None:
    columns = tuple(column.name for column in PAYOUTS.c)[1:]
    with mock.world.transaction() as tx:
        wallet = ledger.wallet(tx, owner_scope="developer", owner_id="usr_1", currency="USD")
        ended = (wallet.number, "usr_1", "USD", 250_000_000, "cancelled", None, None, None)
        rows = [(f"payout_{n}", *ended, 37 * n, 37 * n, None, None) for n in range(count)]
        insert_rows(tx.connection, PAYOUTS, columns, rows)
