"""The page for those who move from the official client names all there is, and what exists."""

import inspect
import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import siglume_direct_request_payment as official

import settlekit

pytestmark = pytest.mark.official

PAGE = Path(__file__).parents[2] / "docs" / "moving-from-the-official-client.md"
CLIENTS = (official.DirectRequestPaymentClient, official.DirectRequestPaymentMerchantClient)
CODE = re.compile(r"`([^`]+)`")
TABLES = PAGE.read_text("utf-8").partition("(official-methods)=")[2]
ROWS = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|$", TABLES, re.MULTILINE)


def theirs() -> set[str]:
    """Return the official package's public names, and the methods of its clients."""
    named = {
        f"{owner.__name__}.{method}"
        for owner in CLIENTS
        for method, _ in inspect.getmembers(owner, inspect.isfunction)
        if not method.startswith("_")
    }
    return named | set(official.__all__)


def listed() -> list[str]:
    return [name for cell, _ in ROWS for name in CODE.findall(cell)]


def ours() -> list[str]:
    """Return the names of ours in the page: of the package, and of a client."""
    names = (name for _, cell in ROWS for name in CODE.findall(cell))
    return sorted({name for name in names if name.startswith(("settlekit.", "client."))})


def found(name: str) -> Any:
    start, *path = name.split(".")
    client = settlekit.Client(token="tok", base_url="http://localhost/v1")
    return reduce(getattr, path, {"settlekit": settlekit, "client": client}[start])


def test_every_public_name_has_its_row() -> None:
    """Each method, function, type, constant and error, once, and no name beside."""
    assert sorted(listed()) == sorted(theirs())


@pytest.mark.parametrize("name", ours())
def test_what_stands_in_its_place_exists(name: str) -> None:
    """Each name of ours on the page can be reached."""
    assert found(name) is not None


def test_every_row_says_what_to_use() -> None:
    """No cell on our side is empty."""
    assert [row for row in ROWS if not row[1].strip()] == []
