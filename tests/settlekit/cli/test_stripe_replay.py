"""``settlekit stripe-replay`` proves a server's top-up webhook, and reaches nobody else."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from werkzeug.test import Client

from settlekit.cli import local_targets, main
from settlekit.cli.local_targets import Answered, target_of
from settlekit.cli.stripe_replay import NOT_FOUND, judge
from settlekit.errors import ConfigurationError
from settlekit_mock import MockServer

SECRET = "whsec_canary_of_the_processor"
VARIABLES = (
    "MODELFAUCET_API_BASE_URL",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_CHECKOUT_SESSION_ID",
    "STRIPE_EVENT_ID",
    "STRIPE_AMOUNT_CENTS",
    "ALLOW_REMOTE_WEBHOOK_REPLAY",
    "REQUIRE_WEBHOOK_CREDIT",
)
Told = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer(seed=7, stripe_webhook_secret=SECRET) as made:
        yield made


@pytest.fixture
def base_url(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", SECRET)
    with mock.serve() as server:
        monkeypatch.setenv("MODELFAUCET_API_BASE_URL", server.url)
        yield server.url


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would be posted, while nobody is connected to."""
    found: list[Any] = []

    def post(target: Any, body: bytes, headers: Any) -> Answered:
        found.append((target, body, headers))
        return Answered(404, json.dumps({"error": {"message": NOT_FOUND}}).encode())

    monkeypatch.setattr("settlekit.cli.stripe_replay.post", post)
    return found


def begin(mock: MockServer) -> str:
    body = {
        "amount_usd": "12.30",
        "success_url": "https://shop.example/",
        "cancel_url": "https://shop.example/",
    }
    headers = {"Authorization": f"Bearer {mock.token('buyer')}"}
    answer = Client(mock.app).post("/v1/user/stripe/checkout-sessions", json=body, headers=headers)
    return str(json.loads(answer.data)["checkout_session_id"])


