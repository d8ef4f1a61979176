import pytest

from settlekit import AsyncClient, Client, ConfigurationError
from settlekit._settings import settings

CANARY = "tok_canary_4711"


def made(token: object = "t", base_url: str | None = None) -> str:
    return settings(token=token, base_url=base_url, admin_secret=None).base_url  # type: ignore[arg-type]


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_a_client_needs_a_token(client: type) -> None:
    """Without one, building fails at once and says what to set."""
    with pytest.raises(ConfigurationError, match="SIGLUME_AUTH_TOKEN"):
        client()


@pytest.mark.parametrize(
    ("environment", "token"),
    [
        ({"SIGLUME_AUTH_TOKEN": " a "}, "a"),
        ({"SIGLUME_MERCHANT_AUTH_TOKEN": "m"}, "m"),
        ({"SIGLUME_AUTH_TOKEN": "a", "SIGLUME_MERCHANT_AUTH_TOKEN": "m"}, "a"),
        ({"SIGLUME_AUTH_TOKEN": " ", "SIGLUME_MERCHANT_AUTH_TOKEN": "m"}, "m"),
    ],
)
def test_the_environment_has_the_token(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], token: str
) -> None:
    """The general name comes before the merchant's; an empty one counts as none."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert settings(token=None, base_url=None, admin_secret=None).bearer() == token


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({"SIGLUME_AUTH_TOKEN": CANARY}, "token from SIGLUME_AUTH_TOKEN>"),
        ({"SIGLUME_MERCHANT_AUTH_TOKEN": CANARY}, "token from SIGLUME_MERCHANT_AUTH_TOKEN>"),
        (
            {"SIGLUME_AUTH_TOKEN": CANARY, "SIGLUME_MERCHANT_AUTH_TOKEN": f"{CANARY}_too"},
            "token from SIGLUME_AUTH_TOKEN (SIGLUME_MERCHANT_AUTH_TOKEN is set too, and not used)>",
        ),
        (
            {"SIGLUME_AUTH_TOKEN": CANARY, "SIGLUME_MERCHANT_AUTH_TOKEN": CANARY},
            "token from SIGLUME_AUTH_TOKEN>",
        ),
    ],
)
def test_a_client_says_where_its_token_is_from(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], shown: str, client: type
) -> None:
    """Its repr names the variable, and another one that isn't used, and shows neither token."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    told = repr(client())
    assert told.endswith(shown)
    assert CANARY not in told
    assert repr(client(token=CANARY)).endswith("token given>")


def test_a_refused_token_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who set it has to find it."""
    monkeypatch.setenv("SIGLUME_AUTH_TOKEN", f"cli_{CANARY}")
    with pytest.raises(ConfigurationError, match="this one is from SIGLUME_AUTH_TOKEN") as caught:
        settings(token=None, base_url=None, admin_secret=None)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "base_url"),
    [
        ({}, "https://siglume.com/v1"),
        ({"SIGLUME_ENV": "sandbox"}, "http://127.0.0.1:8787/v1"),
        (
            {"SIGLUME_ENV": "Sandbox", "SIGLUME_SANDBOX_API_BASE": "http://localhost:1/v1"},
            "http://localhost:1/v1",
        ),
        ({"SIGLUME_SANDBOX_API_BASE": "http://localhost:1/v1"}, "https://siglume.com/v1"),
        (
            {"SIGLUME_ENV": "sandbox", "SIGLUME_API_BASE": "https://eu.siglume.com/v1/"},
            "https://eu.siglume.com/v1",
        ),
    ],
)
def test_the_environment_has_the_address(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], base_url: str
) -> None:
    """An explicit address wins; a sandbox has its own; else it is the live platform."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert made() == base_url


@pytest.mark.parametrize(
    "base_url",
    [
        "siglume.com/v1",
        "http://siglume.com/v1",
        "http://127.0.0.2/v1",
        "http://localhost.evil.example/v1",
        "https://user:pass@siglume.com/v1",
        "https://siglume.com/v1?x=1",
        "https://siglume.com/v1#x",
        "https:///v1",
        "ftp://localhost/v1",
        "https://siglume.com:x/v1",
    ],
)
def test_a_bad_address_is_refused(base_url: str) -> None:
    """https, or http on localhost, 127.0.0.1 or [::1], and no userinfo."""
    with pytest.raises(ConfigurationError, match="base_url must"):
        made(base_url=base_url)


@pytest.mark.parametrize("base_url", ["http://[::1]:8787/v1", "http://LOCALHOST/v1"])
def test_loopback_names_may_be_plain_http(base_url: str) -> None:
    """A local mock needs no certificate."""
    assert made(base_url=base_url) == base_url


@pytest.mark.parametrize("token", ["cli_abc", "a b", "tök", "a\nb", 5, " \t"])
def test_a_token_that_cannot_travel_is_refused(token: object) -> None:
    """Tokens of commands, and what no header can hold."""
    with pytest.raises(ConfigurationError, match="token"):
        made(token=token)


def test_a_callable_token_is_checked_when_it_answers() -> None:
    """What a function returns is held to the same rules."""
    made_with_callable = settings(token=lambda: "cli_x", base_url=None, admin_secret=None)
    with pytest.raises(ConfigurationError, match="cli_"):
        made_with_callable.bearer()


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_nobody_sees_a_secret(client: type) -> None:
    """No repr on the way from the client to its settings shows token or admin secret."""
    built = client(token=CANARY, admin_secret=CANARY, base_url="http://localhost/v1")
    shown = repr(built) + repr(built._core) + repr(built._core.settings) + str(built)
    assert CANARY not in shown
    assert "localhost" in shown


def test_a_refused_token_is_not_repeated() -> None:
    """The error about a bad token doesn't print it."""
    with pytest.raises(ConfigurationError) as caught:
        made(token=f"cli_{CANARY}")
    assert CANARY not in str(caught.value)
