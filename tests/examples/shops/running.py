"""A shop in a process of its own, which can be killed and started again on its database."""

import multiprocessing
import os
import socket
import sys
import time
from importlib import import_module
from pathlib import Path

from examples.shop_parts.account import Account, environment_of

# Forked from a process that has imported the shops already, so that a start takes no second.
PROCESSES = multiprocessing.get_context("forkserver")
IMPORTED = [
    "django.core.management.commands.migrate",
    "django.core.wsgi",
    "django.db.backends.sqlite3.base",
    "django.template.backends.django",
    "examples.fastapi_shop.serve",
    "examples.flask_shop.serve",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
]
PATIENCE_SECONDS = 20.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _run(kind: str, environment: dict[str, str], port: int, database: Path) -> None:
    os.environ |= environment
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    module = import_module(f"examples.{kind}.serve")
    doors = {"at": module.listening} if hasattr(module, "listening") else {}
    arguments = ["--port", str(port), "--database", str(database)]
    sys.exit(
        import_module("examples.shop_parts.serving").serve(module.open_shop, arguments, **doors)
    )


class Running:
    """The process of a shop."""

    def __init__(self, kind: str, account: Account, port: int, database: Path) -> None:
        PROCESSES.set_forkserver_preload(IMPORTED)
        self._given = (kind, environment_of(account), port, database)
        self._port = port
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = PROCESSES.Process(target=_run, args=self._given, daemon=True)
        self._process.start()
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            except OSError:
                assert self._process.exitcode is None, "the shop didn't start"
                assert time.monotonic() < give_up_at, "the shop doesn't answer"
                time.sleep(0.01)

    def kill(self) -> None:
        """End it at once, as kill -9 does."""
        self._process.kill()
        self._process.join()

    def restart(self) -> None:
        """Kill it, whatever it is at, and start it again."""
        self.kill()
        self.start()
