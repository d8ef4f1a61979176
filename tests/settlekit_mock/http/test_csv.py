"""CSV that strangers wrote into is safe to open."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.http.csv import guarded, lines

CELLS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_what_a_spreadsheet_would_run_is_made_harmless(start: str) -> None:
    """A cell that begins a formula gets an apostrophe before it, and keeps its text."""
    assert guarded(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("start", ["=", "\t", "＠"])
@pytest.mark.parametrize(
    "blank", [" ", "   ", "\u00a0", "\ufeff", "\u200b", "\u2060", "\u3000", "\x0b", "\ufeff \u200b"]
)
def test_blanks_hide_no_formula(blank: str, start: str) -> None:
    """What begins a formula behind blanks, be they seen or not, is made harmless too."""
    assert guarded(f"{blank}{start}1+1") == f"'{blank}{start}1+1"


@pytest.mark.parametrize("cell", ["", "usr_1", "a=b", "1-2", " plain", "'quoted"])
def test_every_other_cell_stays_as_it_is(cell: str) -> None:
    """The guard changes no cell that a spreadsheet would show as text."""
    assert guarded(cell) == cell


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=4))
def test_whatever_is_written_is_read_back(rows: list[list[str]]) -> None:
    """Rows of any text survive the way through CSV, commas, quotes and line ends included."""
    text = lines(rows).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows
    assert text.count("\r\n") >= len(rows)
