"""Start a shop: bind a port, find its account, answer until interrupted."""

import argparse
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from cheroot import wsgi

from examples.shop_parts.account import Account, account_for

HOST = "127.0.0.1"
STOPS_WITHIN_SECONDS = 0.05
"""The server looks this often whether it was told to stop."""

OpenShop = Callable[[Account, Path], AbstractContextManager[Any]]
"""Makes the application of an account, on a database file; the block's end closes it."""


class Door(Protocol):
    """A socket that is bound, and answers once it has an application."""

    url: str

    def answer_with(self, application: Any) -> None:
        """Answer with this application from now on."""
        ...

    def wait(self) -> None:
        """Answer until the process is interrupted."""
        ...


class Listener:
    """The door of a WSGI application, which it calls in threads."""

    def __init__(self, port: int = 0) -> None:
        self._server = wsgi.Server((HOST, port), None, numthreads=10)
        self._server.expiration_interval = STOPS_WITHIN_SECONDS
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, name="shop-http", daemon=True)
        self.url = f"http://{HOST}:{self._server.bind_addr[1]}"

    def answer_with(self, application: Any) -> None:
        """Answer with this application from now on."""
        self._server.wsgi_app = application
        self._thread.start()

    def wait(self) -> None:
        """Wait until the process is interrupted."""
        self._thread.join()

    def stop(self) -> None:
        """Finish the calls under way and close the socket."""
        self._server.stop()
        if self._thread.is_alive():
            self._thread.join()


@contextmanager
def listening(port: int = 0) -> Iterator[Listener]:
    """Bind a port, a free one for 0; raises OSError where it is taken."""
    listener = Listener(port)
    try:
        yield listener
    finally:
        listener.stop()


def serve(
    open_shop: OpenShop,
    arguments: Sequence[str] | None = None,
    *,
    at: Callable[[int], AbstractContextManager[Door]] = listening,
) -> int:
    """Serve until interrupted; 2 with one line where the port or the settings won't do."""
    parser = argparse.ArgumentParser(description="A small shop that takes payments.")
    parser.add_argument("--port", type=int, default=3000, help="0 takes a free one")
    parser.add_argument(
        "--database", type=Path, help="an SQLite file; else one that goes at the end"
    )
    options = parser.parse_args(arguments)
    try:
        with (
            at(options.port) as door,
            _database(options.database) as database,
            account_for(door.url) as account,
            open_shop(account, database) as application,
        ):
            door.answer_with(application)
            print(f"The shop is open on {door.url} (stop: Ctrl-C)", flush=True)
            door.wait()
    except KeyboardInterrupt:
        return 0
    except (OSError, KeyError, ValueError) as error:
        print(f"shop: {error}", file=sys.stderr)
        return 2
    return 0


@contextmanager
def _database(path: Path | None) -> Iterator[Path]:
    if path is not None:
        yield path
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "shop.db"
