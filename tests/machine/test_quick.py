"""What is asked quickly after every step finds what the invariants find at their own speed."""

from typing import cast

import pytest
from sqlalchemy import Connection

from settlekit_mock.control.check import check_all
from tests.machine.lives import Directed, fail_first
from tests.machine.opening import opened
from tests.machine.quick import Quick

BROKEN = (
    "UPDATE batches SET attempt_count = attempt_count + 1, status = 'settled'",
    "UPDATE ledger_accounts SET balance = balance + 1",
    "UPDATE periods SET digest = x'00', usage_count = 1",
    "UPDATE funds SET reserved = 1",
    "UPDATE attempts SET run_ordinal = 29, submitted_at = 1",
    "DROP TRIGGER usage_no_update",
)


@pytest.mark.parametrize("statements", [(), *((one,) for one in BROKEN), BROKEN])
def test_what_is_asked_quickly_finds_the_same(statements: tuple[str, ...]) -> None:
    """In a sound world nothing is found, in a broken one the same, to the letter."""
    with opened() as Directed.opened:
        fail_first(Directed())
        with Directed.opened.mock.world.database.write() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            found = check_all(connection)
            assert check_all(cast(Connection, Quick(connection))) == found
    assert bool(found) == bool(statements)
