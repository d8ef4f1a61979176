"""An application under one WSGI server: python wsgi_servers.py SERVER nothing|mock.

``nothing`` answers every call with the same bytes.
"""

import json
import os
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

THREADS = 10
HERE = Path(__file__).parent
BODY = b'{"data":{},"meta":{}}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


def nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", HEADERS)
    return [BODY]


def application() -> Any:
    """The application that the environment names."""
    if os.environ.get("WSGI_APPLICATION") != "mock":
        return nothing
    from settlekit_mock import create_app

    return create_app()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _werkzeug(port: int) -> None:
    import logging

    from werkzeug.serving import WSGIRequestHandler, make_server

    logging.getLogger("werkzeug").disabled = True
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    make_server("127.0.0.1", port, application(), threaded=True).serve_forever()


def _cheroot(port: int) -> None:
    from settlekit_mock.http.server import Server

    server = Server(application(), port=port).start()
    server._thread.join()


def _gunicorn(port: int) -> None:
    options = ["-w", "1", "--threads", str(THREADS), "--keep-alive", "60", "--log-level", "error"]
    address = f"127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        *options,
        "-b",
        address,
        "wsgi_servers:application()",
    ]
    os.chdir(HERE)
    os.execv(sys.executable, command)


def _granian(port: int) -> None:
    options = [
        "--interface",
        "wsgi",
        "--factory",
        "--workers",
        "1",
        "--blocking-threads",
        str(THREADS),
    ]
    where = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    os.chdir(HERE)
    os.execv(
        sys.executable,
        [sys.executable, "-m", "granian", *options, *where, "wsgi_servers:application"],
    )


SERVERS = {"werkzeug": _werkzeug, "cheroot": _cheroot, "gunicorn": _gunicorn, "granian": _granian}

if __name__ == "__main__":
    os.environ["WSGI_APPLICATION"] = sys.argv[2]
    free = _free_port()
    print(json.dumps({"url": f"http://127.0.0.1:{free}"}), flush=True)
    SERVERS[sys.argv[1]](free)
