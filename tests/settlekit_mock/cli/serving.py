"""A ``settlekit-mock serve`` in a process of its own, and a receiver for what it delivers."""

import json
import os
import queue
import signal
import subprocess
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx

from settlekit import Client
from settlekit_mock.driver import Driver

COMMAND = str(Path(sysconfig.get_path("scripts")) / "settlekit-mock")
PATIENCE_SECONDS = 30.0
"""How long anything is waited for; a machine that is busy with other things may need it."""


def environ(**variables: str) -> dict[str, str]:
    """Return this process's environment without a developer's own settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SETTLEKIT_", "SIGLUME_", "SHOP_")) and "proxy" not in name.lower()
    }
    return {**kept, **variables}


@dataclass
class Finished:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def error_lines(self) -> list[str]:
        return self.err.strip().splitlines()

    @property
    def answers(self) -> list[Any]:
        """The JSON values it printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(*arguments: str, **variables: str) -> Finished:
    """Run the command to its end."""
    ended = subprocess.run(
        [COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env=environ(**variables),
        check=False,
    )
    return Finished(ended.returncode, ended.stdout, ended.stderr)


class Served:
    """A server in a process of its own."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        process = subprocess.Popen(
            [COMMAND, "serve", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ(**variables),
        )
        assert process.stderr is not None
        self._process, self.err = process, process.stderr
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.first_line = self.next_line()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.put(line)

    def next_line(self) -> str:
        try:
            return self.lines.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            self._process.kill()
            ended = self._ended()
            raise AssertionError(f"the server said nothing: {ended.err}") from None

    def lines_to(self, last: str) -> list[str]:
        """Read on, up to the line that begins like this."""
        found = [self.next_line()]
        while not found[-1].startswith(last):
            found.append(self.next_line())
        return found

    @property
    def told(self) -> dict[str, Any]:
        """What it said with ``--json``."""
        found: dict[str, Any] = json.loads(self.first_line)
        return found

    @property
    def url(self) -> str:
        return str(self.told["url"])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def threads(self) -> int:
        """Count its threads, as the kernel sees them."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def end(self, number: int = signal.SIGTERM) -> Finished:
        """Send it a signal and wait for its end."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._ended()

    def kill(self) -> Finished:
        """End it at once, with no chance to tidy up."""
        return self.end(signal.SIGKILL)

    def _ended(self) -> Finished:
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self._reader.join(PATIENCE_SECONDS)
        out = []
        while not self.lines.empty():
            out.append(self.lines.get())
        err = self.err.read()
        for stream in (self.err, self._process.stdout):
            assert stream is not None
            stream.close()
        return Finished(self._process.returncode, "".join(out), err)


@contextmanager
def served(*arguments: str, **variables: str) -> Iterator[Served]:
    """Serve on a free port until the end of the block."""
    server = Served("--port", "0", "--json", *arguments, **variables)
    try:
        yield server
    finally:
        ended = server.end()
    assert ended.status == 0, ended.err
    assert ended.err == "", ended.err


@contextmanager
def driving(url: str, token: str | None = None) -> Iterator[Driver]:
    """Drive a server by its control routes."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with httpx.Client(
        base_url=url, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
    ) as http:

        def send(method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
            kind = {} if body is None else {"Content-Type": "application/json"}
            answer = http.request(method, path, content=body, headers=kind)
            return answer.status_code, answer.content

        yield Driver(send)


@dataclass
class Delivery:
    """One webhook as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def signature(self) -> str:
        return self.headers["siglume-signature"]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Receiver:
    """A shop's endpoint on a free port, which keeps what it got."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self.status = 200
        self.before_answer: Callable[[], object] = lambda: None
        self._arrived = threading.Condition()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/webhooks"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.take(Delivery(headers, body))
                receiver.before_answer()
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        return Handler

    def take(self, delivery: Delivery) -> None:
        with self._arrived:
            self.got.append(delivery)
            self._arrived.notify_all()

    def wait_for(self, count: int) -> list[Delivery]:
        """Return what arrived once there are so many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.got) >= count, PATIENCE_SECONDS)
            return list(self.got)

    def clear(self) -> None:
        with self._arrived:
            self.got.clear()
            self.status = 200

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(PATIENCE_SECONDS)


def eventually(found: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.02)


START = "2026-03-02T00:00:00Z"
CHECKOUT = {
    "merchant": "sandbox_merchant",
    "amount_minor": 1200,
    "currency": "JPY",
    "nonce": "n-1",
    "success_url": "http://localhost:3000/done",
    "cancel_url": "http://localhost:3000/cancelled",
}


def shop(server: Served) -> Client:
    """Return a shop's client of a server."""
    env = server.told["env"]
    return Client(token=env["SIGLUME_MERCHANT_AUTH_TOKEN"], base_url=env["SIGLUME_API_BASE"])


def pay(server: Served, nonce: str = "n-1") -> None:
    """Open a checkout session and have it paid."""
    with shop(server) as client:
        opened = client.checkout_sessions.create(**{**CHECKOUT, "nonce": nonce})
        client.request("POST", f"/sandbox/checkout-sessions/{opened.session_id}/confirm")
