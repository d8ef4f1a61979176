"""A full batch's CSV from the server, through its WSGI application."""

import csv
import gc
import io
import tracemalloc
from collections.abc import Iterator

from figures import Figure, Unit, at_least, at_most
from measuring import Scale, medians, timed
from samples import BATCH_ROWS, ORIGIN, batch_csv, full_batch

from settlekit.testing.transports import sync_http
from settlekit_mock import MockServer


def measure(scale: Scale) -> Iterator[Figure]:
    cells = list(csv.reader(io.StringIO(batch_csv().decode(), newline="")))
    with MockServer() as mock, sync_http(mock.app) as http:
        path = f"/v1/sdrp/metered/provider/settlement-batches/{full_batch(mock)}/usage-events.csv"
        headers = {"Authorization": f"Bearer {mock.token('provider')}"}

        def export() -> None:
            with http.stream("GET", f"{ORIGIN}{path}", headers=headers) as answer:
                for _ in answer.raise_for_status().iter_raw():
                    pass

        samples = timed(export), timed(lambda: csv.writer(io.StringIO()).writerows(cells))
        ours, theirs = (BATCH_ROWS / seconds for seconds in medians(scale.pick(9, 41), *samples))
        times = scale.pick(20, 100)
        grown = _grown(export, times)
    yield Figure(
        work=f"CSV of {BATCH_ROWS:,} rows from the server",
        ours=ours,
        theirs=theirs,
        against="csv.writer, cells in memory",
        unit=Unit.RATE,
        target=at_least(150_000),
    )
    yield Figure(
        work=f"memory left by {times} exports",
        ours=grown,
        unit=Unit.BYTES,
        target=at_most(256 * 1024),
    )


def _grown(export: object, times: int) -> float:
    assert callable(export)
    tracemalloc.start()
    for _ in range(3):
        export()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(times):
        export()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return max(after - before, 0)
