"""The commands ``buyers``, ``merchants`` and ``tokens``: who acts, and with which token."""

import argparse
import json
from collections.abc import Iterable, Mapping
from typing import Any

from settlekit_mock.cli import arguments
from settlekit_mock.cli.declaring import declare
from settlekit_mock.cli.showing import Table
from settlekit_mock.cli.usage import WrongUsage
from settlekit_mock.control.buyers import BuyerBody
from settlekit_mock.control.merchants import ControlMerchantBody
from settlekit_mock.driver import Driver

ACTIONS = ("list", "show", "create", "update")
ROLES = ("merchant", "provider", "buyer", "admin")
BUYER_COLUMNS = {
    "buyer": "buyer_id",
    "token": "token",
    "time zone": "timezone",
    "JPYC": "balances.JPYC",
    "USDC": "balances.USDC",
    "vault": "vault_active",
}
MERCHANT_COLUMNS = {
    "merchant": "merchant",
    "token": "token",
    "listing": "listing_id",
    "plan": "merchant_account.billing_plan",
    "billing": "merchant_account.billing_status",
    "checkout": "hosted_checkout",
    "webhook": "webhook_url",
}


def add_actors(commands: Any) -> tuple[argparse.ArgumentParser, ...]:
    """Declare the commands."""
    return (
        _add(commands, "buyers", "list, show, create or update buyers", "its id", BuyerBody),
        _add(
            commands,
            "merchants",
            "list, show, create or update merchants",
            "its key",
            ControlMerchantBody,
        ),
        _add_tokens(commands),
    )


def _add_tokens(commands: Any) -> argparse.ArgumentParser:
    found = declare(commands, "tokens", "make a bearer token for somebody")
    found.add_argument("role", choices=ROLES, help="what it opens")
    found.add_argument(
        "subject", help="a buyer's id, a merchant's user id (usr_…), or an operator's name"
    )
    found.add_argument("--expires-at", type=arguments.time, help="RFC 3339 (default: never)")
    return found


def _add(commands: Any, name: str, text: str, key: str, body: Any) -> argparse.ArgumentParser:
    fields = ", ".join(body.__struct_fields__)
    found = declare(commands, name, text)
    found.add_argument(
        "action", choices=ACTIONS, nargs="?", default="list", help="what to do (default: list)"
    )
    found.add_argument("key", nargs="?", help=key)
    found.add_argument(
        "--set",
        action="append",
        metavar="FIELD=VALUE",
        help=f"a field to set, the value JSON or text, as often as needed; fields: {fields}",
    )
    return found


def buyers(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Run the command ``buyers``."""
    fields = _fields(chosen)
    if chosen.action == "list":
        return [Table(BUYER_COLUMNS, driver.buyers.all())]
    if chosen.action == "create":
        _check(fields, BuyerBody)
        named = {} if chosen.key is None else {"buyer_id": chosen.key}
        return [driver.buyers.create(**named, **fields)]
    if chosen.action == "update":
        return [driver.buyers.update(_key(chosen), **fields)]
    return [driver.buyers.get(_key(chosen))]


def merchants(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Run the command ``merchants``."""
    fields = _fields(chosen)
    if chosen.action == "list":
        return [Table(MERCHANT_COLUMNS, driver.merchants.all())]
    if chosen.action == "create":
        _check(fields, ControlMerchantBody)
        return [driver.merchants.create(_key(chosen), **fields)]
    if chosen.action == "update":
        return [driver.merchants.update(_key(chosen), **fields)]
    return [driver.merchants.get(_key(chosen))]


def tokens(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Run the command ``tokens``."""
    made = driver.tokens.create(
        role=chosen.role, subject=chosen.subject, expires_at=chosen.expires_at
    )
    return [{"token": made} if chosen.json else made]


def _key(chosen: argparse.Namespace) -> str:
    key: str | None = chosen.key
    if not key:
        raise WrongUsage(f"{chosen.command} {chosen.action}: say which one, by its key")
    return key


def _fields(chosen: argparse.Namespace) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for setting in chosen.set or ():
        name, equals, value = setting.partition("=")
        if not equals or not name.isidentifier() or name in ("self", *_NAMED_BY_KEY):
            raise WrongUsage(f"--set {setting}: expected FIELD=VALUE; the key comes before it")
        fields[name] = _value(value)
    if fields and chosen.action in ("list", "show"):
        raise WrongUsage("--set goes with create and update")
    return fields


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _check(fields: Mapping[str, Any], body: Any) -> None:
    unknown = sorted(set(fields) - set(body.__struct_fields__))
    if unknown:
        raise WrongUsage(f"--set: no field {', '.join(unknown)}; --help lists them")


_NAMED_BY_KEY = ("buyer_id", "merchant")
