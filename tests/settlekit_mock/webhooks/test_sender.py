import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from settlekit_mock.webhooks import connections, rules
from settlekit_mock.webhooks.sender import HttpSender, MountedSender, Mounts, Outcome

OK = b"HTTP/1.1 200 OK\r\n"
TRICKLES = {
    "/trickle/status": (b"", OK),
    "/trickle/header": (OK, b"X-Slow: "),
    "/trickle/continue": (b"HTTP/1.1 100 Continue\r\n\r\n" * 3, b""),
    "/trickle/body": (OK + b"Content-Length: 1000\r\n\r\n", b""),
    "/trickle/chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b""),
    "/trickle/gzip": (OK + b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nno gzip!!", b""),
}


class Shop(BaseHTTPRequestHandler):
    """A receiver on a socket: the path says how it answers."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body, self.client_address[1]))
        if self.path == "/slow":
            self.server.released.wait(5)
        if self.path.startswith("/trickle"):
            self.trickle(*TRICKLES[self.path])
            return
        if self.path == "/broken":
            self.close_connection = True
            return
        status = {"/redirect": 302, "/error": 500}.get(self.path, 200)
        answer = b"x" * 100_000 if self.path == "/long" else b"ok"
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        if self.path == "/unmeasured":
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        # A hasty receiver closes without having said so.
        self.close_connection = self.close_connection or self.path == "/hasty"

    def trickle(self, at_once: bytes, slowly: bytes) -> None:
        """Answer a part at once and the rest byte by byte, until the caller hangs up."""
        self.close_connection = True
        self.wfile.write(at_once)
        for number in range(1000):
            if self.server.released.wait(0.05):
                return
            try:
                self.wfile.write(slowly[number : number + 1] or b"x")
            except OSError:
                return

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.got, server.released = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sender() -> Iterator[HttpSender]:
    made = HttpSender(timeout_seconds=0.3)
    yield made
    made.close()


def url(shop: ThreadingHTTPServer, path: str = "/hook", host: str = "127.0.0.1") -> str:
    return f"http://{host}:{shop.server_port}{path}"


def test_sends_the_exact_bytes(shop: ThreadingHTTPServer, sender: HttpSender) -> None:
    """A receiver gets the body byte for byte, with the headers given."""
    outcome = sender.send(url(shop), {"X-Test": "1"}, b'{"a" : 1}\n')
    path, headers, body, _ = shop.got[0]
    assert (outcome, path, headers["X-Test"], body) == (Outcome(200), "/hook", "1", b'{"a" : 1}\n')


def test_names_the_receiver(shop: ThreadingHTTPServer, sender: HttpSender) -> None:
    """The Host header is the name of the URL, though the connection goes to its address."""
    sender.send(url(shop, host="localhost"), {}, b"{}")
    assert shop.got[0][1]["Host"] == f"localhost:{shop.server_port}"


def test_reuses_a_connection(shop: ThreadingHTTPServer, sender: HttpSender) -> None:
    """Two deliveries to one receiver share a connection."""
    sender.send(url(shop), {}, b"{}")
    sender.send(url(shop), {}, b"{}")
    assert shop.got[0][3] == shop.got[1][3]


@pytest.mark.parametrize("path", ["/hasty", "/unmeasured", "/long"])
def test_opens_another_connection(shop: ThreadingHTTPServer, sender: HttpSender, path: str) -> None:
    """Where a connection can't be used again the next delivery arrives on another one."""
    assert sender.send(url(shop, path), {}, b"{}") == Outcome(200)
    time.sleep(0.05)  # for the receiver's close to arrive
    assert sender.send(url(shop), {}, b"{}") == Outcome(200)
    assert shop.got[0][3] != shop.got[1][3]


def test_keeps_a_connection_for_a_moment_only(
    shop: ThreadingHTTPServer, sender: HttpSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was idle for longer isn't used again."""
    monkeypatch.setattr(connections, "KEEP_SECONDS", 0.0)
    sender.send(url(shop), {}, b"{}")
    sender.send(url(shop), {}, b"{}")
    assert shop.got[0][3] != shop.got[1][3]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("?shop=1", "/?shop=1"),
        ("/a/b;c?d=e&f=%20g#h", "/a/b;c?d=e&f=%20g"),
        ('/{x}"<y>|?q=^`', "/%7Bx%7D%22%3Cy%3E%7C?q=%5E%60"),
    ],
)
def test_asks_for_the_path_of_the_url(
    shop: ThreadingHTTPServer, sender: HttpSender, path: str, expected: str
) -> None:
    """Path and query reach the receiver as given; what no address holds is escaped."""
    assert sender.send(url(shop, path), {}, b"{}") == Outcome(200)
    assert shop.got[0][0] == expected


