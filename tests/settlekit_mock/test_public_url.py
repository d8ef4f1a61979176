"""The origin in links to the mock: the operator's choice, else the way by which a caller came."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from werkzeug.test import Client

from settlekit_mock import MockServer, create_app
from settlekit_mock.settings import SettingError, make_settings
from tests.settlekit_mock.cli.serving import served

SESSIONS = "/v1/sdrp/direct-payments/checkout-sessions"
TOKEN = {"Authorization": "Bearer sandbox_merchant_token"}
CONTROL = {"SETTLEKIT_MOCK_CONTROL_TOKEN": "control"}
PUBLIC = "https://mock.example"


def session(nonce: str = "order-1") -> dict[str, Any]:
    return {
        "merchant": "sandbox_merchant",
        "amount_minor": 1200,
        "currency": "JPY",
        "nonce": nonce,
        "success_url": "http://localhost:3000/yes",
        "cancel_url": "http://localhost:3000/no",
    }


def origin_of(made: Any) -> str:
    """Return the origin of a session's link, which leads to its page."""
    origin, page = re.fullmatch(r"(https?://[^/]+)/pay/(.+)", made["checkout_url"]).groups()  # type: ignore[union-attr]
    assert page == made["session_id"]
    return origin


@pytest.fixture
def app(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The application that another server runs, with variables of the environment."""
    made = create_app({**CONTROL, **getattr(request, "param", {})})
    yield made
    made.world.close()


def opened(app: Any, **given: Any) -> Any:
    answer = Client(app).post(SESSIONS, json=session(), headers=TOKEN, **given)
    assert answer.status_code == 201, answer.text
    return answer.json["data"]


@pytest.mark.parametrize(
    "reached_at",
    [
        "http://127.0.0.1:9000",
        "http://mock.internal:9000",
        "https://mock.example",
        "http://[::1]:8787",
        "http://build_host",
    ],
)
def test_a_link_leads_back_by_the_callers_own_way(app: Any, reached_at: str) -> None:
    """Without a choice, scheme, host and port of a link are those of the call that asked for it."""
    made = opened(app, base_url=reached_at)
    assert origin_of(made) == reached_at
    path = f"{SESSIONS}/{made['session_id']}"
    read = Client(app).get(path, base_url="http://elsewhere:1234", headers=TOKEN)
    assert origin_of(read.json["data"]) == "http://elsewhere:1234"


@pytest.mark.parametrize(
    "host",
    ["", "a b", 'x"onload=', "mock/../", "mock:99999999", "mock@evil", "ｍock", "[::1", "-" * 300],
)
def test_a_host_that_is_none_is_in_no_link(app: Any, host: str) -> None:
    """A header that names no host is passed over: the link has the address that is listened on."""
    given = {"SERVER_NAME": "10.0.0.7", "SERVER_PORT": "9000", "HTTP_HOST": host}
    answer = Client(app).post(SESSIONS, json=session(), headers=TOKEN, environ_overrides=given)
    assert origin_of(answer.json["data"]) == "http://10.0.0.7:9000"


@pytest.mark.parametrize("app", [{"SETTLEKIT_MOCK_PUBLIC_URL": PUBLIC}], indirect=True)
def test_the_operators_choice_is_in_every_link(app: Any) -> None:
    """Whoever calls by whatever name, in answers to merchants and to control."""
    made = opened(app, base_url="http://127.0.0.1:9000")
    moved = Client(app).post(
        f"/_mock/checkout-sessions/{made['session_id']}/cancel",
        json={},
        headers={"Authorization": "Bearer control"},
    )
    assert (origin_of(made), origin_of(moved.json["data"])) == (PUBLIC, PUBLIC)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://mock.example", "https://mock.example"),
        ("HTTPS://Mock.Example/", "https://mock.example"),
        ("http://10.0.0.7:9000", "http://10.0.0.7:9000"),
        ("http://[2001:db8::1]:9000", "http://[2001:db8::1]:9000"),
        (" http://mock \n", "http://mock"),
    ],
)
def test_a_public_url_is_an_origin(given: str, read: str) -> None:
    """http on other names than loopback too: a team's network is the operator's to judge."""
    assert make_settings({"public_url": given}).public_url == read


@pytest.mark.parametrize(
    "given",
    [
        "mock.example",
        "ftp://mock.example",
        "https://",
        "https://mock.example/pay",
        "https://mock.example?x=1",
        "https://user:secret@mock.example",
        "https://mock.example:70000",
        "https://mock example",
        "https://möck.example",
    ],
)
def test_anything_else_is_refused_by_name(given: str) -> None:
    """What isn't an origin is refused when the server starts, and a secret in it isn't told."""
    with pytest.raises(SettingError, match=r"^public_url: must be http or https") as refused:
        make_settings({"public_url": given})
    assert "secret" not in str(refused.value)


def test_a_mock_in_process_takes_it_too() -> None:
    """As a keyword, on its transport and on a socket."""
    with MockServer(public_url=PUBLIC) as mock:
        assert origin_of(opened(mock.app)) == PUBLIC
        with mock.serve() as server:
            answer = httpx.post(
                f"{server.url}{SESSIONS}", json=session("order-2"), headers=TOKEN, trust_env=False
            )
        assert origin_of(answer.json()["data"]) == PUBLIC


def asked(url: str, host: str) -> str:
    headers = {**TOKEN, "Host": host}
    answer = httpx.post(f"{url}{SESSIONS}", json=session(), headers=headers, trust_env=False)
    return origin_of(answer.json()["data"])


def test_a_server_on_every_address_is_reached_by_its_callers_name() -> None:
    """It announces an address that this machine reaches, and links as it is called."""
    with served("--host", "0.0.0.0") as server:
        port = server.url.rpartition(":")[2]
        assert server.url == f"http://127.0.0.1:{port}"
        assert server.told["env"]["SIGLUME_API_BASE"] == f"{server.url}/v1"
        assert asked(server.url, f"mock.internal:{port}") == f"http://mock.internal:{port}"


def test_a_server_on_one_address_links_to_it() -> None:
    """As the platform's own sandbox does, whatever name it was called by."""
    with served() as server:
        assert asked(server.url, "mock.internal") == server.url


def test_the_option_is_in_the_shops_environment() -> None:
    """The shop's base URL is the public one; where the server listens is told beside it."""
    with served("--public-url", f"{PUBLIC}/") as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server.told["env"]["SIGLUME_API_BASE"] == f"{PUBLIC}/v1"
        assert server.told["env"]["SETTLEKIT_MOCK_URL"] == PUBLIC
        assert asked(server.url, "mock.internal") == PUBLIC
