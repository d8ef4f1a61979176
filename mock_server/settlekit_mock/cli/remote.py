"""The commands that drive a running mock by its control routes."""

import argparse
import os
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from settlekit_mock.cli import arguments, console, settlement
from settlekit_mock.cli.actors import add_actors, buyers, merchants, tokens
from settlekit_mock.cli.declaring import declare
from settlekit_mock.cli.faults import add_faults, faults, snapshots, webhook_faults
from settlekit_mock.cli.payment_events import add_payment_event, payment_event
from settlekit_mock.cli.progress import clock_shown
from settlekit_mock.cli.showing import show, visible
from settlekit_mock.cli.usage import WrongUsage
from settlekit_mock.driver import ControlError, Driver, UnreadableAnswer

URL_VARIABLE = "SETTLEKIT_MOCK_URL"
TOKEN_VARIABLE = "SETTLEKIT_MOCK_CONTROL_TOKEN"
DEFAULT_URL = "http://127.0.0.1:8787"


def add_remote(commands: Any) -> Iterable[argparse.ArgumentParser]:
    """Declare the commands."""
    found = (
        _add_clock(commands),
        _add_usage(commands),
        *add_actors(commands),
        add_payment_event(commands),
        *add_faults(commands),
        *settlement.add_settlement(commands),
        *console.add_console(commands),
        _add_events(commands),
        declare(commands, "reset", "begin again with a fresh world"),
    )
    for command in found:
        _add_server(command)
    return found


def _add_clock(commands: Any) -> argparse.ArgumentParser:
    clock = declare(commands, "clock", "read or move the clock")
    clock.add_argument(
        "action",
        choices=("show", "advance", "freeze", "resume"),
        nargs="?",
        default="show",
        help="what to do (default: show)",
    )
    clock.add_argument(
        "amount", nargs="?", help="advance: a duration such as 7d, PT6H or 90; freeze: a time"
    )
    clock.add_argument("--to", type=arguments.time, help="advance to this RFC 3339 time")
    clock.add_argument("--until", metavar="KIND", help="advance until a journal kind, or next")
    clock.add_argument(
        "--limit",
        type=arguments.duration,
        help="how far --until looks ahead (default: P400D); not met within it, it ends with 1",
    )
    clock.add_argument(
        "--sign-with-clock",
        choices=("on", "off"),
        help="freeze: whether webhooks are signed at the clock's time (unless said, as before)",
    )
    return clock


def _add_usage(commands: Any) -> argparse.ArgumentParser:
    usage = declare(commands, "usage", "have a buyer pay a metered amount many times")
    usage.add_argument("--buyer", default="sandbox_buyer", help="who pays (default: sandbox_buyer)")
    usage.add_argument(
        "--merchant", default="sandbox_merchant", help="who is paid (default: sandbox_merchant)"
    )
    usage.add_argument("--amount-minor", type=int, required=True, help="of each: yen, or US cents")
    usage.add_argument(
        "--currency", default="JPY", choices=("JPY", "USD"), help="of the amount (default: JPY)"
    )
    usage.add_argument("--count", type=int, default=1, help="how often (default: 1)")
    usage.add_argument(
        "--over", type=arguments.duration, help="spread over this duration, the clock moving along"
    )
    usage.add_argument("--listing-id", help="a label of the rows; the merchant's unless given")
    usage.add_argument("--capability-key", help="another label of the rows")
    usage.add_argument("--operation-key", help="another label of the rows")
    usage.add_argument(
        "--webhooks", action="store_true", help="tell the merchant of each accepted payment"
    )
    return usage


def _add_events(commands: Any) -> argparse.ArgumentParser:
    events = declare(commands, "events", "print the journal, oldest first")
    events.add_argument("--kind", help="of this kind, such as batch.settled (default: all)")
    events.add_argument("--subject", help="about this id (default: all)")
    events.add_argument(
        "--after", type=int, default=0, help="from behind this sequence number (default: 0)"
    )
    events.add_argument("--last", type=int, metavar="N", help="the newest N, up to 1,000")
    events.add_argument("--follow", action="store_true", help="go on with what is written later")
    return events


def _add_server(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--url",
        default=os.environ.get(URL_VARIABLE) or DEFAULT_URL,
        help=f"the server's address (or {URL_VARIABLE}; default: {DEFAULT_URL})",
    )
    command.add_argument(
        "--control-token",
        default=os.environ.get(TOKEN_VARIABLE) or None,
        help=f"the server's control token, where it has one (or {TOKEN_VARIABLE})",
    )
    command.add_argument("--json", action="store_true", help="print JSON, a value a line")


def run_remote(chosen: argparse.Namespace) -> int:
    """Run one of the commands; 1 for a refusal or a finding, 2 when it can't be asked."""
    sound = True
    try:
        _demand_text(chosen)
        with _connect(chosen.url, chosen.control_token) as http:
            driver = Driver(_sender(http), _listener(http))
            for answer in _answers(chosen, driver):
                show(answer, as_json=chosen.json)
                sound = sound and getattr(answer, "ok", True) and getattr(answer, "reached", True)
    except ControlError as error:
        return _refused(str(error), 1)
    except (WrongUsage, argparse.ArgumentTypeError) as error:
        return _refused(str(error), 2)
    except (httpx.HTTPError, httpx.InvalidURL, UnreadableAnswer) as error:
        return _refused(
            f"no mock server at {chosen.url} ({error}); "
            "start one with settlekit-mock serve, or give --url",
            2,
        )
    return 0 if sound else 1