def test_follows_no_redirect(shop: ThreadingHTTPServer, sender: HttpSender) -> None:
    """A redirect is the outcome, and nobody goes where it points."""
    assert sender.send(url(shop, "/redirect"), {}, b"{}") == Outcome(302)
    assert [path for path, *_ in shop.got] == ["/redirect"]


def test_error_status_is_the_outcome(shop: ThreadingHTTPServer, sender: HttpSender) -> None:
    """A receiver's error status is told as it is."""
    assert sender.send(url(shop, "/error"), {}, b"{}") == Outcome(500)


def test_gives_up_on_a_slow_receiver(shop: ThreadingHTTPServer, sender: HttpSender) -> None:
    """A receiver that says nothing in time fails the delivery."""
    assert sender.send(url(shop, "/slow"), {}, b"{}") == Outcome(None, "no answer within 0.3 s")


@pytest.mark.parametrize("part", ["status", "header", "continue"])
def test_the_time_is_a_total(shop: ThreadingHTTPServer, sender: HttpSender, part: str) -> None:
    """A receiver that keeps sending something, but never an answer, fails the delivery in time."""
    began = time.monotonic()
    outcome = sender.send(url(shop, f"/trickle/{part}"), {}, b"{}")
    assert outcome == Outcome(None, "no answer within 0.3 s")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("part", ["body", "chunks", "gzip"])
def test_the_status_is_the_answer(shop: ThreadingHTTPServer, sender: HttpSender, part: str) -> None:
    """Any 2xx is delivered, however its body goes on, and nobody waits for its end."""
    began = time.monotonic()
    assert sender.send(url(shop, f"/trickle/{part}"), {}, b"{}") == Outcome(200)
    assert time.monotonic() - began < 1


def test_a_broken_connection(shop: ThreadingHTTPServer, sender: HttpSender) -> None:
    """A receiver that hangs up fails the delivery."""
    outcome = sender.send(url(shop, "/broken"), {}, b"{}")
    assert outcome.status is None
    assert "broke" in outcome.error


def test_nobody_listens(shop: ThreadingHTTPServer, sender: HttpSender) -> None:
    """Where nobody listens the delivery fails and says so."""
    shop.shutdown()
    shop.server_close()
    assert sender.send(url(shop), {}, b"{}") == Outcome(None, "the connection was refused")


def test_tries_each_checked_address(shop: ThreadingHTTPServer) -> None:
    """A name with several addresses is reached at the one that listens."""
    sender = HttpSender(resolve=lambda host, port: ["::1", "127.0.0.1"])
    outcome = sender.send(url(shop, host="localhost"), {}, b"{}")
    sender.close()
    assert outcome == Outcome(200)


def test_connects_to_the_checked_address(shop: ThreadingHTTPServer) -> None:
    """The name is looked up once, and the connection goes to the address that was checked."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    sender = HttpSender(resolve=resolve)
    outcome = sender.send(url(shop, host="localhost"), {}, b"{}")
    sender.close()
    assert (outcome, asked) == (Outcome(200), ["localhost"])


def test_needs_no_second_look_up() -> None:
    """A name that only the sender can resolve is reached at the address it was given."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        sender = HttpSender(
            remote_allowed=True, timeout_seconds=0.2, resolve=lambda host, port: ["127.0.0.1"]
        )
        sender.send(f"https://shop.invalid:{listener.getsockname()[1]}/", {}, b"{}")
        sender.close()
        connection, _ = listener.accept()
        connection.close()


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "93.184.216.34"]
)
def test_refuses_other_machines(address: str) -> None:
    """A local name that resolves to another machine is refused before anything is sent."""
    sender = HttpSender(resolve=lambda host, port: [address])
    outcome = sender.send("http://localhost:3000/", {}, b"{}")
    assert outcome.status is None
    assert outcome.error.startswith("refused target: ")


