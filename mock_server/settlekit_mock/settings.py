"""The server's settings from the environment: each option of ``serve`` has its variable."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from settlekit_mock.kernel.database import MEMORY_URL
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import from_text
from settlekit_mock.kernel.world import Settings
from settlekit_mock.payments.rules.merchants import origins, self_service_key
from settlekit_mock.seeding import SEEDED_TOKENS
from settlekit_mock.webhooks.rules import read_url

PREFIX = "SETTLEKIT_MOCK_"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_PUBLIC_URL = re.compile(
    r"https?://(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII | re.IGNORECASE,
)
_VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)


class SettingError(ValueError):
    """A setting that can't be used: its name, and what is wrong with it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


def variable(name: str) -> str:
    """Return the environment's variable for an option, such as ``freeze-at``."""
    return PREFIX + name.replace("-", "_").upper()


def settings_from(environ: Mapping[str, str]) -> tuple[str, Settings]:
    """Return the database's URL and the settings; an empty variable counts as absent.

    Raises ``SettingError`` that names the variable.
    """
    found = {
        name[len(PREFIX) :].lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and value
    }
    try:
        return found.pop("db", MEMORY_URL), make_settings(found)
    except SettingError as error:
        raise SettingError(variable(error.name), error.problem) from error


def make_settings(given: Mapping[str, Any]) -> Settings:
    """Make settings from texts or values; unknown names are left to others.

    Raises ``SettingError`` that names the setting.
    """
    chosen: dict[str, Any] = {}
    for name in Settings.__slots__:
        if given.get(name) is not None:
            chosen[name] = _read(name, given[name])
    return Settings(**chosen)


def _read(name: str, value: Any) -> Any:
    try:
        return _READERS[name](value)
    except Invalid as error:
        # The rule names the field of a route, which nobody gave here.
        raise SettingError(name, error.message.partition(": ")[2]) from error
    except ValueError as error:
        raise SettingError(name, str(error)) from error


def _seed(value: Any) -> int:
    text = str(value).strip()
    if _WHOLE_NUMBER.fullmatch(text) is None or not -(2**63) <= int(text) < 2**63:
        raise ValueError("must be a whole number of 64 bits")
    return int(text)


def _instant(value: Any) -> int:
    return from_text(value) if isinstance(value, str) else int(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError("say 1 or 0")
    return text in _TRUE


def _token(value: Any) -> str:
    text = str(value)
    if _VISIBLE.fullmatch(text) is None:
        raise ValueError("must be visible ASCII characters")
    if text.startswith("cli_"):
        raise ValueError("one that begins with cli_ is refused everywhere")
    return text


def _admin_token(value: Any) -> str:
    text = _token(value)
    if text in SEEDED_TOKENS:
        raise ValueError("this is the token of another of the sandbox's actors")
    return text


def _secret(value: Any) -> str:
    text = str(value)
    if not text.strip():
        raise ValueError("must not be empty")
    if not text.isprintable():  # half a character of another encoding isn't either
        raise ValueError("must be printable text in UTF-8, on one line")
    return text


def _origin(value: Any) -> str:
    return origins((str(value),))[0]


def _public_url(value: Any) -> str:
    text = str(value).strip()
    found = _PUBLIC_URL.fullmatch(text)
    if found is None or int(found["port"] or 0) > 65535:
        raise ValueError("must be http or https and a host, with no path: https://mock.example")
    return text.rstrip("/").lower()


def _url(value: Any) -> str:
    return read_url(str(value), "webhook_url").text


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "seed": _seed,
    "freeze_at": _instant,
    "sign_with_clock": _flag,
    "merchant": lambda value: self_service_key(str(value)),
    "webhook_url": _url,
    "webhook_secret": _secret,
    "origin": _origin,
    "public_url": _public_url,
    "admin_token": _admin_token,
    "admin_secret": _token,
    "control_token": _token,
    "stripe_webhook_secret": _secret,
    "allow_remote_webhooks": _flag,
}
