"""Who may open a route.

A merchant's token opens the provider routes too, for merchant and provider are one person
in two roles; a provider's token opens those alone.
"""

import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import Final

from settlekit_mock.http.tables import find_token
from settlekit_mock.kernel.clock import load_state
from settlekit_mock.kernel.problems import Forbidden, Unauthenticated
from settlekit_mock.kernel.world import World


class Role(StrEnum):
    """What a caller must be."""

    ANYONE = "anyone"
    MERCHANT = "merchant"
    PROVIDER = "provider"
    BUYER = "buyer"
    ADMIN = "admin"
    ADMIN_SECRET = "admin_secret"
    SCHEDULE = "schedule"
    CONTROL = "control"


OPENED_BY: Final = {
    Role.MERCHANT: frozenset({"merchant"}),
    Role.PROVIDER: frozenset({"merchant", "provider"}),
    Role.BUYER: frozenset({"buyer"}),
    Role.ADMIN: frozenset({"admin"}),
}
"""Which tokens open the routes of a role."""

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

DELIVERY_AGENT: Final = "settlekit-mock"
"""What this server's own deliveries call themselves."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: ``subject`` is a user id, a buyer id, or empty where nobody is named."""

    role: str
    subject: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the request says of its caller."""

    authorization: str | None = field(repr=False)
    admin_secret: str | None = field(repr=False)
    remote_address: str
    host: str
    fetch_site: str | None = None
    origin: str | None = None
    is_delivery: bool = False


NOBODY: Final = Caller("anyone", "")


def admit(world: World, role: Role, given: Credentials) -> Caller:
    """Return the caller, or raise ``Unauthenticated`` or ``Forbidden``."""
    if role is Role.ANYONE:
        return NOBODY
    if role is Role.CONTROL:
        return _admit_control(world, given)
    if role is Role.ADMIN_SECRET:
        return _admit_admin_secret(world, given)
    if role is Role.SCHEDULE:
        return _admit_holder(world, role, bearer(given.authorization))
    return _admit_token(world, role, bearer(given.authorization))


def bearer(authorization: str | None) -> str:
    """Return the bearer token, or raise ``Unauthenticated``."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("send a token: Authorization: Bearer <token>")
    if "\x00" in token:  # which no database of ours can look for
        raise Unauthenticated("this token is unknown")
    if token.startswith("cli_"):
        raise Unauthenticated("a cli_ key is no bearer token; use a merchant or user token")
    return token


def _admit_token(world: World, role: Role, token: str) -> Caller:
    if same(token, world.settings.admin_token):
        caller = Caller("admin", "operator")
    else:
        with world.snapshot() as connection:
            found = find_token(connection, token)
        if found is None:
            raise Unauthenticated("this token is unknown")
        token_role, subject, expires_at = found
        if expires_at is not None and expires_at <= world.now():
            raise Unauthenticated("this token has expired")
        caller = Caller(token_role, subject)
    if role is Role.ADMIN and caller.role != "admin":
        raise Unauthenticated("this isn't an operator's token")
    if caller.role not in OPENED_BY[role]:
        raise Forbidden(f"this token's role is {caller.role}; the route needs a {role} token")
    return caller


def _admit_holder(world: World, role: Role, token: str) -> Caller:
    """Admit the holder of a token that a room above issues, and looks up, by itself."""
    with world.snapshot() as connection:
        return Caller(role, world.holders[role](connection, token, load_state(connection).now))


def _admit_admin_secret(world: World, given: Credentials) -> Caller:
    secret = given.admin_secret
    if secret is None or not same(secret, world.settings.admin_secret):
        raise Unauthenticated("send the admin secret: X-Admin-Secret: <secret>")
    return Caller("admin", "operator")


def _admit_control(world: World, given: Credentials) -> Caller:
    if given.is_delivery:
        # A receiver's address is a caller's to choose, and a proxy may hide that it is this server.
        raise Forbidden("the control routes take no webhook deliveries")
    token = world.settings.control_token
    if token is not None:
        if not given.authorization:
            raise Unauthenticated(
                "send the token that this server was started with (--control-token): "
                "Authorization: Bearer <token>"
            )
        if not same(bearer(given.authorization), token):
            raise Unauthenticated("this isn't the server's control token")
    elif not _is_loopback(given.remote_address):
        raise Forbidden(
            "the control routes answer callers on this machine only; "
            "start the server with --control-token to open them to others"
        )
    elif not _is_local_page(given):
        raise Forbidden("the control routes don't answer pages of other sites or ports")
    return Caller("control", "operator")


def _is_local_page(given: Credentials) -> bool:
    # A page elsewhere could make a browser on this machine call: by a name of its own that
    # resolves to loopback, across sites, or from another port of this machine.
    host = given.host.lower()
    if given.origin is not None and given.origin.lower() not in (
        f"http://{host}",
        f"https://{host}",
    ):
        return False
    by_itself = given.fetch_site in (None, "none", "same-origin")
    return by_itself and re.sub(r":\d+$", "", host) in LOOPBACK_NAMES


def _is_loopback(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    # On [::] a caller from 127.0.0.1 comes as ::ffff:127.0.0.1.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def same(given: str, expected: str) -> bool:
    """Compare secrets in a time that doesn't tell where they differ; any text will do."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8"))
