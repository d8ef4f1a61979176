"""The documentation builds by itself and needs nothing from outside."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from settlekit import Client

DOCS = Path(__file__).parents[2] / "docs"
FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src"}


class Fetches(HTMLParser):
    """Collect the addresses that a browser would fetch to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        address = dict(attrs).get(FETCHED.get(tag, ""))
        if address is not None:
            self.addresses.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", "-b", "html"]
    subprocess.run([*command, "-d", folder / "trees", DOCS, folder / "html"], check=True)
    return folder / "html"


def test_pages_fetch_nothing_from_outside(site):
    """No page loads a script, style, image or frame from another host."""
    addresses = []
    for page in site.rglob("*.html"):
        fetches = Fetches()
        fetches.feed(page.read_text("utf-8"))
        addresses += fetches.addresses
    assert addresses
    assert [each for each in addresses if re.match(r"(https?:)?//", each)] == []


def test_styles_fetch_nothing_from_outside(site):
    """No style sheet loads a font or another sheet from another host."""
    sheets = "".join(sheet.read_text("utf-8") for sheet in site.rglob("*.css"))
    assert sheets
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^\s\"')]+", sheets) == []


def test_pages_name_nothing_private(site):
    """Nothing is headed, linked or hinted at by a private module: users import public names."""
    named = {
        (page.name, path)
        for page in site.rglob("*.html")
        for path in re.findall(r"settlekit(?:_mock)?(?:\.\w+)*\._[a-z]\w*", page.read_text("utf-8"))
    }
    assert named == set()


def test_every_resource_has_its_methods_in_the_reference(site):
    """Each public method of a client's resources has an entry, in the order of the source."""
    page = (site / "reference" / "resources.html").read_text("utf-8")
    told = re.findall(r'id="settlekit\.Client\.(\w+\.\w+)"', page)
    client = Client(token="nobody's", base_url="http://localhost/v1")
    assert told == [
        f"{name}.{method}"
        for name, resource in vars(client).items()
        for method in vars(type(resource))
        if not (name.startswith("_") or method.startswith("_"))
    ]
