"""What is checked: every invariant of every room."""

from importlib import import_module
from pathlib import Path

import pytest

import settlekit_mock
from settlekit_mock import MockServer
from settlekit_mock.control.check import INVARIANTS

PACKAGE = Path(settlekit_mock.__file__).parent
MODULES = sorted(
    ".".join(("settlekit_mock", *path.relative_to(PACKAGE).with_suffix("").parts))
    for path in (*PACKAGE.rglob("invariants.py"), *PACKAGE.rglob("*_invariants.py"))
    if path != PACKAGE / "kernel" / "invariants.py"
)


@pytest.mark.parametrize("module", MODULES)
def test_every_rooms_invariants_are_checked(module: str) -> None:
    """What a room says must hold is checked by ``check_all``, all of it."""
    own = import_module(module).INVARIANTS
    assert own
    assert set(own) <= set(INVARIANTS)


def test_every_invariant_has_a_name_of_its_own() -> None:
    """Names tell invariants apart, and the answer says them all."""
    names = [invariant.__name__ for invariant in INVARIANTS]
    assert len(set(names)) == len(names)
    with MockServer() as mock:
        checked = mock.check()
    assert (checked.ok, checked.checked) == (True, names)
