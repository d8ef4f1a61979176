"""Cursors: opaque, and good for their own list alone."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.http.cursors import read_cursor, write_cursor
from settlekit_mock.kernel.problems import Invalid

LISTING = "usage:provider:1"
GOOD = write_cursor(LISTING, 12345)
ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
SAME_BYTES = GOOD[:-1] + ALPHABET[ALPHABET.index(GOOD[-1]) + 1]
"""Another spelling of the same bytes: its last letter differs in bits that don't count."""


@given(st.text(max_size=50), st.integers(0, 10**18 - 1))
def test_a_cursor_is_read_where_it_was_written(listing: str, last: int) -> None:
    """A cursor of a list says which row was last."""
    assert read_cursor(listing, write_cursor(listing, last)) == last


def test_the_beginning_has_no_cursor() -> None:
    """Without a cursor a list begins at its beginning."""
    assert read_cursor(LISTING, None) is None


def test_a_cursor_tells_nothing_at_sight() -> None:
    """The row's number doesn't stand in the cursor."""
    assert "12345" not in GOOD


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "12345",
        GOOD[:-1],
        GOOD[1:],
        GOOD + "A",
        GOOD + "=",
        SAME_BYTES,
        "A" + GOOD[1:] if GOOD[0] != "A" else "B" + GOOD[1:],
        GOOD.swapcase(),
        GOOD.replace(GOOD[5], "ü"),
        "\n" + GOOD,
        "A" * 16,
        "A" * 64,
        base64.urlsafe_b64encode(b"a:12345" * 3).decode().rstrip("="),
        write_cursor("usage:provider:2", 12345),
        write_cursor("batches:provider:1", 12345),
        write_cursor(LISTING, 10**18),
        write_cursor(LISTING, -1),
    ],
)
def test_a_broken_or_foreign_cursor_is_invalid(cursor: str) -> None:
    """A cursor that was changed, made up or taken from another list is refused."""
    with pytest.raises(Invalid, match="not a cursor of this list"):
        read_cursor(LISTING, cursor)


@given(st.text(max_size=80))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    """Whatever a stranger sends, only the documented refusal comes out."""
    with pytest.raises(Invalid):
        read_cursor(LISTING, text)
