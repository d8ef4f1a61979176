"""Connections to PostgreSQL that break where a test says: before a statement, or around a commit."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import psycopg
from sqlalchemy import Connection, event

from settlekit_mock.kernel.world import World

_END_OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Loss:
    """Ends every connection of a world at the nth place where one may break.

    Such places are before each statement, before each commit, and after each commit, when the
    database has written and the server doesn't know.
    """

    def __init__(self, world: World, end: Callable[[], object] | None = None) -> None:
        self.now = end or self._end_connections
        """Ends every connection."""
        plain = world.database.url.replace("postgresql+psycopg://", "postgresql://")
        self._operator = psycopg.connect(plain, autocommit=True)
        self._engine = world.database.engine
        self._left = 0
        self._only = ""
        self.at: str | None = None
        """Where the connections were ended, once they were."""
        event.listen(self._engine, "before_cursor_execute", self._statement)
        self._do_commit = self._engine.dialect.do_commit
        self._engine.dialect.do_commit = self._commit  # type: ignore[method-assign]

    def arm(self, number: int, only: str = "") -> None:
        """End the connections at the nth place from now on, of those whose name begins so."""
        self._left, self._only, self.at = number, only, None

    def disarm(self) -> None:
        """End no connection any more, and remember where one was ended."""
        self._left = 0

    @property
    def struck(self) -> bool:
        """Whether that place was come to."""
        return self.at is not None

    def _end_connections(self) -> None:
        self._operator.execute(_END_OTHERS)

    def _reached(self, at: str) -> bool:
        if not at.startswith(self._only):
            return False
        self._left -= 1
        if self._left == 0:
            self.at = at
        return self._left == 0

    def _statement(self, _connection: Connection, _cursor: object, said: str, *_: object) -> None:
        if self._reached(f"before {said}"):
            self.now()

    def _commit(self, connection: Any) -> None:
        if self._reached("before a commit"):
            self.now()
        self._do_commit(connection)
        if self._reached("after a commit"):
            self.now()
            connection.execute("SELECT 1")  # fails as a commit does whose answer is lost

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        event.remove(self._engine, "before_cursor_execute", self._statement)
        self._engine.dialect.do_commit = self._do_commit  # type: ignore[method-assign]
        self._operator.close()
