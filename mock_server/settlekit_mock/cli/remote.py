"""The commands that drive a running mock by its control routes."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

import httpx
import msgspec

from settlekit_mock.driver import ControlError, Driver

URL_VARIABLE = "SETTLEKIT_MOCK_URL"
TOKEN_VARIABLE = "SETTLEKIT_MOCK_CONTROL_TOKEN"
DEFAULT_URL = "http://127.0.0.1:8787"


def add_remote(commands: Any) -> Iterable[argparse.ArgumentParser]:
    """Declare the commands."""
    clock = commands.add_parser("clock", help="read or move the clock")
    clock.add_argument(
        "action", choices=("show", "advance", "freeze", "resume"), nargs="?", default="show"
    )
    clock.add_argument("amount", nargs="?", help="advance: a duration such as P7D; freeze: a time")
    clock.add_argument("--to", help="advance to this RFC 3339 time")
    clock.add_argument("--until", help="advance until a journal kind, or next")
    clock.add_argument("--limit", help="how far --until looks ahead")
    usage = commands.add_parser("usage", help="have a buyer pay a metered amount many times")
    usage.add_argument("--buyer", default="sandbox_buyer")
    usage.add_argument("--merchant", default="sandbox_merchant")
    usage.add_argument("--amount-minor", type=int, required=True)
    usage.add_argument("--currency", default="JPY", choices=("JPY", "USD"))
    usage.add_argument("--count", type=int, default=1)
    usage.add_argument("--over", help="spread over this duration, the clock moving along")
    buyers = commands.add_parser("buyers", help="list the buyers")
    events = commands.add_parser("events", help="print the journal")
    events.add_argument("--kind")
    events.add_argument("--subject")
    events.add_argument("--after", type=int, default=0)
    reset = commands.add_parser("reset", help="begin again with a fresh world")
    found = (clock, usage, buyers, events, reset)
    for command in found:
        command.add_argument(
            "--url", default=os.environ.get(URL_VARIABLE, DEFAULT_URL), help="the server's address"
        )
        command.add_argument("--control-token", default=os.environ.get(TOKEN_VARIABLE))
        command.add_argument("--json", action="store_true", help="print JSON, a value a line")
    return found


def run_remote(chosen: argparse.Namespace) -> int:
    """Run one of the commands; 1 when the server refuses, 2 when it can't be reached."""
    try:
        with httpx.Client(base_url=chosen.url, timeout=None) as http:  # noqa: S113 - advances take their time
            for answer in _answers(chosen, Driver(_sender(http, chosen.control_token))):
                _show(answer, as_json=chosen.json)
    except ControlError as error:
        print(f"settlekit-mock: {error}", file=sys.stderr)
        return 1
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        print(
            f"settlekit-mock: no mock server at {chosen.url} ({error}); "
            f"start one with settlekit-mock serve, or give --url",
            file=sys.stderr,
        )
        return 2
    return 0


def _sender(http: httpx.Client, token: str | None) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def send(method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        content = {} if body is None else {"Content-Type": "application/json"}
        response = http.request(method, path, content=body, headers={**headers, **content})
        return response.status_code, response.content

    return send


def _answers(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    if chosen.command == "clock":
        return [_clock(chosen, driver)]
    if chosen.command == "usage":
        return [
            driver.usage(
                chosen.buyer,
                merchant=chosen.merchant,
                amount_minor=chosen.amount_minor,
                currency=chosen.currency,
                count=chosen.count,
                over=chosen.over,
            )
        ]
    if chosen.command == "buyers":
        return driver.buyers.all()
    if chosen.command == "events":
        return driver.events(kind=chosen.kind, subject=chosen.subject, after=chosen.after)
    return [driver.reset()]


def _clock(chosen: argparse.Namespace, driver: Driver) -> Any:
    if chosen.action == "advance":
        return driver.clock.advance(
            by=chosen.amount, to=chosen.to, until=chosen.until, limit=chosen.limit
        )
    if chosen.action == "freeze":
        return driver.clock.freeze(at=chosen.amount)
    return driver.clock.resume() if chosen.action == "resume" else driver.clock.read()


def _show(answer: Any, *, as_json: bool) -> None:
    read = msgspec.to_builtins(answer)
    if as_json:
        print(json.dumps(read))
        return
    entries = read.pop("events", None)
    for entry in entries or ():
        _show_entry(entry)
    if "seq" in read:
        _show_entry(read)
    else:
        print("  ".join(f"{name}={value}" for name, value in read.items()))


def _show_entry(entry: dict[str, Any]) -> None:
    data = " ".join(f"{name}={value}" for name, value in entry["data"].items())
    print(f"{entry['at']}  {entry['kind']:<20} {entry['subject']}  {data}")
