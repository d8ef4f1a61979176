"""From a call to a request: address, headers, body."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import attrs

from settlekit import _codec
from settlekit._calls.call import Auth, Call, Root
from settlekit._flow import Request, RetryPolicy
from settlekit._settings import Settings
from settlekit._version import __version__
from settlekit.errors import ConfigurationError

USER_AGENT: Final = f"settlekit/{__version__}"


@attrs.frozen(kw_only=True)
class Options:
    """What ``with_options`` can vary: time, headers, retries."""

    timeout_seconds: float | None = 30.0
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    retries: RetryPolicy = attrs.Factory(RetryPolicy)


def request_of(call: Call[Any], settings: Settings, options: Options) -> Request:
    """Return the request that a call stands for, with the token of now."""
    base = settings.base_url if call.root is Root.API else settings.origin_url
    query = f"?{urlencode(call.query)}" if call.query else ""
    headers = {"accept": "application/json", "user-agent": USER_AGENT}
    headers |= _lower(options.headers) | _lower(call.headers)
    if call.body is not None:
        headers["content-type"] = "application/json"
    return Request(
        method=call.method,
        url=f"{base}{call.path}{query}",
        headers=headers | _credentials(call.auth, settings),
        content=None if call.body is None else _codec.encode(call.body),
        timeout_seconds=options.timeout_seconds,
    )


def _credentials(auth: Auth, settings: Settings) -> dict[str, str]:
    if auth is Auth.TOKEN:
        return {"authorization": f"Bearer {settings.bearer()}"}
    if auth is Auth.ADMIN_SECRET:
        if settings.admin_secret is None:
            raise ConfigurationError("this call needs an admin secret: pass admin_secret=")
        return {"x-admin-secret": settings.admin_secret}
    return {}


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
