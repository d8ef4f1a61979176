"""Payments accepted on PostgreSQL, by four processes and by one, on a server of the row's own.

Sixteen clients pay one by one over kept connections; what was answered for must be in the
journal, once.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import Figure, Unit, ratio_at_least
from measuring import Scale
from samples import MERCHANT
from serving import STOP_SECONDS, Caller, rate, wait_for

ROOT = Path(__file__).parents[2]
CLIENTS = 16
BUYERS = 2
"""For each client: a scope pauses at 10,000 yen, and each payment is one."""
WORKERS = 4
THREADS = 16
"""As many as there are clients: a kept connection stays with its process."""


def measure(scale: Scale) -> Iterator[Figure]:
    seconds, rounds = (1.5, 1) if scale.quick else (6.0, 3)
    sys.path.append(str(ROOT))
    from tests.postgresql import PostgresqlServer, _binaries

    binaries = _binaries()
    if binaries is None:
        return
    with TemporaryDirectory(prefix="settlekit-pg-", dir="/tmp") as folder:
        server = PostgresqlServer(binaries, Path(folder))
        try:
            found = [
                [_payments(server.create_database(), workers, seconds) for workers in (WORKERS, 1)]
                for _ in range(rounds)
            ]
        finally:
            server.stop()
    ours, theirs = (sorted(each)[rounds // 2] for each in zip(*found, strict=True))
    yield Figure(
        work=f"payments on PostgreSQL, {WORKERS} workers, {CLIENTS} clients",
        ours=ours,
        theirs=theirs,
        against="1 worker",
        unit=Unit.RATE,
        target=ratio_at_least(1.0),
        note="On PostgreSQL the clients share the cores with the server and the database.",
    )


def _payments(database: str, workers: int, seconds: float) -> float:
    counted = count()
    with _gunicorn(database, workers) as url:

        def make_call(_: int) -> Callable[[], object]:
            call = Caller(url)
            buyers = [call("POST", "/_mock/buyers", {})["buyer_id"] for _ in range(BUYERS)]
            turn = cycle(buyers)
            given = {"merchant": MERCHANT, "amount_minor": 1, "currency": "JPY"}

            def pay() -> None:
                call("POST", "/_mock/usage", {**given, "buyer": next(turn)})
                next(counted)

            return pay

        found = rate(make_call, CLIENTS, seconds)
        _check(Caller(url), next(counted))
    return found


def _check(call: Caller, accepted: int) -> None:
    checked = call("GET", "/_mock/check")
    assert checked["ok"], checked["violations"]
    after, told = 0, 0
    while True:
        path = f"/_mock/events?kind=payment.accepted&limit=1000&after={after}"
        items = call("GET", path)["items"]
        if not items:
            break
        after, told = items[-1]["seq"], told + len(items)
    assert told == accepted, f"{told} payments for {accepted} answers"


@contextmanager
def _gunicorn(database: str, workers: int) -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    options = ["-w", str(workers), "--threads", str(THREADS), "--keep-alive", "60"]
    command = [sys.executable, "-m", "gunicorn", "-b", address, "--log-level", "error", *options]
    process = subprocess.Popen(
        [*command, "settlekit_mock:create_app()"],
        env={**os.environ, "SETTLEKIT_MOCK_DB": database},
    )
    try:
        url = f"http://{address}"
        wait_for(url)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
