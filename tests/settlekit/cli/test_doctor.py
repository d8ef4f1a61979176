"""The doctor against a mock on a socket, and a shop that runs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.flask_shop.serve import open_shop
from examples.shop_parts.account import WEBHOOK_PATH, account_of_mock
from examples.shop_parts.serving import Listener, listening
from settlekit.cli import main
from settlekit_mock import MockServer

CANARIES = ("sandbox_merchant_token", "whsec_sandbox_local")


@pytest.fixture(scope="module")
def shop() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture(scope="module")
def mock(shop: Listener) -> Iterator[MockServer]:
    with MockServer(freeze_at=None, origin=shop.url, webhook_url=shop.url + WEBHOOK_PATH) as made:
        yield made


@pytest.fixture(scope="module")
def served(
    mock: MockServer, shop: Listener, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with mock.serve() as server:
        base_url = f"{server.url}/v1"
        account = account_of_mock(mock, shop.url, base_url)
        with open_shop(account, tmp_path_factory.mktemp("shop") / "shop.db") as application:
            shop.answer_with(application)
            yield base_url


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch, served: str, shop: Listener, mock: MockServer) -> None:
    """The environment of a shop that has all it needs."""
    environment = {
        "SIGLUME_ENV": "sandbox",
        "SIGLUME_API_BASE": served,
        "SIGLUME_MERCHANT_AUTH_TOKEN": mock.token("merchant"),
        "SIGLUME_DIRECT_PAYMENT_MERCHANT": "sandbox_merchant",
        "SHOP_PUBLIC_ORIGIN": shop.url,
        "SHOP_WEBHOOK_URL": shop.url + WEBHOOK_PATH,
        "SIGLUME_WEBHOOK_SECRET": mock.world.settings.webhook_secret,
        "SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET": "chs",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def examine(capsys: pytest.CaptureFixture[str], command: str) -> tuple[int, dict[str, Any]]:
    """Run the doctor, and return its exit code and its checks by name."""
    code = main(["doctor", *command.split(), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] == (code == 0)
    return code, {check["name"]: check for check in told["checks"]}


def failed(checks: dict[str, Any]) -> set[str]:
    return {name for name, check in checks.items() if check["status"] == "failed"}


@pytest.mark.usefixtures("ready")
def test_a_running_shop_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    """Every check is made and passes, up to a webhook that the shop took."""
    code, checks = examine(capsys, "verify")
    assert (code, failed(checks)) == (0, set())
    assert {check["status"] for check in checks.values()} == {"passed"}
    assert checks["webhook_delivery_probe_passed"]["found"].startswith("delivered: 2")
    assert set(checks) == {
        "target_environment",
        "base_url",
        "merchant_key",
        "merchant_token",
        "shop_origin",
        "webhook_url",
        "webhook_secret_present",
        "standard_probe_amount",
        "platform_reachable",
        "clock_agrees",
        "merchant_exists",
        "billing_mandate",
        "billing_status_active",
        "merchant_status_active",
        "currency_allowed",
        "origin_allowed",
        "checkout_ready",
        "webhook_subscription_exists",
        "webhook_callback_matches",
        "direct_payment_confirmed_subscribed",
        "webhook_secret_matches_subscription_hint",
        "hosted_checkout_probe",
        "webhook_delivery_probe_passed",
    }


@pytest.mark.usefixtures("ready")
def test_people_get_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """A line a check, the verdict last, and no secret anywhere."""
    assert main(["doctor", "preflight"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == "Ready."
    assert "hosted_checkout_probe" in said
    assert "webhook_delivery_probe_passed" not in said
    assert [canary for canary in CANARIES if canary in said] == []


@pytest.mark.usefixtures("ready")
def test_a_shop_that_does_not_verify_is_found(
    capsys: pytest.CaptureFixture[str], mock: MockServer
) -> None:
    """A delivery that the shop refuses fails the probe, and says what it answered."""
    mock.webhook_faults.create("other_secret", times=1)
    code, checks = examine(capsys, "verify")
    assert (code, failed(checks)) == (1, {"webhook_delivery_probe_passed"})
    assert "400" in checks["webhook_delivery_probe_passed"]["found"]
    assert "SIGLUME" not in checks["webhook_delivery_probe_passed"]["found"]


def test_everything_wrong_is_told_in_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    """No setting at all: each is a finding with its fix, and what needs them is skipped."""
    code, checks = examine(capsys, "verify")
    assert code == 1
    assert failed(checks) == {
        "merchant_key",
        "merchant_token",
        "shop_origin",
        "webhook_url",
        "webhook_secret_present",
    }
    assert all(checks[name]["fix"] for name in failed(checks))
    assert checks["target_environment"]["found"] == "live"
    assert checks["platform_reachable"]["status"] == "skipped"
    assert checks["challenge_secret_present"]["status"] == "warning"


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        (
            "SIGLUME_MERCHANT_AUTH_TOKEN",
            "wrong_token",
            {"merchant_exists", "webhook_subscription_exists"},
        ),
        ("SIGLUME_MERCHANT_AUTH_TOKEN", "cli_token", {"merchant_token"}),
        ("SIGLUME_DIRECT_PAYMENT_MERCHANT", "nobody", {"merchant_exists"}),
        ("SIGLUME_DIRECT_PAYMENT_MERCHANT", "No Key", {"merchant_key"}),
        (
            "SHOP_PUBLIC_ORIGIN",
            "https://other.example",
            {"origin_allowed", "hosted_checkout_probe"},
        ),
        ("SHOP_PUBLIC_ORIGIN", "http://shop.example", {"shop_origin"}),
        ("SHOP_PUBLIC_ORIGIN", "https://shop.example/path", {"shop_origin"}),
        ("SHOP_WEBHOOK_URL", "https://other.example/hook", {"webhook_callback_matches"}),
        ("SHOP_WEBHOOK_URL", "ftp://x", {"webhook_url"}),
        ("SIGLUME_WEBHOOK_SECRET", "whsec_other", {"webhook_secret_matches_subscription_hint"}),
        (
            "SIGLUME_WEBHOOK_SECRET",
            "other",
            {"webhook_secret_present", "webhook_secret_matches_subscription_hint"},
        ),
        ("SIGLUME_DIRECT_PAYMENT_TEST_AMOUNT_MINOR", "500", {"standard_probe_amount"}),
        ("SIGLUME_DIRECT_PAYMENT_TEST_AMOUNT_MINOR", "much", {"standard_probe_amount"}),
        (
            "SIGLUME_API_BASE",
            "http://127.0.0.1:1/v1",
            {"platform_reachable", "merchant_exists", "webhook_subscription_exists"},
        ),
        ("SIGLUME_API_BASE", "http://shop.example/v1", {"base_url"}),
    ],
)
@pytest.mark.usefixtures("ready")
def test_each_mistake_is_found(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    found: set[str],
) -> None:
    """One wrong setting is named by what it breaks, with a fix, and nothing else is blamed."""
    monkeypatch.setenv(name, value)
    code, checks = examine(capsys, "preflight")
    assert (code, failed(checks)) == (1, found)
    assert all(checks[each]["fix"] for each in found)


@pytest.mark.usefixtures("ready")
def test_two_tokens_are_a_trap(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second token that a client would take is worth knowing; neither is shown."""
    _, checks = examine(capsys, "preflight --no-api")
    assert checks["merchant_token"]["found"] == "22 characters, from SIGLUME_MERCHANT_AUTH_TOKEN"
    assert "one_token" not in checks
    monkeypatch.setenv("SIGLUME_AUTH_TOKEN", "tok_canary_of_a_buyer")
    code, checks = examine(capsys, "preflight --no-api")
    assert (code, checks["one_token"]["status"]) == (0, "warning")
    assert "Client() takes the other" in checks["one_token"]["found"]
    assert "canary" not in str(checks)


