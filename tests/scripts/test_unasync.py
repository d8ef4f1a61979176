import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def unasync() -> ModuleType:
    spec = importlib.util.spec_from_file_location("unasync", ROOT / "scripts" / "unasync.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sync_half_is_what_the_async_half_says(unasync: ModuleType) -> None:
    """Every file is there, none is left over, and each is the same to the last character."""
    assert unasync.present() == unasync.wanted()


def test_nothing_async_is_left_in_the_twin(unasync: ModuleType) -> None:
    """No name and no keyword of the async half reaches the sync one."""
    left = [
        (name, line)
        for name, text in unasync.present().items()
        for line in text.splitlines()[1:]
        if "async" in line.lower() or re.search(r"\bawait\b", line)
    ]
    assert left == []


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("async def f(): ...", "def f(): ..."),
        ("async with a as b:", "with a as b:"),
        ("[x async for x in await y]", "[x for x in y]"),
        ("AsyncIterator[AsyncPage[T]]", "Iterator[Page[T]]"),
        ("from settlekit._async.core import AsyncCore", "from settlekit._sync.core import Core"),
        ("a\n    # async only: begin\n    b\n    # async only: end\nc", "a\nc"),
        ("# sync only: return 5", "return 5"),
    ],
)
def test_the_twin_is_made_by_a_small_table(unasync: ModuleType, written: str, made: str) -> None:
    """Each rule of the translation, alone."""
    assert unasync.translate(written) == unasync.HEADER + made


def test_a_difference_is_named(
    unasync: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A truncated file, a missing one and one too many each fail the check by name."""
    texts = unasync.wanted()
    short = {**texts, "pages.py": texts["pages.py"][:-1], "old.py": ""}
    del short["rows.py"]
    monkeypatch.setattr(unasync, "present", lambda: short)
    assert unasync.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert [line.split(" ")[0] for line in said.splitlines()] == [
        "settlekit/_sync/old.py",
        "settlekit/_sync/pages.py",
        "settlekit/_sync/rows.py",
    ]
