"""Who may open which route."""

from typing import Any

import pytest

from settlekit_mock.http.application import Application
from settlekit_mock.http.roles import Role
from settlekit_mock.http.tables import find_token, token_of
from settlekit_mock.kernel.database import Database
from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.world import Settings, World
from tests.settlekit_mock.http.conftest import NOW, ROUTES, Caller

HOLDERS = ("merchant", "provider", "buyer", "admin")
OPENS = {
    Role.MERCHANT: {"merchant"},
    Role.PROVIDER: {"merchant", "provider"},
    Role.BUYER: {"buyer"},
    Role.ADMIN: {"admin"},
}
LOCAL = {"REMOTE_ADDR": "127.0.0.1"}


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def controlled(caller: Caller, **given: Any) -> int:
    given.setdefault("environ_base", LOCAL)
    return caller.call("GET", "/role/control", **given).status_code


@pytest.mark.parametrize(
    ("role", "holder", "status"),
    [
        (role, holder, 200 if holder in opened_by else 401 if role is Role.ADMIN else 403)
        for role, opened_by in OPENS.items()
        for holder in HOLDERS
    ],
)
def test_a_token_opens_the_routes_of_its_roles(
    caller: Caller, role: Role, holder: str, status: int
) -> None:
    """Each token opens its own routes, a merchant's the provider's too, and no others."""
    assert caller.got(f"/role/{role}", headers=bearing(f"tok_{holder}"))[0] == status


@pytest.mark.parametrize("role", list(OPENS))
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        "Bearer ünknown",
        "Bearer tok_expired",
        "Bearer cli_key",
        "Bearer tok_merchant extra",
        "Basic dG9rOm1lcmNoYW50",
        "tok_merchant",
        "Bearer " + "x" * 5000,
    ],
)
def test_a_token_that_is_none_is_401(caller: Caller, role: Role, authorization: str | None) -> None:
    """Missing, unknown, expired and command-line tokens are unauthenticated on every route."""
    headers = {} if authorization is None else {"Authorization": authorization}
    assert caller.got(f"/role/{role}", headers=headers) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(caller: Caller, scheme: str) -> None:
    """``Bearer`` counts however it is written."""
    headers = {"Authorization": f"{scheme}  tok_buyer "}
    assert caller.got("/role/buyer", headers=headers)[0] == 200


def test_a_token_expires_by_the_clock(caller: Caller, world: World) -> None:
    """A token is good until its time, and from then on it isn't."""
    world.due.advance(NOW + DAY - 1)
    assert caller.got("/role/merchant", headers=bearing("tok_expires_tomorrow"))[0] == 200
    world.due.advance(NOW + DAY)
    assert caller.got("/role/merchant", headers=bearing("tok_expires_tomorrow"))[0] == 401


def test_the_caller_is_who_the_token_stands_for(caller: Caller) -> None:
    """The route learns role and subject of the caller."""
    _, seen = caller.got("/role/provider", headers=bearing("tok_merchant"))
    assert (seen["role"], seen["subject"]) == ("merchant", "usr_1")


def test_the_servers_own_admin_token_needs_no_row(caller: Caller) -> None:
    """The operator's token comes from the settings, and opens the operator's routes alone."""
    assert caller.got("/role/admin", headers=bearing("sandbox_admin_token"))[0] == 200
    assert caller.got("/role/merchant", headers=bearing("sandbox_admin_token"))[0] == 403


def test_an_open_route_asks_for_nothing(caller: Caller) -> None:
    """A route for anyone takes callers without a token, and with a bad one."""
    assert caller.got("/role/anyone", headers=bearing("unknown"))[0] == 200


@pytest.mark.parametrize(
    ("secret", "status"),
    [("sandbox_admin_secret", 200), ("", 401), ("wrong", 401), ("sécret", 401), (None, 401)],
)
def test_the_balance_routes_ask_for_the_admin_secret(
    caller: Caller, secret: str | None, status: int
) -> None:
    """Only the server's admin secret opens them; a token doesn't."""
    headers = bearing("sandbox_admin_token")
    given = headers if secret is None else {**headers, "X-Admin-Secret": secret}
    assert caller.got("/role/admin_secret", headers=given)[0] == status


def test_an_empty_admin_secret_opens_nothing_by_itself() -> None:
    """A server whose secret is empty still asks for the header."""
    world = World(Database(), Settings(freeze_at=NOW, admin_secret=""))
    world.database.prepare()
    world.create()
    assert Caller(Application(world, ROUTES)).got("/role/admin_secret")[0] == 401
    world.close()


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("127.0.0.1", 200),
        ("127.8.8.8", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("192.168.1.7", 403),
        ("10.0.0.1", 403),
        ("::ffff:192.168.1.7", 403),
        ("2001:db8::1", 403),
        ("0.0.0.0", 403),
        ("", 403),
        ("localhost", 403),
    ],
)
def test_control_answers_this_machine_alone(caller: Caller, address: str, status: int) -> None:
    """Without a control token only loopback callers drive the mock."""
    assert controlled(caller, environ_base={"REMOTE_ADDR": address}) == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8787", 200),
        ("LOCALHOST:1", 200),
        ("127.0.0.1:8787", 200),
        ("[::1]:8787", 200),
        ("rebound.example", 403),
        ("localhost.rebound.example", 403),
        ("127.0.0.1.rebound.example:8787", 403),
    ],
)
def test_control_answers_no_name_of_another_site(caller: Caller, host: str, status: int) -> None:
    """A name elsewhere that resolves to this machine is refused."""
    assert controlled(caller, headers={"Host": host}) == status


@pytest.mark.parametrize(
    ("fetch_site", "status"),
    [("same-origin", 200), ("same-site", 403), ("none", 200), ("cross-site", 403), ("", 403)],
)
def test_control_answers_no_page_of_another_site(
    caller: Caller, fetch_site: str, status: int
) -> None:
    """A browser's call from a page elsewhere is refused."""
    assert controlled(caller, headers={"Sec-Fetch-Site": fetch_site}) == status


@pytest.mark.parametrize(
    "headers",
    [{"Siglume-Signature": ""}, {"Siglume-Signature": "t=1"}, {"User-Agent": "settlekit-mock"}],
)
def test_control_takes_no_deliveries(caller: Caller, headers: dict[str, str]) -> None:
    """A webhook that comes to a control route, by whatever way, drives nothing."""
    assert controlled(caller, headers=headers) == 403


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.7"])
@pytest.mark.parametrize(
    ("authorization", "status"),
    [("Bearer ctl", 200), ("Bearer wrong", 401), ("", 401), ("Bearer sandbox_admin_token", 401)],
)
def test_with_a_control_token_everybody_needs_it(
    address: str, authorization: str, status: int
) -> None:
    """Once a control token is set it opens the routes from anywhere, and nothing else does."""
    world = World(Database(), Settings(freeze_at=NOW, control_token="ctl"))
    world.database.prepare()
    world.create()
    caller = Caller(Application(world, ROUTES))
    given = {"headers": {"Authorization": authorization, "Host": "mock.example"}}
    assert controlled(caller, environ_base={"REMOTE_ADDR": address}, **given) == status
    world.close()


def test_the_first_token_of_a_subject_is_its_own(application: Application, world: World) -> None:
    """A subject's token is found by role, an unknown one isn't."""
    with world.snapshot() as connection:
        assert token_of(connection, "buyer", "buyer_1") == "tok_buyer"
        assert token_of(connection, "buyer", "usr_1") is None
        assert find_token(connection, "tok_expired") == ("merchant", "usr_1", NOW)