@pytest.mark.usefixtures("ready")
def test_the_account_and_its_endpoint_are_looked_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, mock: MockServer
) -> None:
    """A merchant that isn't set up to the end lacks all that is missing, each by its name."""
    half = mock.merchants.create(
        "half_shop",
        live_mode_requested=False,
        billing_status="past_due",
        billing_currency="JPY",
        allowed_currencies=["JPY"],
    )
    monkeypatch.setenv("SIGLUME_MERCHANT_AUTH_TOKEN", half.token or "")
    monkeypatch.setenv("SIGLUME_DIRECT_PAYMENT_MERCHANT", "half_shop")
    code, checks = examine(capsys, "verify --currency USD")
    assert code == 1
    assert failed(checks) == {
        "billing_status_active",
        "currency_allowed",
        "checkout_ready",
        "webhook_subscription_exists",
        "webhook_callback_matches",
        "hosted_checkout_probe",
    }
    assert "live_mode" in checks["checkout_ready"]["found"]
    assert checks["webhook_delivery_probe_passed"]["status"] == "skipped"
    monkeypatch.delenv("SHOP_WEBHOOK_URL")
    _, checks = examine(capsys, "preflight --currency USD")
    assert checks["webhook_subscription_exists"]["fix"].endswith("callback_url of the shop.")


