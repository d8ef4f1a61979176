"""What the shop under exam opened, and how the exam asks after it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import quote

import attrs
import httpx

from settlekit.errors import InvalidArgument
from settlekit.testing.exam.endpoint import is_web_url

TIMEOUT_SECONDS: Final = 10.0

State = Any
"""Whatever the probe says of an order: compared with ``==``, never read but for two names."""


@attrs.frozen(kw_only=True)
class Order:
    """An order that waits for its payment; ``key`` is what the probe knows it by."""

    key: str
    challenge_hash: str
    amount_minor: int
    currency: str
    merchant: str
    success_url: str | None = None


StartCheckout = Callable[[], Order | Mapping[str, Any]]
"""Opens an order with a hosted checkout, as a buyer's click would, and says which."""

Probe = Callable[[str | None], State]
"""Reads an order's business state by its key; the shop's own books for None, or None."""

Restart = Callable[[], object]
"""Ends the shop at once, however busy, and starts it again on the same database."""


def read_order(given: Order | Mapping[str, Any]) -> Order:
    """Return the order that ``start_checkout`` told of; InvalidArgument names what it lacks."""
    if isinstance(given, Order):
        return given
    names = {field.name for field in attrs.fields(Order)}
    missing = sorted(names - {"success_url"} - set(given))
    if missing:
        raise InvalidArgument("start_checkout", f"must tell {', '.join(missing)} of the order")
    told = {name: given[name] for name in names if name in given}
    for name, value in told.items():
        _must_fit(name, value)
    return Order(**told)


def _must_fit(name: str, value: object) -> None:
    if name == "amount_minor":
        if type(value) is not int or value < 1:
            raise InvalidArgument(
                "start_checkout", f"must tell {name} as an integer, not {value!r}"
            )
    elif not isinstance(value, str) and (name != "success_url" or value is not None):
        raise InvalidArgument("start_checkout", f"must tell {name} as text, not {value!r}")


def checkout_at(url: str) -> StartCheckout:
    """Return a ``start_checkout`` that posts to a URL, which answers the order as JSON."""
    _must_be_url("start_checkout", url)

    def start() -> Mapping[str, Any]:
        answer = httpx.post(url, timeout=TIMEOUT_SECONDS, trust_env=False).raise_for_status()
        found = _json(answer, "start_checkout")
        if not isinstance(found, dict):
            raise InvalidArgument("start_checkout", f"must answer an object at {url}")
        return cast("dict[str, Any]", found)

    return start


def probe_at(url: str) -> Probe:
    """Return a probe that reads a URL: ``{order}`` in it is the order's key, empty for the books."""
    if "{order}" not in url:
        raise InvalidArgument("probe", "must have {order} in it, where the order's key goes")
    _must_be_url("probe", url.replace("{order}", "key"))

    def read(key: str | None) -> State:
        where = url.replace("{order}", quote(key or "", safe=""))
        answer = httpx.get(where, timeout=TIMEOUT_SECONDS, trust_env=False)
        if key is None and answer.status_code == 404:
            return None
        return _json(answer.raise_for_status(), "probe")

    return read


def _must_be_url(means: str, url: str) -> None:
    if not is_web_url(url):
        raise InvalidArgument(means, f"must be an http or https URL, not {url!r}")


def _json(answer: httpx.Response, means: str) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise InvalidArgument(means, f"must answer JSON at {answer.url}") from None
