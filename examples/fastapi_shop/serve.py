"""Run the shop: ``python examples/fastapi_shop/serve.py``, then open the address it prints.

Without ``SIGLUME_MERCHANT_AUTH_TOKEN`` it brings a mock of the platform along, on the real
clock. With it, it sells through the platform that the ``SIGLUME_…`` variables name.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.fastapi_shop.app import create_app
from examples.shop_parts.account import Account
from examples.shop_parts.serving import HOST, serve
from examples.shop_parts.tables import Base, use_sqlite_well
from settlekit import AsyncClient


class Listener:
    """The door of an ASGI application, which it calls in one loop."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_server((HOST, port))
        self._server: uvicorn.Server | None = None
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"

    def answer_with(self, application: FastAPI) -> None:
        """Answer with this application; connections wait until ``wait`` is called."""
        self._server = uvicorn.Server(uvicorn.Config(application, log_level="warning"))

    def wait(self) -> None:
        """Answer until the process is interrupted."""
        assert self._server is not None
        self._server.run([self._socket])


@contextmanager
def listening(port: int) -> Iterator[Listener]:
    """Bind a port, a free one for 0; raises OSError where it is taken."""
    listener = Listener(port)
    with listener._socket:
        yield listener


def engine_on(database: Path, **options: Any) -> AsyncEngine:
    """Open a database file."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{database}", **options)
    use_sqlite_well(engine.sync_engine)
    return engine


async def create_tables(engine: AsyncEngine) -> None:
    """Make the tables that aren't there; a real shop has migrations."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    # The pool starts anew in the loop that serves.
    await engine.dispose()


@contextmanager
def open_shop(account: Account, database: Path) -> Iterator[FastAPI]:
    """Make the shop on a database file."""
    engine = engine_on(database)
    asyncio.run(create_tables(engine))
    client = AsyncClient(token=account.token, base_url=account.api_base)

    @asynccontextmanager
    async def lifespan(_shop: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield
        await engine.dispose()

    shop = create_app(client, account, engine)
    shop.router.lifespan_context = lifespan
    yield shop


if __name__ == "__main__":
    sys.exit(serve(open_shop, at=listening))
