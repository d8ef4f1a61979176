"""``settlekit-mock serve`` as somebody at a terminal meets it."""

import os
import queue
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from settlekit import TransportError
from settlekit_mock import MockServer
from settlekit_mock.cli import main, serve
from settlekit_mock.kernel.times import SECOND, from_text, to_text
from settlekit_mock.settings import variable
from tests.settlekit_mock.cli.conftest import Start
from tests.settlekit_mock.cli.serving import (
    COMMAND,
    PATIENCE_SECONDS,
    START,
    Receiver,
    Served,
    driving,
    environ,
    eventually,
    pay,
    served,
)

# -- what it says ------------------------------------------------------------------------


def test_it_says_what_a_shop_needs() -> None:
    """As JSON: the address, and every variable by which a shop reaches it, each of them true."""
    with Receiver() as receiver, served("--webhook-url", receiver.url) as server:
        told = server.told
        assert told["url"].startswith("http://127.0.0.1:")
        env = told["env"]
        assert set(env) == {
            "SIGLUME_ENV",
            "SIGLUME_SANDBOX_API_BASE",
            "SIGLUME_API_BASE",
            "SIGLUME_MERCHANT_AUTH_TOKEN",
            "SIGLUME_DIRECT_PAYMENT_MERCHANT",
            "SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET",
            "SIGLUME_WEBHOOK_SECRET",
            "SHOP_PUBLIC_ORIGIN",
            "SHOP_WEBHOOK_URL",
            "SETTLEKIT_MOCK_URL",
        }
        assert env["SIGLUME_API_BASE"] == env["SIGLUME_SANDBOX_API_BASE"] == f"{told['url']}/v1"
        assert env["SIGLUME_WEBHOOK_SECRET"] == "whsec_sandbox_local"
        assert env["SHOP_WEBHOOK_URL"] == receiver.url
        assert env["SETTLEKIT_MOCK_URL"] == told["url"]
        with driving(server.url) as driver:
            merchant = driver.merchants.get(env["SIGLUME_DIRECT_PAYMENT_MERCHANT"])
        assert merchant.token == env["SIGLUME_MERCHANT_AUTH_TOKEN"] == told["tokens"]["merchant"]
        assert merchant.challenge_secret == env["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"]
        assert merchant.webhook_secret == env["SIGLUME_WEBHOOK_SECRET"]
        pay(server)
        assert len(receiver.wait_for(1)) == 1


def test_it_says_it_as_text_too(start: Start) -> None:
    """Without --json the same is there to be read, and copied line by line."""
    server = start("--freeze-at", START)
    said = [server.first_line, *server.lines_to("  X-Admin-Secret")]
    url = said[0].split()[4]
    assert url.startswith("http://127.0.0.1:")
    lines = [line.strip() for line in said]
    assert f"export SIGLUME_API_BASE={url}/v1" in lines
    assert "export SIGLUME_MERCHANT_AUTH_TOKEN=sandbox_merchant_token" in lines
    assert "export SIGLUME_DIRECT_PAYMENT_MERCHANT=sandbox_merchant" in lines
    assert "admin     sandbox_admin_token" in lines
    assert "X-Admin-Secret: sandbox_admin_secret" in lines
    assert server.end().status == 0


