"""The command ``settlekit``: statements, batch files and webhooks from a terminal."""

from settlekit.cli.main import main

__all__ = ["main"]
