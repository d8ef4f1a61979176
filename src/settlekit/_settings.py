"""What a client is built from: arguments, else the environment, checked at once."""

import inspect
import os
import re
from collections.abc import Callable
from typing import Final

import attrs

from settlekit._calls.arguments import web_url
from settlekit.errors import ConfigurationError, InvalidArgument

LIVE_BASE_URL: Final = "https://siglume.com/v1"
SANDBOX_BASE_URL: Final = "http://127.0.0.1:8787/v1"

Token = str | Callable[[], str]

_BEARER = re.compile(r"[\x21-\x7e]+", re.ASCII)


@attrs.frozen(kw_only=True)
class Settings:
    """Where a client's requests go and whom they come from; secrets stay out of repr."""

    base_url: str
    token: Token = attrs.field(repr=False)
    admin_secret: str | None = attrs.field(default=None, repr=False)

    @property
    def origin_url(self) -> str:
        """The base URL without its version."""
        return self.base_url.removesuffix("/v1")

    @property
    def encrypted(self) -> bool:
        """Whether requests travel over TLS."""
        return self.base_url.lower().startswith("https:")

    def bearer(self) -> str:
        """Return the token of now."""
        return checked_token(self.token() if callable(self.token) else self.token)


def settings(*, token: Token | None, base_url: str | None, admin_secret: str | None) -> Settings:
    """Return checked settings, or raise ConfigurationError."""
    found = token
    if found is None:
        found = _env("SIGLUME_AUTH_TOKEN") or _env("SIGLUME_MERCHANT_AUTH_TOKEN")
    if found is None:
        raise ConfigurationError(
            "no token: pass token=, or set SIGLUME_AUTH_TOKEN or SIGLUME_MERCHANT_AUTH_TOKEN"
        )
    return Settings(
        base_url=checked_base_url(_base_url_of_environment() if base_url is None else base_url),
        token=_checked_callable(found) if callable(found) else checked_token(found),
        admin_secret=None if admin_secret is None else checked_token(admin_secret),
    )


def checked_token(token: object) -> str:
    """Return a token that can travel in a header and isn't a command's own."""
    text = token.strip() if isinstance(token, str) else ""
    if not _BEARER.fullmatch(text):
        raise ConfigurationError("a token must be visible ASCII text")
    if text.startswith("cli_"):
        raise ConfigurationError("tokens that start with cli_ are for commands, not for this API")
    return text


def _checked_callable(token: Callable[[], str]) -> Callable[[], str]:
    if inspect.iscoroutinefunction(token):
        raise ConfigurationError("token must be a text or a plain function: nothing awaits it")
    return token


def checked_base_url(base_url: str) -> str:
    """Return a base URL: https, or http on a loopback name; no userinfo, query or fragment."""
    try:
        text = web_url(base_url, "base_url")
    except InvalidArgument as error:
        raise ConfigurationError(str(error)) from None
    if "?" in text or "#" in text:
        raise ConfigurationError("base_url must have no query and no fragment")
    return text.rstrip("/")


def _base_url_of_environment() -> str:
    explicit = _env("SIGLUME_API_BASE")
    if explicit is not None:
        return explicit
    if (_env("SIGLUME_ENV") or "").lower() == "sandbox":
        return _env("SIGLUME_SANDBOX_API_BASE") or SANDBOX_BASE_URL
    return LIVE_BASE_URL


def _env(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None
