import pytest

# Beside the tests, these say what they assert in full.
pytest.register_assert_rewrite(
    "tests.machine.world", "tests.machine.model", "tests.machine.buying", "tests.machine.operating"
)
