from collections.abc import Callable
from pathlib import Path

import pytest

from tests.settlekit.testing.exam.shop import Running, Shop

Run = Callable[[type[Shop]], Running]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a shop on a database of its own."""
    return lambda kind: Running(kind, tmp_path / "shop.db")
