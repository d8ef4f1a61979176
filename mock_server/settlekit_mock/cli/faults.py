"""The commands ``faults``, ``webhook-faults`` and ``snapshots``."""

import argparse
from collections.abc import Iterable
from typing import Any, get_args

from settlekit_mock.cli import arguments
from settlekit_mock.cli.declaring import declare
from settlekit_mock.cli.usage import WrongUsage
from settlekit_mock.driver import Driver
from settlekit_mock.http import faults as calls
from settlekit_mock.webhooks import faults as webhooks

_ACTIONS = ("list", "show", "create", "remove", "clear")


def add_faults(commands: Any) -> tuple[argparse.ArgumentParser, ...]:
    """Declare the commands."""
    faults = _add(commands, "faults", "let calls fail", "create: METHOD /path*; else: its id")
    faults.add_argument("--kind", choices=get_args(calls.FaultKind), help="how they fail")
    faults.add_argument("--ms", type=int, help="how long, for the kind latency")
    faults.add_argument(
        "--status", type=int, choices=tuple(calls.CODES), help="for the kind status"
    )
    faults.add_argument("--retry-after", type=int, help="seconds, with the statuses 429 and 503")
    kinds = get_args(webhooks.FaultKind)
    deliveries = _add(
        commands,
        "webhook-faults",
        "let webhook deliveries fail",
        f"create: {', '.join(kinds)}; else: its id",
    )
    deliveries.add_argument(
        "--duration", type=arguments.duration, help="how long, for the kind delay, such as 2h"
    )
    snapshots = declare(commands, "snapshots", "keep the world as it is, and go back to it")
    snapshots.add_argument(
        "action",
        choices=("list", "take", "restore", "remove"),
        nargs="?",
        default="list",
        help="what to do (default: list)",
    )
    snapshots.add_argument("key", nargs="?", help="the snapshot's name")
    return faults, deliveries, snapshots


def _add(commands: Any, name: str, text: str, key: str) -> argparse.ArgumentParser:
    found = declare(commands, name, text)
    found.add_argument(
        "action", choices=_ACTIONS, nargs="?", default="list", help="what to do (default: list)"
    )
    found.add_argument("key", nargs="?", help=key)
    found.add_argument("--times", type=int, help="how often; without it and --rate always")
    found.add_argument(
        "--rate", type=float, help="on which share of occasions, 0 to 1; drawn from the seed"
    )
    return found


def faults(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Run the command ``faults``."""
    if chosen.action != "create":
        return _managed(chosen, driver.faults)
    if chosen.kind is None:
        raise WrongUsage("faults create: --kind is needed")
    return [
        driver.faults.create(
            _key(chosen),
            chosen.kind,
            ms=chosen.ms,
            status=chosen.status,
            retry_after=chosen.retry_after,
            times=chosen.times,
            rate=chosen.rate,
        )
    ]


def webhook_faults(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Run the command ``webhook-faults``."""
    if chosen.action != "create":
        return _managed(chosen, driver.webhook_faults)
    kind: Any = _key(chosen)
    if kind not in get_args(webhooks.FaultKind):
        raise WrongUsage(f"webhook-faults create: no kind {kind}; --help lists them")
    return [
        driver.webhook_faults.create(
            kind, duration=chosen.duration, times=chosen.times, rate=chosen.rate
        )
    ]


def _managed(chosen: argparse.Namespace, asked: Any) -> Iterable[Any]:
    if chosen.action == "list":
        found: Iterable[Any] = asked.all()
        return found
    if chosen.action == "show":
        return [asked.get(_key(chosen))]
    if chosen.action == "remove":
        asked.remove(_key(chosen))
        return [{"removed": 1}]
    return [{"removed": asked.clear()}]


def snapshots(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Run the command ``snapshots``."""
    if chosen.action == "list":
        return driver.snapshots.all()
    if chosen.action == "take":
        return [driver.snapshots.take(_key(chosen))]
    if chosen.action == "restore":
        return [driver.snapshots.restore(_key(chosen))]
    driver.snapshots.remove(_key(chosen))
    return [{"removed": 1}]


def _key(chosen: argparse.Namespace) -> str:
    key: str | None = chosen.key
    if not key:
        raise WrongUsage(
            f"{chosen.command} {chosen.action}: say which one; --help lists what there is"
        )
    return key
