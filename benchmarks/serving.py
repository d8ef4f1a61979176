"""Servers in processes of their own, and callers that keep their connections."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FIXED = Path(__file__).with_name("fixed_server.py")
WSGI_SERVERS = Path(__file__).with_name("wsgi_servers.py")
BARE = Path(__file__).with_name("bare_server.py")
STOP_SECONDS = 10
SERVE = "import sys; from settlekit_mock.cli import main; sys.exit(main(sys.argv[1:]))"


@contextmanager
def _process(command: list[str]) -> Iterator[str]:
    """Run a server that says where it listens on its first line, as JSON."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def fixed_server(body: bytes) -> Any:
    """Serve one body for every call, as fast as Python does."""
    return _process([sys.executable, str(FIXED), body.hex()])


def bare_server() -> Any:
    """Run the mock's HTTP server around an application that does nothing."""
    return _process([sys.executable, str(BARE)])


def mock_server(*options: str) -> Any:
    """Run ``settlekit-mock serve`` on a free port."""
    return _process([sys.executable, "-c", SERVE, "serve", "--port", "0", "--json", *options])


def wsgi_server(name: str, application: str) -> Any:
    """Run one of the WSGI servers that can be had from Python around an application."""
    return _process([sys.executable, str(WSGI_SERVERS), name, application])


def wait_for(url: str) -> None:
    """Wait until something listens there."""
    parts = urlsplit(url)
    for _ in range(200):
        try:
            socket.create_connection((parts.hostname or "", parts.port or 0), 1).close()
        except ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on {url}")


class Caller:
    """One kept connection to a server."""

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._connection = HTTPConnection(parts.hostname, parts.port, timeout=60)
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        """Make a call and return its decoded answer, without the envelope."""
        raw = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, raw, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        read = json.loads(content)
        return read.get("data", read)

    def close(self) -> None:
        self._connection.close()


def rate(
    make_call: Callable[[int], Callable[[], object]], connections: int, seconds: float
) -> float:
    """Return calls a second of so many connections at once, each in a thread of its own.

    ``make_call`` is given the connection's number and returns what is done over and over.
    """
    counts = [0] * connections
    calls = [make_call(number) for number in range(connections)]
    stop_at = time.perf_counter() + seconds

    def work(number: int) -> None:
        while time.perf_counter() < stop_at:
            calls[number]()
            counts[number] += 1

    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as threads:
        for done in [threads.submit(work, number) for number in range(connections)]:
            done.result()
    return sum(counts) / (time.perf_counter() - started)