def test_what_it_prints_can_be_pasted(start: Start) -> None:
    """A shell that runs the lines has all that clients and commands need, secrets quoted."""
    server = start("--freeze-at", START, "--webhook-secret", "it's a $secret")
    said = [server.first_line, *server.lines_to("  X-Admin-Secret")]
    block = "".join(line for line in said if line.startswith("  export "))
    commands = Path(COMMAND).parent
    ended = subprocess.run(
        ["/bin/sh", "-ec", f"{block}\n{SHELL}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env=environ(PATH=f"{commands}:{os.environ['PATH']}"),
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split("--")[1].strip() == "it's a $secret"
    assert "unsettled" in ended.stdout
    assert "mode=frozen" in ended.stdout
    assert "ready: True" in ended.stdout
    assert server.end().status == 0


SHELL = """
settlekit statements summary
settlekit statements batches --json
settlekit-mock clock
python -c 'from settlekit import Client
with Client() as client:
    print("ready:", client.merchants.readiness("sandbox_merchant").ready)'
echo "--$SIGLUME_WEBHOOK_SECRET--"
"""


def test_help_lists_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    """The help of serve names each option's variable and says which clock it runs on."""
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    said = capsys.readouterr().out
    options = re.findall(r"^  --([a-z-]+)", said, re.MULTILINE)
    assert len(options) > 12
    assert [name for name in options if name != "json" and variable(name) not in said] == []
    assert "Its clock is the real one" in said


@pytest.mark.parametrize("by", ["option", "variable"])
def test_every_option_has_its_variable(by: str) -> None:
    """Merchant, origin, webhook, tokens, seed and clock are taken from either, and are used."""
    chosen = {
        "merchant": "corner_shop",
        "origin": "https://shop.example",
        "webhook-url": "https://shop.example/webhooks",
        "webhook-secret": "whsec_mine",
        "admin-token": "operator_token",
        "admin-secret": "operator_secret",
        "control-token": "control_token",
        "freeze-at": START,
        "seed": "7",
        "sign-with-clock": "1",
    }
    variables = {
        "SETTLEKIT_MOCK_" + name.replace("-", "_").upper(): value for name, value in chosen.items()
    }
    flags = {"sign-with-clock"}
    options = [
        f"--{name}" if name in flags else f"--{name}={value}" for name, value in chosen.items()
    ]
    given = (options, {}) if by == "option" else ([], variables)
    with served(*given[0], **given[1]) as server:
        told = server.told
        assert told["env"]["SIGLUME_DIRECT_PAYMENT_MERCHANT"] == "corner_shop"
        assert told["env"]["SHOP_PUBLIC_ORIGIN"] == "https://shop.example"
        assert told["env"]["SHOP_WEBHOOK_URL"] == "https://shop.example/webhooks"
        assert told["env"]["SIGLUME_WEBHOOK_SECRET"] == "whsec_mine"
        assert (told["tokens"]["admin"], told["admin_secret"]) == (
            "operator_token",
            "operator_secret",
        )
        refused = httpx.get(f"{server.url}/_mock/clock", trust_env=False)
        assert refused.status_code == 401
        assert "--control-token" in refused.json()["error"]["message"]
        assert told["env"]["SETTLEKIT_MOCK_CONTROL_TOKEN"] == "control_token"
        with driving(server.url, "control_token") as driver:
            clock = driver.clock.read()
            assert (clock.now, clock.mode) == ("2026-03-02T00:00:00.000Z", "frozen")
        allowed = httpx.get(
            f"{server.url}/v1/admin/payouts",
            headers={"Authorization": "Bearer operator_token"},
            trust_env=False,
        )
        assert allowed.status_code == 200


def test_an_option_wins_over_its_variable() -> None:
    """Where both are given, what is typed counts; an empty variable counts as none."""
    with served(
        "--merchant",
        "typed_shop",
        SETTLEKIT_MOCK_MERCHANT="other_shop",
        SETTLEKIT_MOCK_SEED="",
        SETTLEKIT_MOCK_DB="",
        SETTLEKIT_MOCK_CONTROL_TOKEN="",
    ) as server:
        assert server.told["env"]["SIGLUME_DIRECT_PAYMENT_MERCHANT"] == "typed_shop"


def test_a_seed_says_the_same_again() -> None:
    """The same seed and start give the same ids and secrets, in another process too."""
    with served("--freeze-at", START, "--seed", "7") as server:
        secret = server.told["env"]["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"]

    def drawn(seed: int) -> str:
        with MockServer(seed=seed, freeze_at=START) as mock:
            return mock.merchants.get("sandbox_merchant").challenge_secret

    assert drawn(7) == secret != drawn(8)


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_it_answers_for_ipv6_too() -> None:
    """On ::1 it listens, and says an address that works."""
    with served("--host", "::1") as server:
        assert server.url.startswith("http://[::1]:")
        answer = httpx.get(f"{server.url}/v1/sdrp/direct-payments/status", trust_env=False)
        assert answer.json()["data"] == {"status": "operational"}


# -- how it ends -------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(start: Start, number: int) -> None:
    """Ctrl-C and SIGTERM end it with 0 and no word, though a connection is kept open."""
    server = start("--json")
    with httpx.Client(base_url=server.url, trust_env=False) as idle:
        idle.get("/v1/sdrp/direct-payments/status")
        asked = time.monotonic()
        ended = server.end(number)
        took = time.monotonic() - asked
    assert (ended.status, ended.err) == (0, "")
    assert took < 8  # two seconds, on a machine that may be busy
    with pytest.raises(ConnectionRefusedError), socket.create_connection(_address(server)):
        pass


def test_a_signal_ends_it_in_the_middle_of_a_delivery(start: Start) -> None:
    """A receiver that never answers doesn't keep it; what is undelivered stays due."""
    never = threading.Event()
    with Receiver() as receiver:
        receiver.before_answer = lambda: bool(never.wait(PATIENCE_SECONDS))
        server = start("--json", "--webhook-url", receiver.url)
        paying = threading.Thread(target=_pay_in_vain, args=(server,))
        paying.start()
        receiver.wait_for(1)
        asked = time.monotonic()
        ended = server.end()
        took = time.monotonic() - asked
        never.set()
        paying.join(PATIENCE_SECONDS)
    assert (ended.status, ended.err) == (0, "")
    assert took < 8  # the delivery alone would take ten


def _pay_in_vain(server: Served) -> None:
    with pytest.raises(TransportError):
        pay(server)


def _address(server: Served) -> tuple[str, int]:
    return "127.0.0.1", int(server.told["url"].rpartition(":")[2])


def test_a_port_is_free_again_at_once(start: Start) -> None:
    """The port of a server that ended can be taken by the next one."""
    first = start("--json")
    port = str(_address(first)[1])
    first.end()
    second = start("--port", port, "--json")
    assert second.end().status == 0
    assert second.told["url"] == first.told["url"]


def test_a_signal_that_wakes_nobody_is_found() -> None:
    """A signal that came just before the server began to wait ends it at the next look."""
    looks: list[float] = []

    class Late:
        """A queue whose first look is in vain."""

        def get(self, timeout: float) -> int:
            looks.append(timeout)
            if len(looks) == 1:
                raise queue.Empty
            return signal.SIGTERM

    serve._wait(Late())
    assert looks == [serve.LOOK_SECONDS] * 2


# -- the real clock ----------------------------------------------------------------------


def test_without_freeze_at_time_goes_on() -> None:
    """The clock is real, can be advanced, and goes on from there by itself."""
    with served() as server, driving(server.url) as driver:
        first = driver.clock.read()
        assert first.mode == "real"
        assert abs(driver.clock.now.timestamp() - time.time()) < PATIENCE_SECONDS
        driver.clock.advance(days=30)
        there = driver.clock.now
        assert there.timestamp() - time.time() > 29 * 86_400
        eventually(lambda: driver.clock.now > there)


def test_due_work_runs_by_itself() -> None:
    """A failed delivery's retry is scheduled, and done when its time comes, unasked."""
    with Receiver() as receiver, served("--webhook-url", receiver.url) as server:
        receiver.status = 503
        pay(server)
        (failed,) = receiver.wait_for(1)
        receiver.status = 200
        with driving(server.url) as driver:
            due = driver.clock.read().next_due_at
            assert due is not None
            driver.clock.advance(to=to_text(from_text(due) - SECOND))  # what is due stays so
            retried = receiver.wait_for(2)[1]
            eventually(lambda: bool(list(driver.events(kind="webhook.delivered"))))
        assert retried.body == failed.body


def test_a_frozen_clock_waits() -> None:
    """Frozen, nothing becomes due by itself; resumed, time goes on."""
    with served("--freeze-at", START) as server, driving(server.url) as driver:
        time.sleep(0.05)
        assert driver.clock.read().now == "2026-03-02T00:00:00.000Z"
        assert driver.clock.resume().mode == "real"
        eventually(lambda: driver.clock.read().now > "2026-03-02T00:00:00.000Z")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
def test_a_thread_per_call_is_not_left_behind() -> None:
    """However many calls come, the server keeps the threads it began with."""
    with served("--freeze-at", START) as server:
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            http.get("/v1/sdrp/direct-payments/status")
            before = server.threads()
            for _ in range(50):
                http.get("/v1/sdrp/direct-payments/status")
        assert server.threads() <= before


def test_a_reader_that_goes_away_does_no_harm() -> None:
    """Serving into a pipe that nobody reads any more ends without a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [COMMAND, "serve", "--port", "0", "--json"],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=environ(),
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")
