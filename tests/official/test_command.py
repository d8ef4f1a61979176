"""The platform's own readiness command, run as a shop runs it before it goes on."""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from examples.shop_parts.account import WEBHOOK_PATH
from tests.examples.shops.running import free_port
from tests.official.conftest import START, Platform
from tests.settlekit_mock.cli.serving import PATIENCE_SECONDS, driving, environ, served

pytestmark = pytest.mark.official

COMMAND = str(Path(sysconfig.get_path("scripts")) / "siglume-sdrp")
SHOP = str(Path(__file__).parents[2] / "examples" / "flask_shop" / "serve.py")


@contextmanager
def open_shop(port: int, env: dict[str, str]) -> Iterator[None]:
    """Run the example shop with the environment the server printed, until the block ends."""
    with subprocess.Popen(
        [sys.executable, SHOP, "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env=environ(**env),
    ) as shop:
        try:
            assert shop.stdout is not None
            assert "The shop is open" in shop.stdout.readline()
            yield
        finally:
            shop.kill()


def verify(env: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Run the command with the environment the server printed; return its status and checks."""
    ended = subprocess.run(
        [COMMAND, "verify", "--sandbox", "--json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env=environ(**env),
        check=False,
    )
    told: dict[str, Any] = json.loads(ended.stdout)
    return ended.returncode, {check["name"]: check["status"] for check in told["checks"]}


def test_a_shop_passes_with_what_the_server_printed(platform: Platform) -> None:
    """With the printed environment and an endpoint that answers, every check passes."""
    status, checks = verify(platform.env)
    assert status == 0
    assert set(checks.values()) == {"pass"}
    assert {"hosted_checkout_probe", "webhook_delivery_probe_passed"} <= set(checks)
    (probe,) = platform.receiver.got
    assert probe.event["data"]["readiness_probe"] is True


def test_a_running_example_shop_passes() -> None:
    """With the example shop behind the webhook, every check passes: it answers our delivery 2xx."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    callback = origin + WEBHOOK_PATH
    with (
        served("--freeze-at", START, "--origin", origin, "--webhook-url", callback) as server,
        open_shop(port, server.told["env"]),
        driving(server.url) as driver,
    ):
        status, checks = verify(server.told["env"])
        (delivered,) = driver.events(kind="webhook.delivered")
    assert status == 0
    assert set(checks.values()) == {"pass"}
    assert delivered.data["response_status"] == 204


def test_a_shop_that_does_not_answer_fails(platform: Platform) -> None:
    """An endpoint that answers 500 fails the delivery's check alone."""
    platform.receiver.status = 500
    status, checks = verify(platform.env)
    assert status == 1
    assert [name for name, found in checks.items() if found != "pass"] == [
        "webhook_delivery_probe_passed"
    ]


def test_checkout_that_is_off_is_found(platform: Platform) -> None:
    """With hosted checkout switched off, the checkout's check fails."""
    platform.driver.merchants.update("sandbox_merchant", hosted_checkout="off")
    status, checks = verify(platform.env)
    assert (status, checks["hosted_checkout_probe"]) == (1, "fail")
