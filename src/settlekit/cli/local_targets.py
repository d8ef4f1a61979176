"""Post to this machine and its own network only, unless told otherwise.

A name can resolve to anything, and to something else the next time. So by default a target
is an address that was written out, or a name that means this machine by its definition
(RFC 6761): no name server is asked, and what was checked is what is connected to.
"""

import http.client
import socket
import ssl
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from settlekit.errors import ConfigurationError, TransportError

TIMEOUT_SECONDS: Final = 10.0
LONGEST_ANSWER: Final = 64 * 1024
_LOOPBACK: Final = ("127.0.0.1", "::1")
_LOCAL: Final = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
        "169.254.0.0/16",
        "fe80::/10",
    )
)
"""Loopback, private and link-local addresses; nothing else that the standard calls special."""


class Target(NamedTuple):
    """Where to post: the URL, and the addresses to connect to, in order."""

    url: SplitResult
    addresses: Sequence[str]


class Answered(NamedTuple):
    """What a target said."""

    status: int
    body: bytes


def target_of(url: str, *, allow_remote: bool) -> Target:
    """Return a target, or raise ConfigurationError for one that isn't allowed."""
    parts = _parsed(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return Target(parts, _LOOPBACK)
    if is_local(host) or allow_remote:
        return Target(parts, (host,))
    raise ConfigurationError(
        f"{host} isn't an address of this machine or its own network, nor a localhost name; "
        "ALLOW_REMOTE_WEBHOOK_REPLAY=1 (or --allow-remote) allows others"
    )


def is_local(host: str) -> bool:
    """Say whether a host is a loopback, private or link-local address, written out."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    judged = _unmapped(address)
    return any(judged in network for network in _LOCAL)


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_is_right = parts.port != 0
    except ValueError as error:
        raise ConfigurationError(f"not a URL: {url}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
        raise ConfigurationError(f"not an http or https URL: {url}")
    if "@" in parts.netloc:
        raise ConfigurationError("a URL must not hold user information")
    return parts


def post(target: Target, body: bytes, headers: Mapping[str, str]) -> Answered:
    """Post a body once, following no redirect; raise TransportError where nobody answers."""
    problem: OSError | None = None
    for address in target.addresses:
        try:
            return _post_to(target.url, address, body, headers)
        except ConnectionRefusedError as error:
            problem = error
        except (OSError, http.client.HTTPException) as error:
            raise TransportError(f"{target.url.netloc} doesn't answer: {error}") from error
    raise TransportError(f"nothing listens at {target.url.netloc}") from problem


def _post_to(url: SplitResult, address: str, body: bytes, headers: Mapping[str, str]) -> Answered:
    secure = url.scheme == "https"
    port = url.port or (443 if secure else 80)
    connection = http.client.HTTPConnection(url.hostname or "", port, timeout=TIMEOUT_SECONDS)
    # The address that was checked, not what a name resolves to by now.
    plain = socket.create_connection((address, port), TIMEOUT_SECONDS)
    try:
        connection.sock = _secured(plain, url.hostname or "") if secure else plain
        connection.request("POST", url.path, body, {**headers, "Host": url.netloc})
        answer = connection.getresponse()
        return Answered(answer.status, answer.read(LONGEST_ANSWER))
    finally:
        connection.close()
        plain.close()


def _secured(plain: socket.socket, name: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=name)