def test_a_replay_credits_a_top_up(
    mock: MockServer, base_url: str, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    """With the session's id and amount in the environment, the top-up is credited."""
    monkeypatch.setenv("STRIPE_CHECKOUT_SESSION_ID", begin(mock))
    monkeypatch.setenv("STRIPE_AMOUNT_CENTS", "1230")
    monkeypatch.setenv("REQUIRE_WEBHOOK_CREDIT", "1")
    assert main(["stripe-replay", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["url"], told["status"]) == (f"{base_url}/v1/stripe/webhook", 200)
    assert told["told"].endswith("credited")
    assert [event.kind for event in mock.events(kind="topup.credited")] == ["topup.credited"]


def test_an_option_comes_before_the_environment(
    mock: MockServer, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each setting is an option too."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_wrong")
    session = begin(mock)
    words = ["--webhook-secret", SECRET, "--session-id", session, "--event-id", "evt_7"]
    words += ["--amount-cents", "1230", "--base-url", f"{base_url}/v1/", "--require-credit"]
    assert main(["stripe-replay", *words]) == 0
    (entry,) = mock.events(kind="topup.credited")
    assert entry.data["event_id"] == "evt_7"


@pytest.mark.parametrize(("required", "status"), [("", 0), ("0", 0), ("1", 1)])
def test_an_unknown_top_up_counts_unless_a_credit_is_required(
    base_url: str, monkeypatch: pytest.MonkeyPatch, capsys: Told, required: str, status: int
) -> None:
    """A 404 shows that signature and route work; REQUIRE_WEBHOOK_CREDIT=1 asks for more."""
    monkeypatch.setenv("REQUIRE_WEBHOOK_CREDIT", required)
    assert main(["stripe-replay"]) == status
    assert "signature and route work" in capsys.readouterr().out


@pytest.mark.parametrize("secret", ["whsec_other", ""])
def test_a_refused_signature_is_a_finding(
    base_url: str, monkeypatch: pytest.MonkeyPatch, capsys: Told, secret: str
) -> None:
    """A wrong secret, or none, is told with the server's own words and ends with 1."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", secret)
    assert main(["stripe-replay"]) == 1
    told = capsys.readouterr()
    assert "400: stripe-signature" in told.out
    assert SECRET not in told.out + told.err


def test_the_event_is_the_processors(sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """By default: 5 dollars of cs_test_replay, signed so that the processor's library agrees."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", SECRET)
    assert main(["stripe-replay"]) == 0
    ((target, body, headers),) = sent
    assert target.url.geturl() == "http://127.0.0.1:3001/v1/stripe/webhook"
    event = stripe.Webhook.construct_event(body.decode(), headers["Stripe-Signature"], SECRET)
    assert event["id"].startswith("evt_replay_1")
    session = event["data"]["object"]
    assert (session["id"], session["amount_total"]) == ("cs_test_replay", 500)
    assert (session["payment_status"], session["currency"]) == ("paid", "usd")


def test_without_a_secret_it_is_unsigned(sent: list[Any]) -> None:
    """No secret, no signature header."""
    main(["stripe-replay"])
    assert list(sent[0][2]) == ["Content-Type"]


@pytest.mark.parametrize("cents", ["0", "-5", "5.0", "5e2", "５", "five", "1" * 16])
def test_an_amount_that_is_none_sends_nothing(sent: list[Any], capsys: Told, cents: str) -> None:
    """The amount is a positive whole number of cents in ASCII."""
    assert main(["stripe-replay", f"--amount-cents={cents}"]) == 2
    assert sent == []
    assert "STRIPE_AMOUNT_CENTS" in capsys.readouterr().err


LOCAL = (
    "localhost",
    "LOCALHOST.",
    "shop.localhost",
    "127.0.0.1",
    "127.255.255.254",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.9",
    "[::ffff:192.168.1.9]",
    "[fd00::1]",
    "169.254.7.7",
    "[fe80::1]",
)
REMOTE = (
    "example.com",
    "localhost.example.com",
    "notlocalhost",
    "intranet",
    "127.0.0.1.example.com",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "１２７.0.0.1",
    "0.0.0.0",
    "8.8.8.8",
    "172.32.0.1",
    "192.0.2.1",
    "100.64.0.1",
    "198.18.0.1",
    "[::]",
    "[2001:db8::1]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
)


@pytest.fixture
def _no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name resolves to this machine, as a hostile name server would have it."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)


@pytest.mark.usefixtures("_no_name_server")
@pytest.mark.parametrize("host", LOCAL)
def test_this_machine_and_its_network_are_reached(host: str) -> None:
    """Loopback, private and link-local addresses, and names of localhost, may be sent to."""
    assert target_of(f"http://{host}:3001/v1", allow_remote=False).addresses


@pytest.mark.usefixtures("_no_name_server")
@pytest.mark.parametrize("host", REMOTE)
def test_nobody_else_is_reached_however_the_name_resolves(
    sent: list[Any], capsys: Told, host: str
) -> None:
    """Every other host is refused before anything is sent, whatever it would resolve to."""
    assert main(["stripe-replay", "--base-url", f"http://{host}:3001"]) == 2
    assert sent == []
    assert "ALLOW_REMOTE_WEBHOOK_REPLAY=1" in capsys.readouterr().err


@pytest.mark.parametrize(("value", "reached"), [("1", 1), ("", 0), ("0", 0), ("true", 0)])
def test_others_are_reached_when_that_is_switched_on(
    sent: list[Any], monkeypatch: pytest.MonkeyPatch, value: str, reached: int
) -> None:
    """ALLOW_REMOTE_WEBHOOK_REPLAY is on by 1 alone."""
    monkeypatch.setenv("ALLOW_REMOTE_WEBHOOK_REPLAY", value)
    main(["stripe-replay", "--base-url", "https://staging.example"])
    assert len(sent) == reached


def test_a_name_of_this_machine_is_connected_to_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """For localhost no name server is asked: the addresses are loopback's own."""
    assert target_of("http://a.localhost/", allow_remote=True).addresses == ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    "url",
    ["", "localhost:3001", "ftp://localhost", "http://", "http://localhost:0", "http://[::1",
     "http://localhost:99999", "http://me:secret@localhost", "http://example.com@localhost"],
)  # fmt: skip
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """Only whole http and https URLs without user information are targets."""
    with pytest.raises(ConfigurationError, match="URL") as refused:
        target_of(url, allow_remote=True)
    assert "secret" not in str(refused.value).replace("user information", "")


def test_nobody_at_home_is_a_finding(capsys: Told) -> None:
    """Where nothing listens it says so, and ends with 1."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert main(["stripe-replay", "--base-url", f"http://localhost:{port}"]) == 1
    assert f"nothing listens at localhost:{port}" in capsys.readouterr().err


def test_no_redirect_is_followed() -> None:
    """An answer that points elsewhere is a finding, not a way there."""
    outcome = judge(Answered(302, b""), require_credit=False)
    assert (outcome.ok, outcome.told) == (False, "302: no top-up was credited")
    assert not hasattr(local_targets, "redirect")


@pytest.mark.parametrize(
    ("answered", "ok"),
    [
        (Answered(404, b'{"error": {"message": "no route POST /v1/stripe/webhook"}}'), False),
        (Answered(404, b"not found"), False),
        (Answered(200, b'{"received": true, "ignored": true}'), False),
        (Answered(200, b"[]"), False),
        (Answered(500, b"\xff"), False),
        (Answered(200, b'{"topup": {"id": "topup_1", "status": "credited"}}'), True),
    ],
    ids=str,
)
def test_only_a_credit_or_an_unknown_top_up_counts(answered: Answered, ok: bool) -> None:
    """Another 404, an ignored event or an answer that is none shows nothing."""
    assert judge(answered, require_credit=False).ok is ok
