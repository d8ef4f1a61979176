"""What the guide's pages show is what the commands print and what the routes are."""

import argparse
import contextlib
import io
import re
import shlex
from operator import attrgetter

import pytest

from scripts import guide_pages
from settlekit.cli.main import _parser as library_parser
from settlekit_mock import MockServer
from settlekit_mock.cli import parser

PAGES = sorted(guide_pages.GUIDE.glob("*.md"))
NAMES = [f"{route.method} {route.path.removeprefix('/_mock/')}" for route in guide_pages.ROUTES]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_shows_what_is_printed(path):
    """Each command of a page, run in order, prints what stands below it, but for ids and sizes."""
    page = path.read_text("utf-8")
    wanted = guide_pages.comparable(guide_pages.written(page))
    assert guide_pages.comparable(page) == wanted


def test_every_command_is_in_the_guide():
    """No command of either program is left out."""
    pages = "".join(path.read_text("utf-8") for path in PAGES)
    told = set(re.findall(r"settlekit-mock ([a-z-]+)", pages))
    assert names_of(parser()) - told == set()
    told = set(re.findall(r"settlekit ([a-z-]+)", pages))
    assert names_of(library_parser()) - told == set()


def names_of(found):
    (action,) = (
        action for action in found._actions if isinstance(action, argparse._SubParsersAction)
    )
    return set(action.choices)


def test_another_output_is_seen():
    """A page whose output isn't what a command prints is out of date."""
    page = "```console\n$ settlekit-mock clock\nnow=yesterday\n```\n"
    assert "now=2026-03-02T00:00:00.000Z" in guide_pages.written(page)
    assert "yesterday" not in guide_pages.written(page)


def test_every_route_has_a_command_and_a_method():
    """No control route is without its row."""
    assert sorted(guide_pages.CALLS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_command_and_method_of_a_route_exist(name):
    """The command that a row names is understood, and the method is there to be called."""
    command, method = guide_pages.CALLS[name]
    with MockServer() as mock:
        assert callable(attrgetter(method)(mock))
    with contextlib.redirect_stderr(io.StringIO()) as complaint:
        with contextlib.suppress(SystemExit):
            assert parser().parse_args(shlex.split(command)).command == command.split()[0]
        assert complaint.getvalue() == ""
