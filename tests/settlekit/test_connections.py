"""One pool: shared by threads and tasks, by nobody else, and closed when it is closed."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from settlekit import (
    AsyncClient,
    Client,
    ClientUnusable,
    ConfigurationError,
    DecodeError,
    InvalidArgument,
    RequestTimeout,
    RetryPolicy,
    TransportError,
)
from tests.settlekit.sockets import HEAD, Ask, Talk, ask_async, ask_sync, serving, tell_port

BOTH = pytest.mark.parametrize("ask", [ask_sync, ask_async])
ONCE = RetryPolicy(attempts=1, total_seconds=0.3)


def base_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"


def test_one_connection_serves_many_calls() -> None:
    """Call after call goes over the same socket."""
    with serving(tell_port) as port, Client(token="t", base_url=base_url(port)) as client:
        ports = {client.request("GET", "/x").data[0] for _ in range(20)}
    assert len(ports) == 1


def test_threads_share_a_client() -> None:
    """Each thread gets its own answers."""
    paths = [f"/{number}" for number in range(120)]
    with (
        serving(tell_port) as port,
        Client(token="t", base_url=base_url(port)) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        answers = list(threads.map(lambda path: client.request("GET", path).data[1], paths))
    assert answers == [f"/v1{path}" for path in paths]


def test_tasks_share_a_client() -> None:
    """Each task gets its own answers."""
    paths = [f"/{number}" for number in range(24)]

    async def ask_all(port: int) -> list[Any]:
        async with AsyncClient(token="t", base_url=base_url(port)) as client:
            results = await asyncio.gather(*(client.request("GET", path) for path in paths))
        return [result.data[1] for result in results]

    with serving(tell_port) as port:
        assert asyncio.run(ask_all(port)) == [f"/v1{path}" for path in paths]


FORKING = """
import os, sys
from settlekit import Client

client = Client(token="t", base_url=sys.argv[1])
port = lambda: client.request("GET", "/x").data[0]
parent = port()
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    os.write(writing, f"{port()},{port()}".encode())
    client.close()
    os._exit(0)