@pytest.mark.parametrize(
    "url", ["https://shop.example/", "https://10.0.0.1/", "https://[fe80::1]/"]
)
def test_asks_no_name_server_without_leave(url: str) -> None:
    """Without leave for remote targets another machine's name is refused without a look-up."""

    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    outcome = HttpSender(resolve=resolve).send(url, {}, b"{}")
    assert outcome.status is None
    assert "isn't this machine" in outcome.error


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://127.0.0.1:8787/hook", ["127.0.0.1"]),
        ("http://localhost:8787/_mock/reset", ["::1", "127.0.0.1"]),
        ("http://[::1]:8787/", ["::1"]),
        ("https://127.1.2.3:8787/", ["127.1.2.3"]),
        ("https://shop.localhost:8787/", ["::ffff:127.0.0.1"]),
    ],
)
def test_refuses_the_servers_own_address(url: str, addresses: list[str]) -> None:
    """However it is spelled, the server's own address gets no delivery."""
    sender = HttpSender(resolve=lambda host, port: addresses, own_ports={8787})
    outcome = sender.send(url, {}, b"{}")
    assert (outcome.status, outcome.error[:15]) == (None, "refused target:")
    assert "is this server itself" in outcome.error


@pytest.fixture
def outward() -> str:
    """This machine's address as others see it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of documentation: nothing is sent
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return probe.getsockname()[0]


def test_refuses_the_servers_own_address_among_public_ones(
    outward: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With leave for remote targets, this machine's public address is its own too."""
    monkeypatch.setattr(rules, "is_public", lambda address: True)
    sender = HttpSender(
        remote_allowed=True,
        timeout_seconds=0.1,
        resolve=lambda host, port: [outward],
        own_ports={443},
    )
    assert "is this server itself" in sender.send("https://mock.example/", {}, b"{}").error


def test_refuses_private_addresses_with_leave() -> None:
    """With leave for remote targets, private ones are refused still."""
    sender = HttpSender(remote_allowed=True, resolve=lambda host, port: ["192.168.0.1"])
    assert "private" in sender.send("https://shop.example/", {}, b"{}").error


def test_a_name_that_does_not_resolve() -> None:
    """A name without an address fails the delivery."""

    def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    sender = HttpSender(remote_allowed=True, resolve=resolve)
    assert sender.send("https://shop.example/", {}, b"{}").error == "the name can't be resolved"


def test_mounted_application_gets_the_delivery() -> None:
    """What is mounted at an origin receives in process, whatever the path, and no socket opens."""
    mounts = Mounts()
    mounts.mount("https://Shop.example:443", lambda url, headers, body: Outcome(204))
    sender = MountedSender(mounts, HttpSender(resolve=lambda host, port: ["10.0.0.1"]))
    assert sender.send("https://shop.example/any/path", {}, b"{}") == Outcome(204)
    assert sender.send("https://other.example/", {}, b"{}").status is None


def test_unmounted_application_gets_nothing() -> None:
    """After it is taken away an application receives nothing any more."""
    mounts = Mounts()
    mounts.mount("https://shop.example", lambda url, headers, body: Outcome(204))
    mounts.unmount("https://shop.example/")
    assert mounts.find("https://shop.example/") is None


def test_a_receiver_that_raises_fails_the_delivery() -> None:
    """A defect of a mounted application is a failed delivery, not ours."""
    mounts = Mounts()
    mounts.mount("https://shop.example", lambda url, headers, body: 1 // 0)
    outcome = MountedSender(mounts, HttpSender()).send("https://shop.example/", {}, b"{}")
    assert outcome == Outcome(None, "the receiver raised ZeroDivisionError")
