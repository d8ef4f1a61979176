"""Declare commands."""

import argparse
from typing import Any


def declare(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    """Declare a command: its line in the list of commands is its description too."""
    found: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}."
    )
    return found
