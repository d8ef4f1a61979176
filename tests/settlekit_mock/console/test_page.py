"""The console's page: what a browser is given, and what it may do with it."""

import re
from importlib.resources import files

import pytest
from werkzeug.test import Client as WsgiClient

from settlekit_mock import MockServer
from settlekit_mock.app import openapi

ASSETS = {
    found.name: found.read_text()
    for found in (files("settlekit_mock.console") / "assets").iterdir()
}
SCRIPTS = sorted(name for name in ASSETS if name.endswith(".js"))


@pytest.fixture
def caller(mock: MockServer) -> WsgiClient:
    return WsgiClient(mock.app)


def test_the_page_is_at_the_root(caller: WsgiClient) -> None:
    """A browser that opens the server's address gets the page, which may run its own scripts alone."""
    answer = caller.get("/")
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_every_file_that_the_page_names_is_there(caller: WsgiClient) -> None:
    """Style sheet, scripts and what the scripts import are answered with their media types."""
    named = set(re.findall(r'"console/([\w.]+)"', ASSETS["index.html"]))
    for name in SCRIPTS:
        named |= set(re.findall(r'from "\./([\w.]+)"', ASSETS[name]))
    assert named == set(ASSETS) - {"index.html"}
    for name in named:
        answer = caller.get(f"/console/{name}")
        expected = "text/css" if name.endswith(".css") else "text/javascript"
        assert (answer.status_code, answer.mimetype) == (200, expected)
        assert answer.text == ASSETS[name]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["x.js", "index.html", "..%2Fpage.py", "%2e%2e/page.py", "page.py", "a/b.js", "", "\x00.js"],
)
def test_no_other_file_is_given_away(caller: WsgiClient, path: str) -> None:
    """Only the page's own files are answered, whatever the path asks for."""
    assert caller.get(f"/console/{path}").status_code == 404


def test_the_page_asks_nobody_else() -> None:
    """No file of the page names another address: it works where there is no network."""
    for name, text in ASSETS.items():
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, name


def test_nothing_is_made_of_text() -> None:
    """What the world says is never read as HTML or run."""
    for name in SCRIPTS:
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", ASSETS[name]
        ), name


def test_the_page_is_no_part_of_the_interface() -> None:
    """The OpenAPI document describes routes for programs; the page and its files aren't."""
    assert not [path for path in openapi()["paths"] if path == "/" or path.startswith("/console")]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_page_is_only_read(caller: WsgiClient, method: str) -> None:
    """Any other method is refused, with the one there is."""
    answer = caller.open("/", method=method)
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
