"""Senders: how the bytes of a webhook reach its receiver.

``MountedSender`` hands a delivery to an application in this process where one is mounted at
the receiver's origin, and else to ``HttpSender``, which sends it over a socket. A sender
never raises: whatever goes wrong is an outcome.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.webhooks import rules

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS: Final = 10.0
_KEEP_ALIVE_SECONDS: Final = 1.0
_BODY_LIMIT: Final = 64 * 1024
"""Bytes of an answer that are read, so that the connection can be used again."""


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


Target = Callable[[str, Mapping[str, str], bytes], Outcome]


class Mounts:
    """Applications in this process that receive webhooks: origin → callable."""

    def __init__(self) -> None:
        self._targets: dict[str, Target] = {}

    def mount(self, url: str, target: Target) -> None:
        """Deliver what is addressed to this URL's origin to a callable."""
        self._targets[rules.read_url(url, "url").origin] = target

    def unmount(self, url: str) -> None:
        """Deliver to this origin over the network again."""
        self._targets.pop(rules.read_url(url, "url").origin, None)

    def find(self, url: str) -> Target | None:
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


class HttpSender:
    """Sends over HTTP to addresses that the rules allow, on one pool of connections.

    The address that was checked is the one that is connected to: the name isn't looked up
    a second time. Without leave for remote targets no name server is asked at all.
    """

    def __init__(
        self,
        *,
        remote_allowed: bool = False,
        timeout_seconds: float = TIMEOUT_SECONDS,
        resolve: Resolve = resolve,
    ) -> None:
        self._remote_allowed = remote_allowed
        self._timeout_seconds = timeout_seconds
        self._resolve = resolve
        self._clients: dict[str, httpx.Client] = {}
        self._building = threading.Lock()

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send a body once to the first checked address that takes the connection."""
        import httpx

        try:
            target = httpx.URL(rules.read_url(url, "callback_url").text)
            addresses = self._checked_addresses(target.host, target.port or _port(target.scheme))
        except Invalid as refused:
            return Outcome(None, f"refused target: {refused.message}")
        except (httpx.InvalidURL, OSError, UnicodeError):
            return Outcome(None, "the name can't be resolved")
        outcome = Outcome(None, "no address")
        for address in addresses:
            try:
                return self._post(target, address, headers, body)
            except httpx.ConnectError:
                outcome = Outcome(None, "the connection was refused")
            except httpx.TimeoutException:
                return Outcome(None, f"no answer within {self._timeout_seconds:g} s")
            except (httpx.HTTPError, OSError) as error:
                return Outcome(None, f"the connection broke: {type(error).__name__}")
        return outcome

    def _checked_addresses(self, host: str, port: int) -> list[str]:
        if not self._remote_allowed and not rules.names_this_machine(host):
            raise Invalid(f"{host} isn't this machine; --allow-remote-webhooks allows others")
        addresses = self._resolve(host, port)
        why = rules.refusal(addresses, remote_allowed=self._remote_allowed)
        if why is not None:
            raise Invalid(why)
        return addresses

    def _post(
        self, target: "httpx.URL", address: str, headers: Mapping[str, str], body: bytes
    ) -> Outcome:
        secure = target.scheme == "https"
        # A secure connection is bound to its name, and names share addresses: no reuse.
        extra = {"Host": target.netloc.decode(), **({"Connection": "close"} if secure else {})}
        with self._client(target.scheme).stream(
            "POST",
            target.copy_with(host=address),
            content=body,
            headers={**headers, **extra},
            extensions={"sni_hostname": target.host} if secure else {},
        ) as response:
            if int(response.headers.get("Content-Length", _BODY_LIMIT)) < _BODY_LIMIT:
                response.read()
            return Outcome(response.status_code)

    def _client(self, scheme: str) -> "httpx.Client":
        with self._building:
            found = self._clients.get(scheme)
            if found is None:
                found = self._clients[scheme] = _build(scheme, self._timeout_seconds)
            return found

    def close(self) -> None:
        """Close the connections; another send would open new ones."""
        with self._building:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _build(scheme: str, timeout_seconds: float) -> "httpx.Client":
    import httpx

    # Loading the trusted certificates is slow: plain HTTP gets a context that trusts none.
    trusted = (
        ssl.create_default_context()
        if scheme == "https"
        else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    return httpx.Client(
        verify=trusted,
        timeout=timeout_seconds,
        follow_redirects=False,
        trust_env=False,
        # Shorter than any common server's own, which would close the connection under a send.
        limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE_SECONDS),
    )
