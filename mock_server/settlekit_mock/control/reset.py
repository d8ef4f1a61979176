"""Begin again with a fresh world."""

from settlekit_mock.control.clock import Clock, read_clock
from settlekit_mock.http.routes import Request


def reset(request: Request) -> Clock:
    """Drop everything and seed the world anew, with the settings the server was started with."""
    request.world.reset()
    return read_clock(request.world)
