"""The command ``settlekit-mock``: serve a mock, and drive one that runs."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version as installed_version
from pathlib import Path

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


def _chosen(arguments: Sequence[str] | None) -> argparse.Namespace:
    root = parser()
    try:
        chosen = root.parse_args(arguments)
    finally:
        sys.stdout.flush()  # a help that nobody reads fails here, and not at the very end
    for name, value in vars(chosen).items():
        if value == [] or (isinstance(value, list) and [] in value):
            # What Python 3.11 makes of --port=--
            root.error(f"argument --{name.replace('_', '-')}: expected one argument")
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 is success, 1 a finding, 2 a wrong call."""
    if sys.stdout is None:  # closed by whoever called
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
    try:
        chosen = _chosen(arguments)
        run: Run = chosen.run
        status = run(chosen)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _drop_output()  # whoever read has seen enough
        return 0
    except OSError as error:
        _flush_or_drop()
        print(f"settlekit-mock: {error.strerror or error}", file=sys.stderr)
        return 2
    return status


def _flush_or_drop() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()


def _drop_output() -> None:
    """Have what is left in the buffer not tried again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
