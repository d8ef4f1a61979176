"""``settlekit stripe-replay``: send the card processor's completion event to a server.

Each setting is a variable of the environment and an option; the option comes first.
"""

import argparse
import json
import os
import re
import time
from typing import Any, Final, NamedTuple, cast

from settlekit import webhooks
from settlekit.cli.local_targets import Answered, post, target_of
from settlekit.cli.output import print_json
from settlekit.errors import ConfigurationError

PATH: Final = "/v1/stripe/webhook"
NOT_FOUND: Final = "Stripe checkout top-up was not found"
FINDING: Final = 1
_CENTS: Final = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)

Commands = Any  # argparse keeps the type of its subparsers to itself

_OPTIONS: Final = (
    ("base-url", "MODELFAUCET_API_BASE_URL", "http://127.0.0.1:3001", "the server"),
    ("webhook-secret", "STRIPE_WEBHOOK_SECRET", "", "signs the event; without one it is unsigned"),
    ("session-id", "STRIPE_CHECKOUT_SESSION_ID", "cs_test_replay", "the checkout session"),
    ("event-id", "STRIPE_EVENT_ID", "", "the event (default: evt_replay_<milliseconds>)"),
    ("amount-cents", "STRIPE_AMOUNT_CENTS", "500", "what was paid"),
)
_SWITCHES: Final = (
    ("allow-remote", "ALLOW_REMOTE_WEBHOOK_REPLAY", "send beyond this machine and its network"),
    ("require-credit", "REQUIRE_WEBHOOK_CREDIT", "count an unknown top-up as a failure"),
)


class Outcome(NamedTuple):
    """What a replay showed."""

    ok: bool
    told: str


def add_commands(commands: Commands) -> None:
    """Add the command to the parser."""
    told = "send the card processor's completion event, signed, to a server on this machine"
    parser: argparse.ArgumentParser = commands.add_parser(
        "stripe-replay", help=told, description=told
    )
    for name, variable, default, text in _OPTIONS:
        shown = f"; default: {default}" if default else ""
        parser.add_argument(f"--{name}", help=f"{text} (or {variable}{shown})")
    for name, variable, text in _SWITCHES:
        parser.add_argument(f"--{name}", action="store_true", help=f"{text} (or {variable}=1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    chosen = {name: _chosen(asked, name, *rest) for name, *rest in _OPTIONS}
    allow_remote, require_credit = (_switched(asked, *switch) for switch in _SWITCHES)
    url = _webhook_url(chosen["base-url"])
    target = target_of(url, allow_remote=allow_remote)
    body = _event(chosen)
    answered = post(target, body, _headers(body, chosen["webhook-secret"]))
    outcome = judge(answered, require_credit=require_credit)
    if asked.json:
        print_json({"url": url, "status": answered.status, **outcome._asdict()})
    else:
        print(f"{url}: {outcome.told}")
    return 0 if outcome.ok else FINDING


def _chosen(asked: argparse.Namespace, name: str, variable: str, default: str, _: str) -> str:
    given: str | None = getattr(asked, name.replace("-", "_"))
    return given or os.environ.get(variable, "").strip() or default


def _switched(asked: argparse.Namespace, name: str, variable: str, _: str) -> bool:
    return bool(getattr(asked, name.replace("-", "_"))) or os.environ.get(variable) == "1"


def _webhook_url(base_url: str) -> str:
    return f"{base_url.rstrip('/').removesuffix('/v1')}{PATH}"


def _event(chosen: dict[str, str]) -> bytes:
    if not _CENTS.fullmatch(chosen["amount-cents"]):
        raise ConfigurationError("STRIPE_AMOUNT_CENTS must be a positive whole number of cents")
    session = {
        "id": chosen["session-id"],
        "object": "checkout.session",
        "payment_status": "paid",
        "currency": "usd",
        "amount_total": int(chosen["amount-cents"]),
    }
    event = {
        "id": chosen["event-id"] or f"evt_replay_{time.time_ns() // 1_000_000}",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "data": {"object": session},
    }
    return json.dumps(event).encode()


def _headers(body: bytes, secret: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    if secret:
        # The processor's scheme is the one of this library's webhooks, under another name.
        headers["Stripe-Signature"] = webhooks.sign(body, secret, timestamp=int(time.time()))
    return headers


def judge(answered: Answered, *, require_credit: bool) -> Outcome:
    """Say what an answer shows: a credit, or at least that signature and route work."""
    answer = _read(answered.body)
    topup = _object(answer.get("topup"))
    if answered.status == 200 and topup:
        return Outcome(True, f"top-up {topup.get('id')} {topup.get('status')}")
    message = _message(answer)
    if answered.status == 404 and message == NOT_FOUND:
        told = "signature and route work; the top-up is unknown"
        return Outcome(not require_credit, told)
    return Outcome(False, f"{answered.status}: {message or 'no top-up was credited'}")


def _read(body: bytes) -> dict[str, Any]:
    try:
        return _object(json.loads(body))
    except ValueError:
        return {}


def _object(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _message(answer: dict[str, Any]) -> str:
    found = _object(answer.get("error")).get("message")
    return found if isinstance(found, str) else ""
