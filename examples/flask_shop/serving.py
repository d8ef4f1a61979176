"""Serve an application on a socket of this machine, in threads that end with the block."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cheroot import wsgi

HOST = "127.0.0.1"
STOPS_WITHIN_SECONDS = 0.05
"""The server looks this often whether it was told to stop."""


class Listener:
    """A socket that is bound, and answers once it has an application."""

    def __init__(self, port: int = 0) -> None:
        self._server = wsgi.Server((HOST, port), None, numthreads=10)
        self._server.expiration_interval = STOPS_WITHIN_SECONDS
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, name="shop-http", daemon=True)

    @property
    def url(self) -> str:
        """The origin that browsers reach it by."""
        return f"http://{HOST}:{self._server.bind_addr[1]}"

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
