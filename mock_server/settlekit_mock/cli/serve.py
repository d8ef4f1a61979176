"""``settlekit-mock serve``: one server on a socket until it is interrupted."""

import argparse
import json
import os
import signal
import sys
from typing import Any

from settlekit_mock import seeding
from settlekit_mock.app import build, open_world
from settlekit_mock.http.server import PortInUse, Server
from settlekit_mock.kernel.database import DatabaseUnusable
from settlekit_mock.kernel.problems import Problem
from settlekit_mock.kernel.worker import Worker
from settlekit_mock.kernel.world import Settings
from settlekit_mock.settings import PREFIX, make_settings

HOST = "127.0.0.1"
PORT = 8787

_OPTIONS = (
    ("host", "address to listen on", HOST),
    ("port", "port to listen on; 0 takes a free one", str(PORT)),
    ("db", "database: a file, or a URL (default: memory)", None),
    ("seed", "seed of ids, slots and drawn faults", "0"),
    ("freeze-at", "start with the clock frozen at this RFC 3339 time", None),
    ("merchant", "key of the sandbox merchant", Settings().merchant),
    ("webhook-url", "where to deliver direct_payment.confirmed", None),
    ("webhook-secret", "secret of that subscription", Settings().webhook_secret),
    ("origin", "origin that checkouts may return to", Settings().origin),
    ("admin-token", "token of the operator's routes", Settings().admin_token),
    ("admin-secret", "secret of the balance routes", Settings().admin_secret),
    ("stripe-webhook-secret", "secret of the card processor's webhook", None),
    ("control-token", "token that the control routes then ask everybody for", None),
)
_FLAGS = (
    ("allow-remote-webhooks", "deliver webhooks beyond this machine, never to private addresses"),
    ("sign-with-clock", "sign webhooks with the server's clock instead of the machine's"),
)


def add_serve(commands: Any) -> argparse.ArgumentParser:
    """Declare the command and its options; each is a variable of the environment too."""
    command: argparse.ArgumentParser = commands.add_parser("serve", help="run a mock server")
    for name, text, default in _OPTIONS:
        shown = f" (default: {default})" if default else ""
        command.add_argument(
            f"--{name}", default=_from_environ(name) or default, help=f"{text}{shown}"
        )
    for name, text in _FLAGS:
        command.add_argument(
            f"--{name}", action="store_true", default=_from_environ(name) or None, help=text
        )
    command.add_argument("--json", action="store_true", help="say where it listens as JSON")
    return command


def _from_environ(name: str) -> str | None:
    return os.environ.get(PREFIX + name.replace("-", "_").upper())


def run_serve(chosen: argparse.Namespace) -> int:
    """Serve until interrupted; 2 with one line when it can't start."""
    try:
        return _serve(chosen)
    except (DatabaseUnusable, PortInUse, ValueError, Problem) as error:
        print(f"settlekit-mock: {error}", file=sys.stderr)
        return 2


def _serve(chosen: argparse.Namespace) -> int:
    settings = make_settings(vars(chosen))
    server = Server(None, chosen.host, _port(chosen.port))
    server.listen()
    world = open_world(chosen.db or "sqlite://", settings)
    world.public_url = server.url
    server.answer_with(build(world))
    worker = Worker(world)
    worker.start()
    _announce(server.url, settings, as_json=chosen.json)
    signal.signal(signal.SIGTERM, lambda *_: server.interrupt())
    try:
        server.serve_forever()
    finally:
        worker.stop()
        server.stop()
        world.close()
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ValueError("--port: must be a number from 0 to 65535")
    return int(text)


def environment(url: str, settings: Settings) -> dict[str, str]:
    """Return the variables that a shop needs to talk to this server."""
    found = {
        "SIGLUME_ENV": "sandbox",
        "SIGLUME_SANDBOX_API_BASE": f"{url}/v1",
        "SIGLUME_API_BASE": f"{url}/v1",
        "SIGLUME_MERCHANT_AUTH_TOKEN": seeding.MERCHANT_TOKEN,
        "SIGLUME_AUTH_TOKEN": seeding.BUYER_TOKEN,
        "SIGLUME_DIRECT_PAYMENT_MERCHANT": settings.merchant,
        "SIGLUME_WEBHOOK_SECRET": settings.webhook_secret,
        "SHOP_PUBLIC_ORIGIN": settings.origin,
    }
    if settings.webhook_url is not None:
        found["SHOP_WEBHOOK_URL"] = settings.webhook_url
    return found


def _announce(url: str, settings: Settings, *, as_json: bool) -> None:
    variables = environment(url, settings)
    if as_json:
        print(json.dumps({"url": url, "env": variables}), flush=True)
        return
    print(f"settlekit mock server on {url}  (routes: {url}/openapi.json, stop: Ctrl-C)\n")
    print("A shop needs:")
    for name, value in variables.items():
        print(f"  {name}={value}")
    print("\nOther tokens:")
    print(f"  provider  {seeding.PROVIDER_TOKEN}")
    print(f"  buyer     {seeding.BUYER_TOKEN}")
    print(f"  admin     {settings.admin_token}")
    print(f"  X-Admin-Secret  {settings.admin_secret}", flush=True)
