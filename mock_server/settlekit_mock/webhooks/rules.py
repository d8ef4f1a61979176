"""The rules of webhooks: when to try again, which secrets sign, where a delivery may go.

Pure functions; docs/platform.md ("Webhooks") and docs/decisions.md ("Webhooks") hold the
rules in words.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import DAY, HOUR, MINUTE

API_VERSION: Final = "2026-06-20"
DEFAULT_EVENT_TYPES: Final = ("direct_payment.confirmed", "direct_payment.spent")

RETRY_AFTER: Final = (
    1 * MINUTE,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
    24 * HOUR,
)
"""How long after each failed attempt the next one comes."""
MAX_ATTEMPTS: Final = 1 + len(RETRY_AFTER)

ROTATION: Final = 1 * DAY
"""How long a replaced secret goes on signing beside the new one."""

_EVENT_TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39}){1,3}", re.ASCII)


def delivered(status: int | None) -> bool:
    """Say whether an answer counts: any 2xx does, a redirect doesn't."""
    return status is not None and 200 <= status <= 299


def next_attempt_at(attempt_count: int, attempted_at: int) -> int | None:
    """Return when to try again after so many failed attempts; ``None`` when they are used up."""
    if attempt_count >= MAX_ATTEMPTS:
        return None
    return attempted_at + RETRY_AFTER[attempt_count - 1]


def signing_secrets(
    current: str, previous: str | None, previous_expires_at: int | None, now: int
) -> tuple[str, ...]:
    """Return the secrets that sign at an instant: the current first, a replaced one last.

    Verifiers that read only the last signature know the replaced secret still.
    """
    if previous is None or previous_expires_at is None or now >= previous_expires_at:
        return (current,)
    return (current, previous)


def event_types(given: Sequence[str]) -> tuple[str, ...]:
    """Return event types without repeats; raise ``Invalid`` for one that can't be a name."""
    for name in given:
        if _EVENT_TYPE.fullmatch(name) is None:
            raise Invalid(
                f"event_types: {name[:80]!r} isn't a type such as direct_payment.confirmed"
            )
    if not given:
        raise Invalid("event_types: name at least one")
    return tuple(dict.fromkeys(given))


# -- addresses in the text of a URL ------------------------------------------------------

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_URL_LIMIT: Final = 2048
_VISIBLE_ASCII: Final = re.compile(r"[!-\[\]-~]+", re.ASCII)  # all but the backslash
_HOST: Final = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_-]{1,63})*\.?", re.ASCII)


class Url(NamedTuple):
    """An absolute URL: the text as given, and its origin in normal form."""

    text: str
    origin: str
    host: str
    path: str


def read_url(text: str, field: str) -> Url:
    """Read an absolute URL, https or http on a loopback name, without user information.

    Raises ``Invalid`` naming the field.
    """
    text = text.strip()
    if len(text) > _URL_LIMIT or _VISIBLE_ASCII.fullmatch(text) is None:
        raise Invalid(
            f"{field}: must be an absolute URL in ASCII of at most {_URL_LIMIT} characters"
        )
    try:
        parts = urlsplit(text)
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError as error:
        raise Invalid(
            f"{field}: must be an absolute URL such as https://shop.example/done"
        ) from error
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0:
        raise Invalid(f"{field}: must be an absolute http or https URL")
    if "@" in parts.netloc:
        raise Invalid(f"{field}: must not hold user information")
    if parts.scheme == "http" and host not in LOOPBACK_NAMES:
        raise Invalid(f"{field}: must be https; http is for localhost, 127.0.0.1 and [::1] only")
    shown = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return Url(text, f"{parts.scheme}://{host}{shown}", host, parts.path)


def _host(name: str) -> str:
    if ":" in name:
        return f"[{IPv6Address(name)}]"
    name = name.lower()
    if name and (len(name) > 253 or _HOST.fullmatch(name) is None):
        raise ValueError("not a host name")
    return name


# -- addresses a name resolves to --------------------------------------------------------

_NAT64: Final = ip_network("64:ff9b::/96")
_NAT64_LOCAL: Final = ip_network("64:ff9b:1::/48")
_COMPATIBLE: Final = ip_network("::/96")
_METADATA: Final = frozenset(
    {
        ip_address("169.254.169.254"),
        ip_address("168.63.129.16"),
        ip_address("100.100.100.200"),
        ip_address("fd00:ec2::254"),
    }
)
"""Where clouds tell their machines secrets; one of them is a global address."""


def refusal(addresses: Sequence[str], *, remote_allowed: bool) -> str | None:
    """Say why nothing may be sent to a name with these addresses; ``None`` if it may.

    Every address counts, so a name can't hide one behind another.
    """
    if not addresses:
        return "the name has no address"
    for text in addresses:
        try:
            address = ip_address(text)
        except ValueError:
            return f"{text} isn't an address"
        if is_loopback(address):
            continue
        if not remote_allowed:
            return f"{text} isn't a loopback address; --allow-remote-webhooks allows others"
        if not is_public(address):
            return f"{text} is a private, local or reserved address"
    return None


def names_this_machine(host: str) -> bool:
    """Say whether a host can only be this machine, so that no name server need be asked."""
    name = host.lower().strip("[]").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return is_loopback(ip_address(name))
    except ValueError:
        return False


def is_loopback(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is this machine's own."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is global, and every IPv4 address embedded in it too.

    ``ip_address.is_global`` alone holds several IPv6 forms of private addresses for global.
    """
    inside = embedded(address) if isinstance(address, IPv6Address) else ()
    if not all(is_public(inner) for inner in inside) or address in _METADATA:
        return False
    if address in _NAT64:  # it is global where the address inside is
        return True
    local = isinstance(address, IPv6Address) and (address.is_site_local or address in _NAT64_LOCAL)
    return address.is_global and not (local or address.is_multicast or address.is_reserved)


def embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address carries: where it may lead in the end."""
    number = int(address)
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or address in _COMPATIBLE:
        found.append(IPv4Address(number & 0xFFFF_FFFF))
    if number >> 32 & 0xFDFF_FFFF == 0x0000_5EFE:  # ISATAP: the local bit may be set
        found.append(IPv4Address(number & 0xFFFF_FFFF))
    return tuple(inner for inner in found if inner is not None)
