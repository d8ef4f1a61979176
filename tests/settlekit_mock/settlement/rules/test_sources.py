"""Where the rules come from."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
RULES = sorted((ROOT / "mock_server/settlekit_mock/settlement/rules").glob("[a-z]*.py"))
SOURCE = re.compile(r'(docs/[a-z-]+\.md)((?:,? (?:and )?"[^"]+")+)')


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.stem)
def test_a_rule_names_sections_that_are_there(rule: Path) -> None:
    """Each module of rules names the sections it follows, and the pages have them."""
    docstring = " ".join(rule.read_text("utf-8").split('"""')[1].split())
    sources = SOURCE.findall(docstring)
    assert sources
    for page, sections in sources:
        headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
        assert set(re.findall('"([^"]+)"', sections)) <= set(headings)
