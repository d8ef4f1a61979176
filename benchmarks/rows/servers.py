"""WSGI servers around an application that does nothing, and around the mock: one process each.

``serve`` stands on cheroot: of those that are pure Python and run in a thread of the calling
process (a test's, say), it is the fastest. granian is measured where it is installed.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec

from figures import Figure, Unit
from measuring import Scale
from serving import Caller, rate, wait_for, wsgi_server

CONNECTIONS = 4
OTHERS = ("werkzeug", "gunicorn", "granian")
PATHS = {"nothing": "/", "mock": "/v1/sdrp/metered/provider/summary"}
TOKEN = "sandbox_provider_token"


def measure(scale: Scale) -> Iterator[Figure]:
    seconds = 1.0 if scale.quick else 3.0
    for application, path in PATHS.items():
        ours = _rate("cheroot", application, path, seconds)
        for other in OTHERS:
            if find_spec(other) is not None:
                yield Figure(
                    work=f"cheroot around {application}",
                    ours=ours,
                    theirs=_rate(other, application, path, seconds),
                    against=other,
                    unit=Unit.RATE,
                )


def _rate(server: str, application: str, path: str, seconds: float) -> float:
    with wsgi_server(server, application) as url:
        wait_for(url)

        def make_call(_: int) -> Callable[[], object]:
            call = Caller(url, TOKEN)
            return lambda: call("GET", path)

        return rate(make_call, CONNECTIONS, seconds)
