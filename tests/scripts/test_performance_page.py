"""The performance page says what the benchmarks measured."""

import json

from scripts import performance_page as page


def test_the_checked_in_page_is_the_generated_one() -> None:
    """Every figure of the last run is on the page, to the byte."""
    text = page.PAGE.read_text("utf-8")
    measured = json.loads(page.FIGURES.read_text("utf-8"))

    assert text == page.page_with_figures(text, measured)
    assert measured["quick"] is False
    assert all(figure["shown"]["work"] in text for figure in measured["figures"])


def test_a_page_out_of_date_is_found(tmp_path, monkeypatch, capsys) -> None:
    """--check tells a page that lacks figures; without it the page is written anew."""
    copy = tmp_path / page.PAGE.name
    copy.write_text(f"# Performance\n\n{page.BEGIN}\n{page.END}\n", "utf-8")
    monkeypatch.setattr(page, "PAGE", copy)

    assert page.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert page.main([]) == 0
    assert page.main(["--check"]) == 0
