"""The page and the picture of a batch's life say what the rules say."""

import re
import shutil
from xml.etree import ElementTree as ET

import pytest

from scripts import batch_life_page as page
from settlekit_mock.settlement.rules.batch_life import STATES, TRANSITIONS

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Point the script at a copy of what is checked in."""
    shutil.copytree(page.PICTURE.parent, tmp_path / "pictures")
    shutil.copy(page.PAGE, tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / page.PAGE.name)
    monkeypatch.setattr(page, "PICTURE", tmp_path / "pictures" / page.PICTURE.name)
    return tmp_path


def drawn() -> ET.Element:
    return ET.parse(page.PICTURE).getroot()


def test_the_checked_in_page_is_the_generated_one():
    """The page's table is the rules' table, to the byte."""
    text = page.PAGE.read_text("utf-8")
    assert text == page.page_with_moves(text)
    assert page.move_table() in text


def test_the_checked_in_picture_is_the_generated_one():
    """The picture is drawn from the rules, to the byte."""
    assert page.PICTURE.read_text("utf-8") == page.picture()


def test_the_page_has_a_row_for_every_move():
    """Each row of the rules is a row of the page, in the same order, and there is no other."""
    rows = re.findall(
        r"^\| .*? \| `(\w+)` \| .*? \| (\w+) \| (.*) \|$", page.move_table(), re.MULTILINE
    )
    assert rows == [(row.move, row.mover, row.guard) for row in TRANSITIONS]


def test_the_picture_has_a_box_for_every_state():
    """Each state's status and, where it differs, its execution status stand in a box."""
    names = [text.text for text in drawn().iter(f"{SVG}text") if text.get("class") == "name"]
    assert names == [state.status for state in STATES]


def test_the_picture_has_an_arrow_for_every_move():
    """Each move of each state is an arrow with its name and its mover's line."""
    words = [text.text for text in drawn().iter(f"{SVG}text") if text.get("text-anchor")]
    lines = [line.get("class") for line in drawn().findall(f"{SVG}path")]
    assert words == [row.move for row in TRANSITIONS]
    assert lines[1 : len(TRANSITIONS) + 1] == [f"arrow {row.mover}" for row in TRANSITIONS]


@pytest.mark.parametrize("row", TRANSITIONS, ids=lambda row: f"{row.source}-{row.move}")
def test_an_arrow_runs_from_its_source_to_its_target(row):
    """An arrow starts on the edge of the state it leaves and ends on the one it leads to."""
    points = page.ARROWS[row.source, row.move].points
    assert on_edge(points[0], row.source)
    assert on_edge(points[-1], row.target)


def on_edge(point, state) -> bool:
    (x, y), (middle, row) = point, page.PLACES[state]
    across, down = abs(x - middle) * 2, abs(y - row) * 2
    beside = across == page.BOX_WIDTH and down < page.BOX_HEIGHT
    above = down == page.BOX_HEIGHT and across < page.BOX_WIDTH
    return beside or above


def test_nothing_is_laid_out_that_the_rules_lack():
    """The layout has a place for each state, a way for each move, and none besides."""
    assert set(page.PLACES) == set(STATES)
    assert set(page.ARROWS) == {(row.source, row.move) for row in TRANSITIONS}


def test_the_picture_needs_nothing_from_outside():
    """The picture stands by itself and reads in light and dark."""
    text = page.PICTURE.read_text("utf-8")
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text


def test_writing_twice_changes_nothing(copy):
    """What the script writes, its check finds up to date."""
    assert (page.main([]), page.main(["--check"])) == (0, 0)


@pytest.mark.parametrize("name", ["batch-life.md", "pictures/batch-life.svg"])
def test_the_check_names_what_is_out_of_date(copy, name, capsys):
    """A move that is missing from page or picture is found, named and mended by writing anew."""
    path = copy / name
    path.write_text(path.read_text("utf-8").replace("write_off", "forgive"), "utf-8")
    assert page.main(["--check"]) == 1
    assert capsys.readouterr().err == f"{path.name} is out of date\n"
    assert (page.main([]), page.main(["--check"])) == (0, 0)
