"""A batch's CSV in the client: bytes to typed rows."""

import csv
import io
import tracemalloc
from collections.abc import Iterator

import httpx
from figures import Figure, Unit, ratio_at_most
from measuring import Scale, medians, timed
from samples import BATCH_ROWS, answering, batch_csv

from settlekit import Client

PIECE = 1 << 16


def _streamed(batches: int) -> Iterator[bytes]:
    """Give the rows of a batch, so many times over, without ever having them all."""
    body = batch_csv()
    header = body[: body.index(b"\n") + 1]
    rows = body[len(header) :]
    yield header
    for _ in range(batches):
        for start in range(0, len(rows), PIECE):
            yield rows[start : start + PIECE]


def _read(batches: int) -> None:
    http = answering(lambda _: httpx.Response(200, content=_streamed(batches)))
    client = Client(token="token", base_url="http://127.0.0.1:8787/v1", http=http)
    with client.provider_statements.usage_csv("msb_1") as rows:
        count = sum(1 for _ in rows)
    if count != batches * BATCH_ROWS:
        raise RuntimeError(f"{count} rows read")


def _floor(batches: int) -> None:
    raw = io.BytesIO(b"".join(_streamed(batches)))
    for _ in csv.reader(io.TextIOWrapper(raw, "utf-8", newline="")):
        pass


def _peak(batches: int) -> float:
    tracemalloc.start()
    _read(batches)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def measure(scale: Scale) -> Iterator[Figure]:
    batches = scale.pick(1, 5)
    samples = timed(lambda: _read(batches)), timed(lambda: _floor(batches))
    rows = batches * BATCH_ROWS
    ours, theirs = (seconds / rows for seconds in medians(scale.pick(7, 15), *samples))
    yield Figure(
        work="a batch's CSV to typed rows, a row",
        ours=ours,
        theirs=theirs,
        against="csv.reader, lists",
        unit=Unit.SECONDS,
        target=ratio_at_most(3.2),
    )
    _read(1)
    much = scale.pick(3, 20)
    yield Figure(
        work=f"its memory at {much * BATCH_ROWS:,} rows",
        ours=_peak(much),
        theirs=_peak(1),
        against=f"at {BATCH_ROWS:,} rows",
        unit=Unit.BYTES,
        target=ratio_at_most(1.1),
    )
