"""What a client is built from: arguments, else the environment, checked at once."""

import inspect
import os
import re
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from settlekit._calls.arguments import web_url
from settlekit.errors import ConfigurationError, InvalidArgument

LIVE_BASE_URL: Final = "https://siglume.com/v1"
SANDBOX_BASE_URL: Final = "http://127.0.0.1:8787/v1"

TOKEN_VARIABLES: Final = ("SIGLUME_AUTH_TOKEN", "SIGLUME_MERCHANT_AUTH_TOKEN")
"""Where a client looks for its token; commands look the other way round."""

Token = str | Callable[[], str]

_BEARER = re.compile(r"[\x21-\x7e]+", re.ASCII)


@attrs.frozen
class TokenFound:
    """A token of the environment: which variable has it, and which have another one, unused."""

    token: str = attrs.field(repr=False)
    name: str
    unused: tuple[str, ...]

    @property
    def source(self) -> str:
        """Where it is from, in words."""
        unused = f" ({', '.join(self.unused)} is set too, and not used)" if self.unused else ""
        return f"{self.name}{unused}"


@attrs.frozen(kw_only=True)
class Settings:
    """Where a client's requests go and whom they come from; secrets stay out of repr.

    ``token_source`` says which variable the token is from, or None where it was given.
    """

    base_url: str
    token: Token = attrs.field(repr=False)
    token_source: str | None = None
    admin_secret: str | None = attrs.field(default=None, repr=False)

    @property
    def origin_url(self) -> str:
        """The base URL without its version."""
        return self.base_url.removesuffix("/v1")

    @property
    def encrypted(self) -> bool:
        """Whether requests travel over TLS."""
        return self.base_url.lower().startswith("https:")

    def __str__(self) -> str:
        return f"{self.base_url}, token {f'from {self.token_source}' if self.token_source else 'given'}"

    def bearer(self) -> str:
        """Return the token of now."""
        return checked_token(self.token() if callable(self.token) else self.token)


def settings(*, token: Token | None, base_url: str | None, admin_secret: str | None) -> Settings:
    """Return checked settings, or raise ConfigurationError."""
    source = None
    if token is None:
        found = token_of_environment()
        if found is None:
            names = " or ".join(TOKEN_VARIABLES)
            raise ConfigurationError(f"no token: pass token=, or set {names}")
        token, source = found.token, found.source
    return Settings(
        base_url=checked_base_url(_base_url_of_environment() if base_url is None else base_url),
        token=_checked_callable(token) if callable(token) else checked_token(token, source),
        token_source=source,
        admin_secret=None if admin_secret is None else checked_token(admin_secret),
    )


def token_of_environment(names: Sequence[str] = TOKEN_VARIABLES) -> TokenFound | None:
    """Return the token of the first of these variables that is set."""
    found = {name: value for name in names if (value := _env(name)) is not None}
    if not found:
        return None
    taken, *others = found
    unused = tuple(name for name in others if found[name] != found[taken])
    return TokenFound(found[taken], taken, unused)


def checked_token(token: object, source: str | None = None) -> str:
    """Return a token that can travel in a header and isn't a command's own."""
    text = token.strip() if isinstance(token, str) else ""
    where = "" if source is None else f"; this one is from {source}"
    if not _BEARER.fullmatch(text):
        raise ConfigurationError(f"a token must be visible ASCII text{where}")
    if text.startswith("cli_"):
        raise ConfigurationError(
            f"tokens that start with cli_ are for commands, not for this API{where}"
        )
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
