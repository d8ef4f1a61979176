"""From a call to a request: address, headers, body."""

import math
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import attrs

from settlekit import _codec
from settlekit._calls import arguments
from settlekit._calls.call import Auth, Call, Root
from settlekit._flow import MAX_ANSWER_BYTES, Request, RetryPolicy
from settlekit._settings import Settings
from settlekit._version import __version__
from settlekit.errors import ConfigurationError, InvalidArgument

USER_AGENT: Final = f"settlekit/{__version__}"


def _checked_timeout(seconds: Any) -> float | None:
    if seconds is None:
        return None
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not math.isfinite(seconds) or seconds <= 0:
        raise InvalidArgument("timeout", "must be a finite number of seconds above 0")
    return float(seconds)


def _check_retries(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if not isinstance(value, RetryPolicy):
        raise InvalidArgument(field.name, "must be a RetryPolicy, such as RetryPolicy(attempts=4)")


@attrs.frozen(kw_only=True)
class Options:
    """What ``with_options`` can vary: time, headers, retries.

    Without a timeout the pool's own holds: 30 seconds, or what your HTTP client says.
    """

    timeout_seconds: float | None = attrs.field(default=None, converter=_checked_timeout)
    headers: Mapping[str, str] = attrs.field(
        factory=dict[str, str], converter=arguments.headers, repr=False
    )
    retries: RetryPolicy = attrs.field(factory=RetryPolicy, validator=_check_retries)
    max_answer_bytes: int = MAX_ANSWER_BYTES


def request_of(
    call: Call[Any], left_seconds: float | None, *, settings: Settings, options: Options
) -> Request:
    """Return the request that a call stands for, with the token of now.

    No step of it may take longer than the call has left.
    """
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
        left_seconds=left_seconds,
        max_bytes=options.max_answer_bytes,
        token_source=settings.token_source if call.auth is Auth.TOKEN else None,
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