os.close(writing)
os.waitpid(child, 0)
print(parent, os.read(reading, 100).decode(), port())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_connections_of_its_own() -> None:
    """The child reuses its own socket and never its parent's, whose pool outlives it."""
    with serving(tell_port) as port:
        command = [sys.executable, "-W", "error", "-c", FORKING, base_url(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    before, child, after = done.stdout.split()
    first, second = child.split(",")
    assert first == second
    assert before == after != first


def test_another_event_loop_is_refused_clearly() -> None:
    """Connections belong to the loop that made them, and the error says what to do."""
    with serving(tell_port) as port:
        client = AsyncClient(token="t", base_url=base_url(port))

        async def ask() -> Any:
            return (await client.request("GET", "/x")).data

        async def ask_and_close() -> Any:
            async with AsyncClient(token="t", base_url=base_url(port)) as own:
                return (await own.request("GET", "/x")).data

        with asyncio.Runner() as first, asyncio.Runner() as second:
            assert first.run(ask())[1] == "/v1/x"
            with pytest.raises(ClientUnusable, match="another event loop"):
                second.run(ask())
            assert second.run(ask_and_close())[1] == "/v1/x"
            first.run(client.close())


def test_trio_is_a_loop_too() -> None:
    """An async client runs on trio as it does on asyncio."""
    trio = pytest.importorskip("trio")
    with serving(tell_port) as port:

        async def ask() -> Any:
            async with AsyncClient(token="t", base_url=base_url(port)) as client:
                return (await client.request("GET", "/x")).data

        assert trio.run(ask)[1] == "/v1/x"


def test_a_closed_client_says_so() -> None:
    """Our error, a RuntimeError too; also for its variants; and closing twice is fine."""
    client = Client(token="t", base_url="http://localhost/v1")
    variant = client.with_options(timeout=1)
    client.close()
    client.close()
    for closed in (client, variant):
        with pytest.raises(ClientUnusable, match="closed"):
            closed.platform.status()
    with pytest.raises(RuntimeError):
        client.platform.status()


def test_a_closed_async_client_says_so() -> None:
    """The twin's error is the same, and so where the caller's own pool was closed."""

    async def use_after_close() -> None:
        http = httpx.AsyncClient()
        own = AsyncClient(token="t", base_url="http://localhost/v1", http=http)
        await http.aclose()
        closed = AsyncClient(token="t", base_url="http://localhost/v1")
        await closed.close()
        for client in (own, closed):
            with pytest.raises(ClientUnusable, match="closed"):
                await client.platform.status()

    asyncio.run(use_after_close())


@pytest.mark.parametrize(
    ("client", "http"),
    [(Client, httpx.AsyncClient()), (AsyncClient, httpx.Client()), (Client, object())],
)
def test_a_pool_of_the_other_kind_is_refused(client: Any, http: Any) -> None:
    """A mix-up of sync and async is found when the client is made."""
    with pytest.raises(ConfigurationError, match="http must be an httpx"):
        client(token="t", base_url="http://localhost/v1", http=http)


def test_your_pool_keeps_its_headers_and_timeouts() -> None:
    """What your HTTP client says holds, until the call or the client says otherwise."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": None})

    transport = httpx.MockTransport(answer)
    timeout = httpx.Timeout(7, connect=3, pool=None)
    with httpx.Client(transport=transport, headers={"x-gateway": "g"}, timeout=timeout) as http:
        retries = RetryPolicy(total_seconds=50)
        client = Client(token="t", base_url="http://localhost/v1", http=http, retries=retries)
        client.request("GET", "/x")
        client.with_options(timeout=2).request("GET", "/x")
    assert seen[0].headers["x-gateway"] == "g"
    assert seen[0].headers["user-agent"].startswith("settlekit/")
    first, second = (request.extensions["timeout"] for request in seen)
    assert (first["read"], first["connect"], first["pool"]) == (7, 3, pytest.approx(50, abs=1))
    assert set(second.values()) == {2}


def test_a_proxy_of_your_pool_is_used() -> None:
    """Requests go to the proxy, by their absolute address."""
    with serving(tell_port) as port, httpx.Client(proxy=f"http://127.0.0.1:{port}") as http:
        address = "http://localhost:1/v1"
        assert ask_sync(address, http=http)[1] == "http://localhost:1/v1/x"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_is_checked_against_your_own_authority(tmp_path: Path) -> None:
    """A stranger's certificate is refused; with your own authority's context it is taken."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command = [*made, "-keyout", str(key), "-out", str(cert), *subject]
    subprocess.run(command, check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    with serving(tell_port, server) as port:
        address = f"https://localhost:{port}/v1"
        with pytest.raises(TransportError, match="certificate"):
            ask_sync(address, retries=RetryPolicy(attempts=1))
        with httpx.Client(verify=ssl.create_default_context(cafile=str(cert))) as http:
            assert ask_sync(address, http=http)[1] == "/v1/x"


def trickle_body(talk: Talk) -> None:
    talk.next_request()
    talk.send(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(1000):
        talk.send(b" ")
        time.sleep(0.02)


def trickle_head(talk: Talk) -> None:
    talk.next_request()
    for letter in HEAD + b"X-Long: %s" % (b"x" * 1000):
        talk.send(bytes([letter]))
        time.sleep(0.02)


@BOTH
def test_a_body_that_trickles_ends_with_the_calls_time(ask: Ask) -> None:
    """Each read comes in time, and still the call as a whole ends when its time is up."""
    with serving(trickle_body) as port:
        started = time.monotonic()
        with pytest.raises(RequestTimeout):
            ask(base_url(port), timeout=5, retries=ONCE)
        assert 0.25 < time.monotonic() - started < 1.5


def test_a_head_that_trickles_ends_in_async_too() -> None:
    """A task is interrupted wherever it waits."""
    with serving(trickle_head) as port:
        started = time.monotonic()
        with pytest.raises(RequestTimeout):
            ask_async(base_url(port), timeout=5, retries=ONCE)
        assert time.monotonic() - started < 1.5


@BOTH
def test_the_time_of_a_call_holds_over_its_attempts(ask: Ask) -> None:
    """Attempt after attempt that fails late ends when the call's time is up."""

    def stall(talk: Talk) -> None:
        talk.next_request()
        time.sleep(1)

    policy = RetryPolicy(attempts=50, total_seconds=0.4, backoff_seconds=0.01)
    with serving(stall) as port:
        started = time.monotonic()
        with pytest.raises(RequestTimeout):
            ask(base_url(port), timeout=0.1, retries=policy)
        assert 0.3 < time.monotonic() - started < 1.5


@pytest.mark.parametrize("framed", [True, False])
def test_an_answer_without_end_is_refused(framed: bool) -> None:
    """A body beyond the limit is not read on, whatever its length said."""

    def flood(talk: Talk) -> None:
        talk.next_request()
        talk.send(HEAD + (b"Content-Length: 900000\r\n" if framed else b"") + b"\r\n")
        for _ in range(900):
            talk.send(b" " * 1000)

    with serving(flood) as port, Client(token="t", base_url=base_url(port)) as client:
        options = attrs.evolve(client._core.options, max_answer_bytes=10_000)
        client._core = attrs.evolve(client._core, options=options)
        with pytest.raises(DecodeError, match="longer than 10000 bytes") as caught:
            client.request("GET", "/x")
    assert caught.value.response.status == 200


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", True])
def test_a_senseless_timeout_is_refused(timeout: Any) -> None:
    """When the client is made, and when it is varied."""
    with pytest.raises(InvalidArgument, match="timeout must"):
        Client(token="t", base_url="http://localhost/v1", timeout=timeout)
    with (
        Client(token="t", base_url="http://localhost/v1") as client,
        pytest.raises(InvalidArgument, match="timeout must"),
    ):
        client.with_options(timeout=timeout)


@pytest.mark.parametrize("retries", [0, 3, "4", False, RetryPolicy])
@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_retries_are_a_policy(client: Any, retries: Any) -> None:
    """A bare number is refused when the client or its variant is made, a zero included."""
    with pytest.raises(InvalidArgument, match="retries must be a RetryPolicy"):
        client(token="t", base_url="http://localhost/v1", retries=retries)
    made = client(token="t", base_url="http://localhost/v1")
    with pytest.raises(InvalidArgument, match="retries must be a RetryPolicy"):
        made.with_options(retries=retries)


@pytest.mark.parametrize(
    "headers", [{"x y": "1"}, {"x": "a\nb"}, {"x": "ü"}, {"": "1"}, {"x": 5}, {5: "x"}, {"x": " a"}]
)
def test_a_header_that_cannot_travel_is_refused(headers: Any) -> None:
    """No header smuggles another, and the error doesn't repeat the value."""
    with (
        Client(token="t", base_url="http://localhost/v1") as client,
        pytest.raises(InvalidArgument, match="headers must") as caught,
    ):
        client.with_options(headers=headers)
    assert "\n" not in str(caught.value)
