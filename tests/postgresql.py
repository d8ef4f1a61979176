"""A PostgreSQL server of the tests' own: fixtures ``postgresql_server`` and ``postgresql_url``.

The server listens on a Unix socket in a temporary folder alone, so it needs no port and nobody
else reaches it. It is started when the first test asks, once for each worker, and ended by its
pid. PostgreSQL refuses to run as root; then it runs as another user of this machine.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
UNPRIVILEGED = ("postgres", "nobody")
USER = "settlekit"
ENDS_WITHIN_SECONDS = 10
STARTS_WITHIN_SECONDS = 30
# What is lost when the machine stops is only a test's.
HASTE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100")
ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


class PostgresqlServer:
    """A server that runs; ``create_database`` gives a fresh database's URL."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.binaries = binaries
        self.folder = folder
        self._as_user = _as_user(folder)
        self._names = count(1)
        self._initialise()
        self._process = self._start()

    def create_database(self) -> str:
        """Return the URL (SQLAlchemy's form, by psycopg) of a new, empty database."""
        name = f"test_{next(self._names)}"
        self._run("createdb", "--host", self.folder, "--username", USER, name)
        return f"postgresql+psycopg://{USER}@/{name}?host={self.folder}"

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        name = url.rpartition("?")[0].rpartition("/")[2]
        self._run("dropdb", "--force", "--host", self.folder, "--username", USER, name)

    def stop(self) -> None:
        """End the server and wait for it; what it holds needn't reach the disk."""
        for how in (signal.SIGQUIT, signal.SIGKILL):
            self._process.send_signal(how)
            try:
                self._process.wait(ENDS_WITHIN_SECONDS)
                return
            except subprocess.TimeoutExpired:
                continue

    def _initialise(self) -> None:
        plain = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        self._run("initdb", f"--username={USER}", *plain, self.folder / "data")

    def _start(self) -> subprocess.Popen[bytes]:
        settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", *HASTE]
        options = [part for setting in settings for part in ("-c", setting)]
        command = [self.binaries / "postgres", "-D", self.folder / "data", *options]
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, env=ENVIRONMENT, **self._as_user
            )
        end = time.monotonic() + STARTS_WITHIN_SECONDS
        while not self._ready():
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                raise RuntimeError((self.folder / "log").read_text("utf-8"))
            time.sleep(0.02)
        return process

    def _ready(self) -> bool:
        command = [self.binaries / "pg_isready", "--quiet", "--host", self.folder]
        return subprocess.run(command, check=False, env=ENVIRONMENT).returncode == 0

    def _run(self, program: str, *options: object) -> None:
        command = [str(self.binaries / program), *map(str, options)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=ENVIRONMENT,
            check=False,
            **self._as_user,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")


def _as_user(folder: Path) -> dict[str, object]:
    """Say as whom to run, and give that user the folder; for anybody but root it's themselves."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = next(known[name] for name in UNPRIVILEGED if name in known)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    folders = [*BINARIES, *([Path(found).resolve().parent] if found else [])]
    return next((each for each in folders if (each / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Start a server; without PostgreSQL skip, but fail where ``CI=true`` says it must be there."""
    binaries = _binaries()
    if binaries is None:
        missing = "PostgreSQL's programs (initdb, postgres) aren't installed"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    # Not in pytest's own folder, which no other user may enter; a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="settlekit-pg-", dir="/tmp"))
    try:
        server = PostgresqlServer(binaries, folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """Give the URL of a database of this test's own, dropped when it ends."""
    url = postgresql_server.create_database()
    yield url
    postgresql_server.drop_database(url)
