"""The mock's HTTP server around an application that does nothing: python bare_server.py."""

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from settlekit_mock.http.server import Server

BODY = b'{"data":{},"meta":{}}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


def _answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", HEADERS)
    return [BODY]


with Server(_answer) as server:
    print(json.dumps({"url": server.url}), flush=True)
    threading.Event().wait()
