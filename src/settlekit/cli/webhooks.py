"""``settlekit webhooks sign | verify | exam``: signatures made and checked, endpoints examined."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import attrs

from settlekit import webhooks
from settlekit.cli import exam
from settlekit.cli.output import print_json, print_table
from settlekit.errors import ConfigurationError

Commands = Any  # argparse keeps the type of its subparsers to itself


def add_commands(commands: Commands) -> None:
    """Add these commands to the parser."""
    group = commands.add_parser(
        "webhooks",
        help="sign or verify a webhook's body, or examine an endpoint",
        description="Sign or verify a webhook's body; SIGLUME_WEBHOOK_SECRET has the secret.",
    )
    kinds = group.add_subparsers(required=True, metavar="ACTION")
    sign = _add(kinds, "sign", _sign, "print the signature header of a body")
    sign.add_argument("--timestamp", type=int, help="Unix seconds (default: now)")
    verify = _add(kinds, "verify", _verify, "check a body's signature and say what it means")
    verify.add_argument("--header", required=True, help="the Siglume-Signature header")
    verify.add_argument(
        "--original", metavar="FILE", help="the body as it was sent, to show the first difference"
    )
    verify.add_argument(
        "--tolerance",
        type=float,
        default=webhooks.TOLERANCE_SECONDS,
        metavar="SECONDS",
        help=f"how old a signature may be (default: {webhooks.TOLERANCE_SECONDS:g})",
    )
    exam.add_command(kinds)


def _add(commands: Commands, name: str, run: object, told: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=told, description=told)
    parser.add_argument("body", metavar="FILE", help="the raw body, - for standard input")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)
    return parser


def _sign(asked: argparse.Namespace) -> int:
    timestamp = int(time.time()) if asked.timestamp is None else asked.timestamp
    header = webhooks.sign(_body(asked.body), _secret(), timestamp=timestamp)
    if asked.json:
        print_json({"header": webhooks.SIGNATURE_HEADER, "value": header})
    else:
        print(header)
    return 0


def _verify(asked: argparse.Namespace) -> int:
    body, tolerance = _body(asked.body), asked.tolerance
    try:
        event = webhooks.verify(body, asked.header, _secret(), tolerance_seconds=tolerance)
    except webhooks.SignatureError as error:
        found = _explained(asked, body)
        if asked.json:
            findings = [attrs.asdict(finding) for finding in found.findings]
            print_json({"verified": False, "reason": error.reason, "findings": findings})
        raise webhooks.SignatureError(error.reason, str(found)) from None
    classified = webhooks.classify(event)
    fields = attrs.asdict(classified, filter=lambda field, _: field.name != "event")
    told = {"event_id": event.id, "kind": classified.kind, **fields}
    shown = {name: str(value) for name, value in told.items() if value is not None}
    if asked.json:
        print_json(shown)
    else:
        print_table(["field", "value"], list(shown.items()))
    return 0


def _explained(asked: argparse.Namespace, body: bytes) -> webhooks.Explanation:
    # The secret as it is in the environment: stray white space in it is told of too.
    return webhooks.explain(
        body,
        asked.header,
        os.environ["SIGLUME_WEBHOOK_SECRET"],
        original=None if asked.original is None else _body(asked.original),
        tolerance_seconds=asked.tolerance,
    )


def _body(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


def _secret() -> str:
    # Not an option: a command's arguments are seen by everyone on the machine.
    secret = os.environ.get("SIGLUME_WEBHOOK_SECRET", "").strip()
    if not secret:
        raise ConfigurationError("no secret: set SIGLUME_WEBHOOK_SECRET")
    return secret
