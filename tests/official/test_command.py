"""The platform's own readiness command, run as a shop runs it before it goes on."""

import json
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.official.conftest import Platform
from tests.settlekit_mock.cli.serving import PATIENCE_SECONDS, environ

pytestmark = pytest.mark.official

COMMAND = str(Path(sysconfig.get_path("scripts")) / "siglume-sdrp")


def verify(platform: Platform) -> tuple[int, dict[str, str]]:
    """Run the command with the environment the server printed; return its status and checks."""
    ended = subprocess.run(
        [COMMAND, "verify", "--sandbox", "--json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env=environ(**platform.env),
        check=False,
    )
    told: dict[str, Any] = json.loads(ended.stdout)
    return ended.returncode, {check["name"]: check["status"] for check in told["checks"]}


def test_a_shop_passes_with_what_the_server_printed(platform: Platform) -> None:
    """With the printed environment and an endpoint that answers, every check passes."""
    status, checks = verify(platform)
    assert status == 0
    assert set(checks.values()) == {"pass"}
    assert {"hosted_checkout_probe", "webhook_delivery_probe_passed"} <= set(checks)
    (probe,) = platform.receiver.got
    assert probe.event["data"]["readiness_probe"] is True


def test_a_shop_that_does_not_answer_fails(platform: Platform) -> None:
    """An endpoint that answers 500 fails the delivery's check alone."""
    platform.receiver.status = 500
    status, checks = verify(platform)
    assert status == 1
    assert [name for name, found in checks.items() if found != "pass"] == [
        "webhook_delivery_probe_passed"
    ]


def test_checkout_that_is_off_is_found(platform: Platform) -> None:
    """With hosted checkout switched off, the checkout's check fails."""
    platform.driver.merchants.update("sandbox_merchant", hosted_checkout="off")
    status, checks = verify(platform)
    assert (status, checks["hosted_checkout_probe"]) == (1, "fail")
