import os
from collections.abc import Callable, Iterator

import pytest

from tests.settlekit_mock.cli.serving import Served


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings never reach a test."""
    for name in list(os.environ):
        if name.startswith("SETTLEKIT_"):
            monkeypatch.delenv(name)


Start = Callable[..., Served]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start servers that a test ends itself; none outlives it, whatever happens."""
    started: list[Served] = []

    def begin(*arguments: str, **variables: str) -> Served:
        started.append(Served("--port", "0", *arguments, **variables))
        return started[-1]

    yield begin
    for server in started:
        if server.running:
            server.kill()
