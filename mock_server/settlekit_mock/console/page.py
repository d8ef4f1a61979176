"""The console's page and the files it is made of, as a browser asks for them.

The page holds nothing of the world: its scripts read the control routes, which ask who calls.
"""

from functools import cache
from importlib.resources import files
from typing import Final

from settlekit_mock.http.dialects import CONTROL
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Page, Request, Route, Stream
from settlekit_mock.kernel.problems import NotFound

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing comes from elsewhere, and what the world's texts say is never run."""

MEDIA_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@cache
def _assets() -> dict[str, bytes]:
    folder = files("settlekit_mock.console") / "assets"
    return {found.name: found.read_bytes() for found in folder.iterdir() if found.is_file()}


def show(_request: Request) -> Page:
    """Answer the page."""
    return Page(_assets()["index.html"].decode(), policy=POLICY)


def read_asset(request: Request) -> Stream:
    """Answer one of the page's style sheets and scripts."""
    name = request.path["name"]
    media_type = MEDIA_TYPES.get(name.rpartition(".")[2])
    if media_type is None or name not in _assets():
        raise NotFound(f"the console has no file {name!r}")
    return Stream([_assets()[name]], media_type)


PAGE_ROUTES: Final = (
    Route("GET", "/", Role.ANYONE, show, "text/html", "The console", dialect=CONTROL),
    Route(
        "GET",
        "/console/<name>",
        Role.ANYONE,
        read_asset,
        "text/plain",
        "A file of the console",
        dialect=CONTROL,
    ),
)
"""Beside the API: the OpenAPI document leaves them out."""
