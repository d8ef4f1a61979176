import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_users_see_the_types_that_are_promised(checker: str) -> None:
    """Every assert_type holds for both checkers, strictly."""
    options = ["--strict", "--no-incremental"] if checker == "mypy" else []
    command = [sys.executable, "-m", checker, *options, str(HERE / "user_types.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
