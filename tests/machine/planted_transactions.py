"""Wrong variants of what belongs into one transaction; each docstring says what is wrong."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from sqlalchemy import Connection, insert

from settlekit_mock.kernel import idempotency
from settlekit_mock.kernel.database import Database
from settlekit_mock.kernel.tables import IDEMPOTENCY
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import World
from settlekit_mock.operations import adjustments
from settlekit_mock.payments import capabilities, checkout
from settlekit_mock.payments.tables import session_with_id
from settlekit_mock.recurring import challenges, scheduled
from settlekit_mock.webhooks import service

Plant = Callable[[pytest.MonkeyPatch], None]
Write = Callable[[Connection], object]


def _afterwards(patch: pytest.MonkeyPatch) -> list[Write]:
    """Return a list whose writes are written in a transaction of their own, after the commit."""
    late: list[Write] = []
    write = Database.write

    @contextmanager
    def writing(self: Database) -> Generator[Connection, None, None]:
        with write(self) as connection:
            yield connection
        writes, late[:] = late[:], []
        if writes:
            with self.write() as connection:
                for one in writes:
                    one(connection)

    patch.setattr(Database, "write", writing)
    return late


def key_stored_after_the_effect(patch: pytest.MonkeyPatch) -> None:
    """An idempotency key is written once its effect has been committed."""
    late = _afterwards(patch)
    find = idempotency._FIND

    def wrong(tx: Transaction, *, scope: str, key: str, payload: object, **given: Any) -> bytes:
        found = tx.connection.execute(find, {"in_scope": scope, "with_key": key}).first()
        if found is not None:
            kept: bytes = found.answer
            return kept
        answer: bytes = given["effect"]()
        row = {
            "scope": scope,
            "key": key,
            "payload_hash": idempotency.payload_hash(payload),
            "answer": answer,
            "created_at": tx.now,
        }
        late.append(lambda connection: connection.execute(insert(IDEMPOTENCY).values(row)))
        return answer

    for module in (scheduled, adjustments, challenges):
        patch.setattr(module, "once", wrong)


def capability_answer_stored_after_the_charge(patch: pytest.MonkeyPatch) -> None:
    """What a key of a paid capability stands for is written once it was charged."""
    late = _afterwards(patch)
    keep = capabilities._keep

    class Later:
        def __init__(self, tx: Transaction) -> None:
            self.connection = self
            self.record = tx.record

        def execute(self, statement: Any, values: Any) -> None:
            late.append(lambda connection: connection.execute(statement, values))

    patch.setattr(capabilities, "_keep", lambda tx, *given: keep(Later(tx), *given))  # type: ignore[arg-type]


def outbox_after_the_commit(patch: pytest.MonkeyPatch) -> None:
    """Events are told once what they tell of has been committed."""
    late = _afterwards(patch)
    tell, deliver = service.insert_events, service.insert_deliveries
    patch.setattr(
        service, "insert_events", lambda _tx, rows: late.append(lambda later: tell(later, rows))
    )
    patch.setattr(
        service,
        "insert_deliveries",
        lambda _tx, rows: late.append(lambda later: deliver(later, rows)),
    )


def terms_checked_outside_the_transaction(patch: pytest.MonkeyPatch) -> None:
    """A session is judged as it stood before the transaction began."""
    begin, seen = World.transaction, dict[str, Any]()

    @contextmanager
    def looking_first(self: World) -> Generator[Transaction, None, None]:
        with self.snapshot() as connection:
            names = connection.exec_driver_sql("SELECT session_id FROM checkout_sessions")
            before = {name: session_with_id(connection, name) for name in list(names.scalars())}
        with begin(self) as tx:
            seen.update(before)
            yield tx

    patch.setattr(World, "transaction", looking_first)
    patch.setattr(checkout, "known_session", lambda _connection, name: seen[name])


def key_looked_up_outside_the_transaction(patch: pytest.MonkeyPatch) -> None:
    """Whether a key came before is asked before the transaction begins."""
    begin, known = World.transaction, dict[tuple[str, str], bytes]()

    @contextmanager
    def looking_first(self: World) -> Generator[Transaction, None, None]:
        with self.snapshot() as connection:
            rows = connection.execute(IDEMPOTENCY.select())
            before = {(row.scope, row.key): row.answer for row in rows}
        with begin(self) as tx:
            known.clear()
            known.update(before)
            yield tx

    def wrong(_tx: Transaction, *, scope: str, key: str, **given: Any) -> bytes:
        effect: Callable[[], bytes] = given["effect"]
        return known[scope, key] if (scope, key) in known else effect()

    patch.setattr(World, "transaction", looking_first)
    patch.setattr(adjustments, "once", wrong)


DEADLY: Final[tuple[tuple[Plant, str], ...]] = (
    (key_stored_after_the_effect, "run_slot"),
    (key_stored_after_the_effect, "adjust_wallet"),
    (key_stored_after_the_effect, "subscribe"),
    (capability_answer_stored_after_the_charge, "run_capability"),
    (outbox_after_the_commit, "confirm_session"),
    (outbox_after_the_commit, "run_capability"),
)
"""What a death at the wrong moment brings to light, and the route where it does."""
DOUBLED: Final[tuple[tuple[Plant, str], ...]] = (
    (key_looked_up_outside_the_transaction, "adjust_wallet"),
    (key_stored_after_the_effect, "adjust_wallet"),
)
"""What another call at the wrong moment brings to light."""
