"""Arguments, and what an error of any command becomes: one line and an exit code.

0 is done, 1 a finding (the platform said no, a signature doesn't hold), 2 a mistake in
the call or its settings.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from settlekit._version import __version__
from settlekit.cli import doctor, statements, stripe_replay, webhooks
from settlekit.cli.output import in_plain_words, visible
from settlekit.errors import ConfigurationError, InvalidArgument, SettlekitError

FINDING = 1
USAGE = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        code: int = asked.run(asked)
        sys.stdout.flush()
    except (ConfigurationError, InvalidArgument) as error:
        return _fail(error, USAGE)
    except SettlekitError as error:
        return _fail(error, FINDING)
    except BrokenPipeError:
        # Whoever read has seen enough; what is left in the buffer must not be tried again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _fail(in_plain_words(error), USAGE)
    return code


def _fail(error: object, code: int) -> int:
    told = "".join((str(error), *getattr(error, "__notes__", ())))
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
