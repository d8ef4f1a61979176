"""While a long call lasts, show on a terminal how far the server's clock has come."""

import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console

PATIENCE_SECONDS = 0.5
"""A call that takes no longer shows nothing."""
PAUSE_SECONDS = 0.25


@contextmanager
def clock_shown(read_clock: Callable[[], str]) -> Generator[None, None, None]:
    """Show the clock on standard error until the call is over; nothing where nobody looks."""
    console = Console(stderr=True)
    if not (console.is_terminal and sys.stderr.isatty()):
        yield
        return
    over = threading.Event()
    shower = threading.Thread(target=_show, args=(console, read_clock, over), daemon=True)
    shower.start()
    try:
        yield
    finally:
        over.set()
        shower.join()


def _show(console: Console, read_clock: Callable[[], str], over: threading.Event) -> None:
    if over.wait(PATIENCE_SECONDS):
        return
    with console.status("the clock runs …") as status:
        while not over.wait(PAUSE_SECONDS):
            try:
                status.update(f"the clock shows {read_clock()}")
            except Exception:  # noqa: BLE001 - the call itself will say what is wrong
                return
