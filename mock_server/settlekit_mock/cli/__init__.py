"""The command ``settlekit-mock``: serve a mock, and drive one that runs."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version as installed_version

from settlekit_mock.cli.remote import add_remote, run_remote
from settlekit_mock.cli.serve import add_serve, run_serve

Run = Callable[[argparse.Namespace], int]


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    root = argparse.ArgumentParser(
        prog="settlekit-mock", description="A reference mock server for payment settlement."
    )
    root.add_argument("--version", action="version", version=f"settlekit-mock {_version()}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_serve(commands).set_defaults(run=run_serve)
    for command in add_remote(commands):
        command.set_defaults(run=run_remote)
    return root


def _version() -> str:
    return installed_version("settlekit")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 is success, 1 a finding, 2 a wrong call."""
    chosen = parser().parse_args(arguments)
    run: Run = chosen.run
    try:
        status = run(chosen)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read has seen enough; what is left in the buffer must not be tried again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
