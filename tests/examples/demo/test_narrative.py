"""The story reads well on any console."""

import io
from decimal import Decimal

import pytest
from rich.console import Console

from examples.demo.money import shown
from examples.demo.narrative import Narrator
from examples.demo.shopping import Stuck


def told(width: int, **options: object) -> tuple[Narrator, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, **options)
    return Narrator(console), file


COLUMNS = ("", "customers paid", "platform fee", "receivable", "unsettled", "settled", "wallet")
ROWS = [("JPY", *["¥163,231.8"] * 6), ("USD", *["$1,536.198"] * 6)]


@pytest.mark.parametrize(("width", "heads"), [(100, COLUMNS[1:]), (60, ("JPY", "USD"))])
def test_table_that_is_too_wide_is_turned(width, heads):
    """A table keeps every figure whole: on a narrow console its rows become columns."""
    narrator, file = told(width, force_terminal=True, color_system=None)
    narrator.table(COLUMNS, ROWS)
    lines = file.getvalue().splitlines()
    assert lines[1].split() == " ".join(heads).split()
    assert max(map(len, lines)) <= width
    assert file.getvalue().count("¥163,231.8") == 6


def test_markup_in_names_is_text():
    """What users call their customers and items is shown as it is."""
    narrator, file = told(96)
    narrator.fact("[bold]x[/bold] bought [/] for ¥5")
    assert file.getvalue() == "  [bold]x[/bold] bought [/] for ¥5\n"


def test_long_facts_are_wrapped_under_their_beginning():
    """A fact longer than the line goes on indented, without trailing space."""
    narrator, file = told(30)
    narrator.console.width = 30
    narrator.check("word " * 12, None)
    lines = file.getvalue().splitlines()
    assert lines[0] == "  ✓ word word word word word"
    assert lines[1] == "    word word word word word"


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (1200, "JPY", "¥1,200"),
        ("3172.20", "JPY", "¥3,172.2"),
        (0, "JPY", "¥0"),
        (1200, "USD", "$12.00"),
        ("1041.2", "USD", "$10.412"),
        (5, "USD", "$0.05"),
        (10**13, "USD", "$100,000,000,000.00"),
    ],
)
def test_amounts_are_shown_as_people_write_them(amount_minor, currency, text):
    """Yen are whole where they can be, dollars have two places or more, and none is rounded."""
    assert shown(Decimal(amount_minor), currency) == text


def test_story_that_breaks_off_is_one_line(play, monkeypatch):
    """When the story can't go on, the demo says why in one line and ends with 1."""

    def stuck(*_: object) -> None:
        raise Stuck("order o-1: the shop answered 503")

    monkeypatch.setattr("examples.demo.story.shop_the_month", stuck)
    result = play("o-1,2026-03-02T09:00:00Z,aiko,web,Album,2400,JPY")
    assert result.code == 1
    assert result.err == "demo: the story broke off: order o-1: the shop answered 503\n"
