"""What the doctor can see without the platform: the settings of a shop."""

import argparse
import os
from typing import Final

import attrs

from settlekit._calls import arguments
from settlekit._settings import (
    LIVE_BASE_URL,
    SANDBOX_BASE_URL,
    TOKEN_VARIABLES,
    TokenFound,
    checked_base_url,
    checked_token,
    token_of_environment,
)
from settlekit.challenge import normalize_merchant
from settlekit.cli.doctor_report import Report
from settlekit.errors import ConfigurationError, InvalidArgument
from settlekit.money import Band, band_of

STANDARD_AMOUNTS: Final = {"JPY": 501, "USD": 301}
"""The smallest standard payment of each currency: what a probe asks for."""


@attrs.frozen(kw_only=True)
class ShopSettings:
    """What a shop is configured with: options first, then the environment."""

    sandbox: bool
    merchant: str
    token: TokenFound | None
    base_url: str
    origin: str
    webhook_url: str
    webhook_secret: str = attrs.field(repr=False)
    challenge_secret: str = attrs.field(repr=False)
    currency: str
    amount_minor: int | str


def read_settings(asked: argparse.Namespace) -> ShopSettings:
    """Read a shop's settings; what is missing is empty."""
    sandbox = asked.sandbox or _env("SIGLUME_ENV").lower() == "sandbox"
    currency = (asked.currency or _env("SIGLUME_DIRECT_PAYMENT_TEST_CURRENCY") or "JPY").upper()
    amount = asked.amount_minor or _env("SIGLUME_DIRECT_PAYMENT_TEST_AMOUNT_MINOR")
    return ShopSettings(
        sandbox=sandbox,
        merchant=asked.merchant or _env("SIGLUME_DIRECT_PAYMENT_MERCHANT"),
        token=token_of_environment(tuple(reversed(TOKEN_VARIABLES))),
        base_url=asked.base_url or _env("SIGLUME_API_BASE") or _usual_base_url(sandbox=sandbox),
        origin=(asked.origin or _env("SHOP_PUBLIC_ORIGIN")).rstrip("/"),
        webhook_url=asked.webhook_url or _env("SHOP_WEBHOOK_URL"),
        webhook_secret=_env("SIGLUME_WEBHOOK_SECRET"),
        challenge_secret=_env("SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"),
        currency=currency,
        amount_minor=_whole(amount or STANDARD_AMOUNTS.get(currency, 501)),
    )


def check_settings(report: Report, shop: ShopSettings) -> None:
    """Look at each setting by itself."""
    report.check("target_environment", True, "sandbox" if shop.sandbox else "live", "")
    report.value(
        "base_url",
        lambda: checked_base_url(shop.base_url),
        "Set SIGLUME_API_BASE, or leave it out for the live API (--sandbox for the local one).",
    )
    report.value(
        "merchant_key",
        lambda: normalize_merchant(shop.merchant),
        "Set SIGLUME_DIRECT_PAYMENT_MERCHANT, or pass --merchant.",
    )
    report.value(
        "merchant_token",
        lambda: _token(shop.token),
        "Set SIGLUME_MERCHANT_AUTH_TOKEN to the merchant's token; one of a command won't do.",
    )
    if shop.token is not None and shop.token.unused:
        report.warn(
            "one_token",
            "SIGLUME_AUTH_TOKEN and SIGLUME_MERCHANT_AUTH_TOKEN differ: commands take the "
            "merchant's, and Client() takes the other",
            "Unset SIGLUME_AUTH_TOKEN for the shop, or pass token= where it makes its client.",
        )
    _check_shop(report, shop)
    report.value(
        "standard_probe_amount",
        lambda: _standard(shop),
        "Pass --currency JPY with --amount-minor 501 or more, or USD with 301 or more.",
    )


def _check_shop(report: Report, shop: ShopSettings) -> None:
    where = "https, or http on a loopback name" if shop.sandbox else "https"
    report.value(
        "shop_origin",
        lambda: _reachable(shop, _origin(shop.origin)),
        f"Set SHOP_PUBLIC_ORIGIN to the shop's origin, {where}, without a path.",
    )
    report.value(
        "webhook_url",
        lambda: _reachable(shop, arguments.web_url(shop.webhook_url, "webhook_url")),
        f"Set SHOP_WEBHOOK_URL to the address of the shop's webhook endpoint, {where}.",
    )
    secret = shop.webhook_secret
    report.check(
        "webhook_secret_present",
        secret.startswith("whsec_") and len(secret) > len("whsec_"),
        "set" if secret.startswith("whsec_") else "not a signing secret" if secret else "not set",
        "Set SIGLUME_WEBHOOK_SECRET to the secret, whsec_…, that was shown when the webhook "
        "endpoint was made.",
    )
    if not shop.challenge_secret:
        report.warn(
            "challenge_secret_present",
            "not set",
            "Agents who pay need it: set SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET. "
            "Hosted checkout alone doesn't.",
        )


def _standard(shop: ShopSettings) -> str:
    if not isinstance(shop.amount_minor, int):
        raise InvalidArgument("amount_minor", "must be a whole number of minor units")
    band = band_of(shop.amount_minor, shop.currency)
    if band is not Band.STANDARD:
        raise InvalidArgument("amount_minor", f"is of the band {band}, not standard")
    return f"{shop.amount_minor} {shop.currency}"


def _origin(text: str) -> str:
    [origin] = arguments.origins([text], "shop_origin") or [""]
    return origin


def _reachable(shop: ShopSettings, url: str) -> str:
    if not shop.sandbox and url.lower().startswith("http:"):
        raise ConfigurationError("the live platform reaches https addresses only")
    return url


def _token(found: TokenFound | None) -> str:
    if found is None:
        raise ConfigurationError("not set")
    return f"{len(checked_token(found.token))} characters, from {found.name}"


def _whole(amount: object) -> int | str:
    text = str(amount)
    return int(text) if text.isascii() and text.isdecimal() else text


def _usual_base_url(*, sandbox: bool) -> str:
    if sandbox:
        port = _env("SIGLUME_SANDBOX_PORT")
        here = f"http://127.0.0.1:{port}/v1" if port else SANDBOX_BASE_URL
        return _env("SIGLUME_SANDBOX_API_BASE") or here
    return LIVE_BASE_URL


def _env(name: str) -> str:
    return os.environ.get(name, "").strip()
