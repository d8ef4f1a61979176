"""Arguments, and what an error of any command becomes: one line and an exit code.

0 is done, 1 a finding (the platform said no, a signature doesn't hold), 2 a mistake in
the call or its settings.
"""

import argparse
import sys
from collections.abc import Sequence

from settlekit._version import __version__
from settlekit.cli import statements, webhooks
from settlekit.errors import ConfigurationError, InvalidArgument, SettlekitError

FINDING = 1
USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        code: int = asked.run(asked)
    except (ConfigurationError, InvalidArgument) as error:
        return _fail(error, USAGE)
    except SettlekitError as error:
        return _fail(error, FINDING)
    except OSError as error:
        return _fail(error, USAGE)
    return code


def _fail(error: Exception, code: int) -> int:
    print(f"settlekit: {' '.join(str(error).split())}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="settlekit", description="Direct payment requests and metered settlement."
    )
    parser.add_argument("--version", action="version", version=f"settlekit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    statements.add_commands(commands)
    webhooks.add_commands(commands)
    return parser