def _answers(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    answers = _RUN[chosen.command](chosen, driver)
    if chosen.command not in _LONG:
        return answers
    with clock_shown(lambda: driver.clock.read().now):
        return list(answers)


def _demand_text(chosen: argparse.Namespace) -> None:
    # What isn't UTF-8 comes from the shell as halves of surrogate pairs, which no call can carry.
    for name, value in vars(chosen).items():
        try:
            str(value).encode()
        except UnicodeEncodeError as error:
            raise WrongUsage(f"{name.replace('_', '-')}: must be text in UTF-8") from error


def _refused(reason: str, status: int) -> int:
    print(f"settlekit-mock: {visible(reason)}", file=sys.stderr)
    return status


def _connect(url: str, token: str | None) -> httpx.Client:
    if token is not None and not (token.isascii() and token.isprintable()):
        raise WrongUsage("--control-token: must be visible ASCII characters")
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    # Advances take their time; and no proxy stands between a machine and itself.
    return httpx.Client(base_url=url, headers=headers, timeout=None, trust_env=False)  # noqa: S113


def _sender(http: httpx.Client) -> Any:
    def send(method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        response = http.request(method, path, content=body, headers=headers)
        return response.status_code, response.content

    return send


def _listener(http: httpx.Client) -> Any:
    @contextmanager
    def listen(path: str) -> Generator[tuple[int, Iterable[bytes]], None, None]:
        with http.stream("GET", path) as response:
            yield response.status_code, response.iter_bytes()

    return listen


def _clock(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    if chosen.action != "advance" and (chosen.to or chosen.until or chosen.limit is not None):
        raise WrongUsage("--to, --until and --limit go with clock advance")
    if chosen.action != "freeze" and chosen.sign_with_clock is not None:
        raise WrongUsage("--sign-with-clock goes with clock freeze")
    if chosen.action in ("show", "resume") and chosen.amount is not None:
        raise WrongUsage(f"clock {chosen.action} takes nothing more")
    if chosen.action == "advance":
        return [_advance(chosen, driver)]
    if chosen.action == "freeze":
        at = None if chosen.amount is None else arguments.time(chosen.amount)
        signs = None if chosen.sign_with_clock is None else chosen.sign_with_clock == "on"
        return [driver.clock.freeze(at=at, sign_with_clock=signs)]
    return [driver.clock.resume() if chosen.action == "resume" else driver.clock.read()]


def _advance(chosen: argparse.Namespace, driver: Driver) -> Any:
    if sum(given is not None for given in (chosen.amount, chosen.to, chosen.until)) != 1:
        raise WrongUsage("clock advance: give a duration such as 7d, or --to, or --until")
    if chosen.limit is not None and chosen.until is None:
        raise WrongUsage("clock advance: --limit goes with --until")
    by = None if chosen.amount is None else arguments.duration(chosen.amount)
    return driver.clock.advance(by=by, to=chosen.to, until=chosen.until, limit=chosen.limit)


def _usage(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    yield driver.usage(
        chosen.buyer,
        merchant=chosen.merchant,
        amount_minor=chosen.amount_minor,
        currency=chosen.currency,
        count=chosen.count,
        over=chosen.over,
        listing_id=chosen.listing_id,
        capability_key=chosen.capability_key,
        operation_key=chosen.operation_key,
        webhooks=chosen.webhooks,
    )


def _events(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    wanted = {"kind": chosen.kind, "subject": chosen.subject, "after": chosen.after}
    if chosen.last is not None and chosen.after:
        raise WrongUsage("events: give --last or --after, not both")
    if not chosen.follow:
        yield from driver.events(**wanted, last=chosen.last)
        return
    if chosen.last is not None:
        raise WrongUsage("events: give --last or --follow, not both")
    for entry in driver.follow(**wanted):
        yield entry
        # Whoever reads on in a pipe wants each as it comes.
        sys.stdout.flush()


def _reset(_chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    yield driver.reset()


_LONG = frozenset({"clock", "usage", "scenario"})
"""The commands that can take long; meanwhile the clock is shown on a terminal."""

_RUN: Mapping[str, Callable[[argparse.Namespace, Driver], Iterable[Any]]] = {
    "clock": _clock,
    "usage": _usage,
    "buyers": buyers,
    "merchants": merchants,
    "tokens": tokens,
    "payment-event": payment_event,
    "faults": faults,
    "webhook-faults": webhook_faults,
    "snapshots": snapshots,
    "simulate": settlement.simulate,
    "batch": settlement.batch,
    "checkout": settlement.checkout,
    "notices": settlement.notices,
    "fate": settlement.fate,
    "explain": settlement.explain,
    "check": settlement.check,
    "scenario": settlement.scenario,
    "batches": console.batches,
    "periods": console.periods,
    "revenue": console.revenue,
    "flow": console.flow,
    "deliveries": console.deliveries,
    "accounts": console.accounts,
    "events": _events,
    "reset": _reset,
}
