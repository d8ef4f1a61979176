"""Senders: how the bytes of a webhook reach its receiver.

``MountedSender`` hands a delivery to an application in this process where one is mounted at
the receiver's origin, and else to ``HttpSender``, which sends it over a socket. A sender
never raises: whatever goes wrong is an outcome.
"""

import socket
import time
from collections.abc import Callable, Collection, Mapping
from http.client import HTTPException
from ipaddress import ip_address
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.webhooks import rules
from settlekit_mock.webhooks.connections import Connections, Target, Unreachable

TIMEOUT_SECONDS: Final = 10.0
_PORTS: Final = {"http": 80, "https": 443}
_IN_PATHS: Final = "/%:@!$&'()*+,;=~?[]"
"""What a path or query holds as it is given, beside letters and digits."""


class Outcome(NamedTuple):
    """How a send went: the receiver's status, or why there is none."""

    status: int | None
    error: str | None = None


class Sender(Protocol):
    """Anything that can carry a delivery."""

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send a body once; never raises, never follows a redirect."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


Receive = Callable[[str, Mapping[str, str], bytes], Outcome]
"""An application in this process: takes address, headers and body of a delivery."""


class Mounts:
    """Applications in this process that receive webhooks: origin → callable."""

    def __init__(self) -> None:
        self._targets: dict[str, Receive] = {}

    def mount(self, url: str, target: Receive) -> None:
        """Deliver what is addressed to this URL's origin to a callable."""
        self._targets[rules.read_url(url, "url").origin] = target

    def unmount(self, url: str) -> None:
        """Deliver to this origin over the network again."""
        self._targets.pop(rules.read_url(url, "url").origin, None)

    def find(self, url: str) -> Receive | None:
        """Return what is mounted at a URL's origin."""
        if not self._targets:
            return None
        return self._targets.get(rules.read_url(url, "url").origin)


class MountedSender:
    """Sends to what is mounted, and everything else by another sender."""

    def __init__(self, mounts: Mounts, otherwise: Sender) -> None:
        self.mounts = mounts
        self._otherwise = otherwise

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send to the mounted application, or over the network where there is none."""
        target = self.mounts.find(url)
        if target is None:
            return self._otherwise.send(url, headers, body)
        try:
            return target(url, headers, body)
        except Exception as error:  # noqa: BLE001 - a receiver's defect is a failed delivery
            return Outcome(None, f"the receiver raised {type(error).__name__}")

    def close(self) -> None:
        """Close the other sender."""
        self._otherwise.close()


class Resolve(Protocol):
    """Looks a name up: every address it has, as text."""

    def __call__(self, host: str, port: int) -> list[str]:
        """Return the addresses; raise ``OSError`` where there is none."""
        ...


def resolve(host: str, port: int) -> list[str]:
    """Look a name up, in the system's order, without repeats."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_this_machine(address: str) -> bool:
    if rules.is_loopback(ip_address(address)):
        return True
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        # Nothing is sent: the system says from which of its addresses it would.
        try:
            probe.connect((address, 9))
        except OSError:
            return False
        return str(probe.getsockname()[0]) == address


class HttpSender:
    """Sends over HTTP to addresses that the rules allow, on connections kept for a moment.

    The address that was checked is the one that is connected to: the name isn't looked up
    a second time. Without leave for remote targets no name server is asked at all. Nothing
    goes to this machine's ``own_ports``: a receiver's address is a caller's to choose, and on
    this machine's behalf the server's own routes do more than a caller may.
    """

    def __init__(
        self,
        *,
        remote_allowed: bool = False,
        timeout_seconds: float = TIMEOUT_SECONDS,
        resolve: Resolve = resolve,
        own_ports: Collection[int] = (),
    ) -> None:
        self._own_ports = own_ports
        self._remote_allowed = remote_allowed
        self._timeout_seconds = timeout_seconds
        self._resolve = resolve
        self._connections = Connections()

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send a body once to the first checked address that takes the connection."""
        try:
            parts = urlsplit(rules.read_url(url, "callback_url").text)
            host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
            addresses = self._checked_addresses(host, port)
        except Invalid as refused:
            return Outcome(None, f"refused target: {refused.message}")
        except (OSError, UnicodeError):
            return Outcome(None, "the name can't be resolved")
        path = quote(parts.path or "/", _IN_PATHS)
        if parts.query:
            path = f"{path}?{quote(parts.query, _IN_PATHS)}"
        headers = {**headers, "Host": parts.netloc}
        outcome = Outcome(None, "no address")
        deadline = time.monotonic() + self._timeout_seconds
        for address in addresses:
            try:
                target = Target(parts.scheme, host, port, address)
                status = self._connections.post(target, path, headers, body, deadline=deadline)
                return Outcome(status)
            except Unreachable:
                outcome = Outcome(None, "the connection was refused")
            except TimeoutError:
                return Outcome(None, f"no answer within {self._timeout_seconds:g} s")
            except (HTTPException, OSError) as error:
                return Outcome(None, f"the connection broke: {type(error).__name__}")
        return outcome

    def _checked_addresses(self, host: str, port: int) -> list[str]:
        if not self._remote_allowed and not rules.names_this_machine(host):
            raise Invalid(f"{host} isn't this machine; --allow-remote-webhooks allows others")
        addresses = self._resolve(host, port)
        why = rules.refusal(addresses, remote_allowed=self._remote_allowed)
        if why is not None:
            raise Invalid(why)
        if port in self._own_ports and any(map(_is_this_machine, addresses)):
            raise Invalid(f"{host}:{port} is this server itself")
        return addresses

    def close(self) -> None:
        """Close the connections; another send would open new ones."""
        self._connections.close()
