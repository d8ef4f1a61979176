"""One mock in several processes: gunicorn around ``settlekit_mock:create_app()``."""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tests.settlekit_mock.cli.serving import environ

PATIENCE_SECONDS = 30.0
CUTS_BORNE = 1
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once: no call here is encrypted, and each new one costs what many calls cost."""
ADMIN = "sandbox_admin_token"
SHOP = "sandbox_merchant"


class Team:
    """A mock that a team shares; each call has a connection of its own, to whichever process."""

    def __init__(self, url: str, process: "subprocess.Popen[bytes]") -> None:
        self.url = url
        self.process = process

    def call(
        self, method: str, path: str, body: object = None, token: str = ADMIN
    ) -> httpx.Response:
        """Call once; what may be repeated is repeated where its connection was cut."""
        headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        keyed = isinstance(body, dict) and "idempotency_key" in body
        for _ in range(CUTS_BORNE if keyed or method == "GET" else 0):
            with suppress(httpx.ReadError, httpx.RemoteProtocolError):
                return self._send(method, path, body, headers)
        return self._send(method, path, body, headers)

    def _send(
        self, method: str, path: str, body: object, headers: dict[str, str]
    ) -> httpx.Response:
        transport = httpx.HTTPTransport(verify=NO_TLS, trust_env=False)
        with httpx.Client(transport=transport, timeout=PATIENCE_SECONDS) as http:
            return http.request(method, self.url + path, json=body, headers=headers)

    def post(self, path: str, **body: object) -> Any:
        return self._data(self.call("POST", path, body))

    def get(self, path: str) -> Any:
        return self._data(self.call("GET", path))

    def _data(self, answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        read = answer.json()
        return read.get("data", read)

    def events(self, kind: str) -> list[Any]:
        """Return the journal's entries of a kind."""
        found: list[Any] = self.get(f"/_mock/events?kind={kind}&limit=1000")["items"]
        return found

    def processes(self) -> list[int]:
        """Return the pids of the processes that answer."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]


class Counting:
    """A receiver that keeps the ids of the events it was sent; it fails as often as told."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.failures = 0
        counting = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                counting.received.append(body["id"])
                failing, counting.failures = counting.failures > 0, counting.failures - 1
                self.send_response(500 if failing else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def team(database: str, *options: str, workers: int = 4, **variables: str) -> Iterator[Team]:
    """Run the mock in several processes on a database."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    command = [sys.executable, "-m", "gunicorn", "-b", address, "-w", str(workers)]
    command += ["--threads", "4", "--log-level", "error", "--graceful-timeout", "3", *options]
    settings = {f"SETTLEKIT_MOCK_{name.upper()}": value for name, value in variables.items()}
    with subprocess.Popen(
        [*command, "settlekit_mock:create_app()"],
        env=environ(SETTLEKIT_MOCK_DB=database, **settings),
    ) as process:
        try:
            made = Team(f"http://{address}", process)
            wait_for(lambda: _answers(made))
            yield made
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _answers(made: Team) -> bool:
    assert made.process.poll() is None, "the server ended"
    try:
        return made.call("GET", "/_mock/clock").is_success
    except httpx.TransportError:
        return False


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def together(callers: int, work: Callable[[int], Any]) -> list[Any]:
    """Do work in so many threads that begin at one moment; return what each got, in order."""
    gate = threading.Barrier(callers)

    def begin(number: int) -> Any:
        gate.wait(PATIENCE_SECONDS)
        return work(number)

    with ThreadPoolExecutor(callers) as threads:
        return list(threads.map(begin, range(callers)))


def end_process(pid: int) -> None:
    """Kill one process, as a machine does that runs out of memory."""
    os.kill(pid, 9)
