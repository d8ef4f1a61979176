"""One TLS context for all clients of a process, of either kind: it costs more than all the rest."""

import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl

_MAKING: Final = threading.Lock()


def shared_context(make: "Callable[[], ssl.SSLContext]") -> "ssl.SSLContext":
    """Return the context that ``make`` made, or have it made where it is the first."""
    with _MAKING:
        return _made(make)


@cache
def _made(make: "Callable[[], ssl.SSLContext]") -> "ssl.SSLContext":
    return make()
