"""Arguments, and what an error of any command becomes: one line and an exit code.

0 is done, 1 a finding (the platform said no, a signature doesn't hold), 2 a mistake in
the call or its settings.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from settlekit._version import __version__
from settlekit.cli import doctor, statements, stripe_replay, webhooks
from settlekit.cli.output import in_plain_words, visible
from settlekit.errors import ConfigurationError, InvalidArgument, SettlekitError

FINDING = 1
USAGE = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    if sys.stdout is None:  # closed by whoever called
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
    try:
        asked = _asked(arguments)
        code: int = asked.run(asked)
        sys.stdout.flush()
    except (ConfigurationError, InvalidArgument) as error:
        return _fail(error, USAGE)
    except SettlekitError as error:
        return _fail(error, FINDING)
    except BrokenPipeError:
        _drop_output()  # whoever read has seen enough
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        _flush_or_drop()
        return _fail(in_plain_words(error), USAGE)
    return code


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    try:
        asked = parser.parse_args(arguments)
    finally:
        sys.stdout.flush()  # a help that nobody reads fails here, and not at the very end
    for name, value in vars(asked).items():
        if isinstance(value, list):  # what Python 3.11 makes of --limit=--
            parser.error(f"argument --{name.replace('_', '-')}: expected one argument")
    return asked


def _flush_or_drop() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()


def _drop_output() -> None:
    """Have what is left in the buffer not tried again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error: object, code: int) -> int:
    told = "; ".join((str(error), *getattr(error, "__notes__", ())))
    print(f"settlekit: {visible(' '.join(told.split()))}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="settlekit", description="Direct payment requests and metered settlement."
    )
    parser.add_argument("--version", action="version", version=f"settlekit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    doctor.add_commands(commands)
    statements.add_commands(commands)
    webhooks.add_commands(commands)
    stripe_replay.add_commands(commands)
    return parser
