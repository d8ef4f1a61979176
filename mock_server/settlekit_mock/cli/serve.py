"""``settlekit-mock serve``: one server on a socket until it is interrupted."""

import argparse
import os
import signal
import sys
import threading
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from typing import Any

from settlekit_mock.app import build, open_world
from settlekit_mock.cli.announcement import announce
from settlekit_mock.http.server import PortInUse, Server
from settlekit_mock.kernel.database import MEMORY_URL, DatabaseUnusable
from settlekit_mock.kernel.worker import Worker
from settlekit_mock.kernel.world import Settings, World
from settlekit_mock.settings import SettingError, make_settings, variable

HOST = "127.0.0.1"
PORT = 8787
SANDBOX_PORT = "SIGLUME_SANDBOX_PORT"
"""What the platform's own sandbox calls its port; ours comes before it."""
GRACE_SECONDS = 1.5
"""How long calls under way are waited for when the server is interrupted."""
LOOK_SECONDS = 0.5
"""How often a waiting server looks whether a signal came."""

_OPTIONS = (
    ("host", "address to listen on", HOST),
    ("port", "port to listen on; 0 takes a free one", str(PORT)),
    ("db", "database: a file, or an SQLAlchemy URL (default: memory)", None),
    ("seed", "seed of ids, slots and drawn faults", "0"),
    ("freeze-at", "freeze the clock at this RFC 3339 time (default: the real clock)", None),
    ("merchant", "key of the sandbox merchant", Settings().merchant),
    ("webhook-url", "where to deliver direct_payment.confirmed (default: nowhere)", None),
    ("webhook-secret", "secret of that subscription", Settings().webhook_secret),
    ("origin", "origin that checkouts may return to", Settings().origin),
    ("public-url", "origin in links to this server (default: the one that it is called by)", None),
    ("admin-token", "token of the operator's routes", Settings().admin_token),
    ("admin-secret", "secret of the balance routes", Settings().admin_secret),
    ("stripe-webhook-secret", "secret of the card processor's webhook", None),
    ("control-token", "token that the control routes then ask everybody for", None),
)
_BEGINNING = (
    *("seed", "freeze-at", "merchant", "webhook-url", "webhook-secret", "origin"),
    "sign-with-clock",
)
"""Options of which a new database is made; one that was made before keeps its own."""
_FLAGS = (
    ("allow-remote-webhooks", "deliver webhooks beyond this machine, never to private addresses"),
    ("sign-with-clock", "sign webhooks with the server's clock instead of the machine's"),
)
_DESCRIPTION = """\
Run a mock server until it is interrupted, and print the environment that a shop needs.

Its clock is the real one, and what falls due is done by itself; with --freeze-at the
clock stands, and "settlekit-mock clock advance" moves it.
"""


def _epilog() -> str:
    names = [variable(name) for name, *_ in (*_OPTIONS, *_FLAGS)]
    listed = "\n".join(f"  {name}" for name in names)
    return (
        f"each option is a variable of the environment too (flags say 1 or 0):\n{listed}\n"
        f"a port is also looked for in {SANDBOX_PORT}\n"
    )


def add_serve(commands: Any) -> argparse.ArgumentParser:
    """Declare the command and its options; each is a variable of the environment too."""
    command: argparse.ArgumentParser = commands.add_parser(
        "serve",
        help="run a mock server",
        description=_DESCRIPTION,
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, text, default in _OPTIONS:
        shown = f" (default: {default})" if default else ""
        command.add_argument(f"--{name}", default=_from_environ(name), help=f"{text}{shown}")
    for name, text in _FLAGS:
        command.add_argument(
            f"--{name}", action="store_true", default=_from_environ(name), help=text
        )
    command.add_argument("--json", action="store_true", help="say where it listens as JSON")
    return command


def _from_environ(name: str) -> str | None:
    return next(filter(None, map(os.environ.get, _variables(name))), None)


def _variables(name: str) -> tuple[str, ...]:
    return (variable(name), SANDBOX_PORT) if name == "port" else (variable(name),)


def run_serve(chosen: argparse.Namespace) -> int:
    """Serve until interrupted; 2 with one line when it can't start."""
    try:
        return _serve(chosen)
    except SettingError as error:
        option = error.name.replace("_", "-")
        named = " or ".join(_variables(option))
        return _refused(f"--{option} (or {named}): {error.problem}")
    except (DatabaseUnusable, PortInUse) as error:
        return _refused(str(error))


def _refused(reason: str) -> int:
    print(f"settlekit-mock: {reason}", file=sys.stderr)
    return 2


def _serve(chosen: argparse.Namespace) -> int:
    settings = make_settings(vars(chosen))
    if chosen.db == "":
        raise SettingError("db", "must not be empty; leave it out for memory")
    server = Server(
        None, _host(chosen.host), _port(str(PORT) if chosen.port is None else chosen.port)
    )
    interrupted = _watch_signals()
    with ExitStack() as house:
        server.listen()
        house.callback(server.stop)
        world = open_world(MEMORY_URL if chosen.db is None else chosen.db, settings)
        house.callback(world.close)
        world.public_url = settings.public_url or server.public_url
        world.own_ports.add(server.port)
        server.answer_with(build(world))
        worker = Worker(world)
        worker.start()
        house.callback(worker.stop)
        house.callback(server.stop)  # before the world: calls under way still need it
        house.callback(world.streams.end)  # they are calls under way that would never end
        server.start()
        announce(world, server.url, as_json=chosen.json)
        _tell_what_changes_nothing(chosen, world)
        _wait(interrupted)
        _leave(house.pop_all())
    return 0


def _watch_signals() -> SimpleQueue[int]:
    """Return a queue that tells of the first Ctrl-C or SIGTERM; a second one ends the process."""
    # The one way to wake a waiting thread that is safe within a signal handler.
    told: SimpleQueue[int] = SimpleQueue()

    def tell(number: int, _frame: Any) -> None:
        told.put(number)
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, tell)
    return told


def _wait(told: SimpleQueue[int]) -> None:
    # Looked at now and then: a signal that comes just before the waiting begins doesn't end it.
    while True:
        try:
            told.get(timeout=LOOK_SECONDS)
        except Empty:
            continue
        return


def _leave(house: ExitStack) -> None:
    leaving = threading.Thread(target=house.close, name="settlekit-mock-leaving", daemon=True)
    leaving.start()
    leaving.join(GRACE_SECONDS)
    if leaving.is_alive():
        # A call or a delivery takes longer. All that was answered for is written, and what
        # is half done is undone by the database, as after a power cut.
        sys.stdout.flush()
        os._exit(0)


def _tell_what_changes_nothing(chosen: argparse.Namespace, world: World) -> None:
    asked = vars(chosen) | {"sign_with_clock": world.settings.sign_with_clock}
    given = [f"--{name}" for name in _BEGINNING if asked[name.replace("-", "_")]]
    if given and not world.is_new:
        print(
            f"settlekit-mock: the database goes on as it was: {', '.join(given)} changed nothing",
            file=sys.stderr,
            flush=True,
        )


def _host(text: str | None) -> str:
    if text is None:
        return HOST
    try:
        # The system would say of some that they can't be written, and not which.
        found = text.strip().encode("idna").decode("ascii")
    except UnicodeError:
        found = ""
    if not (found and found.isprintable()):
        raise SettingError("host", "must be an address or a name of this machine")
    return found


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise SettingError("port", "must be a number from 0 to 65535")
    return int(text)
