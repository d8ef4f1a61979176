"""The server's settings from the environment: each option of ``serve`` has its variable."""

from collections.abc import Mapping
from typing import Any

from settlekit_mock.kernel.database import MEMORY_URL
from settlekit_mock.kernel.times import from_text
from settlekit_mock.kernel.world import Settings

PREFIX = "SETTLEKIT_MOCK_"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


def settings_from(environ: Mapping[str, str]) -> tuple[str, Settings]:
    """Return the database's URL and the settings; raises ``ValueError`` naming the variable."""
    given = {
        name[len(PREFIX) :].lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX)
    }
    return given.pop("db", MEMORY_URL), make_settings(given)


def make_settings(given: Mapping[str, Any]) -> Settings:
    """Make settings from texts or values; unknown names are left to others."""
    chosen: dict[str, Any] = {}
    for name in Settings.__slots__:
        if given.get(name) is not None:
            chosen[name] = _read(name, given[name])
    return Settings(**chosen)


def _read(name: str, value: Any) -> Any:
    try:
        if name == "seed":
            return _seed(value)
        if name == "freeze_at":
            return from_text(value) if isinstance(value, str) else value
        if name in ("sign_with_clock", "allow_remote_webhooks"):
            return _flag(value)
    except ValueError as error:
        raise ValueError(f"{PREFIX}{name.upper()}: {error}") from error
    return value


def _seed(value: Any) -> int:
    seed = int(value)
    if not -(2**63) <= seed < 2**63:
        raise ValueError("a seed is a whole number of 64 bits")
    return seed


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError("say 1 or 0")
    return text in _TRUE