@pytest.mark.usefixtures("ready")
def test_live_needs_https(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The live platform doesn't reach a loopback shop; --sandbox says that it is meant."""
    monkeypatch.delenv("SIGLUME_ENV")
    _, checks = examine(capsys, "preflight --no-api")
    assert failed(checks) == {"shop_origin", "webhook_url"}
    code, checks = examine(capsys, "preflight --no-api --sandbox")
    assert (code, failed(checks)) == (0, set())


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize(
    ("port", "address", "found"),
    [
        ("", "", "http://127.0.0.1:8787/v1"),
        ("9090", "", "http://127.0.0.1:9090/v1"),
        ("9090", "http://localhost:7070/v1", "http://localhost:7070/v1"),
    ],
)
def test_a_sandboxs_port(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    port: str,
    address: str,
    found: str,
) -> None:
    """A sandbox is looked for at its address, else on this machine at its port, else at 8787."""
    monkeypatch.delenv("SIGLUME_API_BASE", raising=False)
    monkeypatch.setenv("SIGLUME_SANDBOX_PORT", port)
    monkeypatch.setenv("SIGLUME_SANDBOX_API_BASE", address)
    _, checks = examine(capsys, "preflight --no-api --sandbox")
    assert checks["base_url"]["found"] == found


@pytest.mark.usefixtures("ready")
def test_without_probes_nothing_is_proven(capsys: pytest.CaptureFixture[str]) -> None:
    """preflight may leave them out; verify without them is no verification."""
    assert examine(capsys, "preflight --no-probe")[0] == 0
    code, checks = examine(capsys, "verify --no-probe")
    assert (code, failed(checks)) == (1, {"probes_made"})


def test_a_call_that_makes_no_sense_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """The parser says how to call it."""
    with pytest.raises(SystemExit) as caught:
        main(["doctor", "verify", "--currency", "EUR"])
    assert caught.value.code == 2
    assert "usage: settlekit doctor" in capsys.readouterr().err


@pytest.mark.official
@pytest.mark.usefixtures("ready")
def test_what_the_platforms_own_checker_checks_is_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each of its checks has ours of the same name, and both agree that the shop is ready."""
    command = [Path(sys.executable).with_name("siglume-sdrp"), "verify", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    theirs = json.loads(done.stdout)
    code, checks = examine(capsys, "verify")
    assert theirs["ok"] == (code == 0)
    assert [each["name"] for each in theirs["checks"] if each["name"] not in checks] == []
