"""The page of the webhook exam says what the exam checks."""

import shutil

from scripts import exam_page as page
from settlekit.testing.exam import CHECKS


def test_the_checked_in_page_is_the_generated_one() -> None:
    """Every check is on the page, with its reason and its remedy, to the byte."""
    text = page.PAGE.read_text("utf-8")

    assert text == page.page_with_checks(text)
    assert all(f"**`{check.name}`** — {check.title}." in text for check in CHECKS)


def test_a_page_out_of_date_is_found_and_mended(tmp_path, monkeypatch, capsys) -> None:
    """--check tells a page that lacks a check; without it the page is written anew."""
    copy = tmp_path / page.PAGE.name
    shutil.copy(page.PAGE, copy)
    monkeypatch.setattr(page, "PAGE", copy)
    copy.write_text(copy.read_text("utf-8").replace(CHECKS[0].why, ""), "utf-8")

    assert page.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert page.main([]) == 0
    assert page.main(["--check"]) == 0
