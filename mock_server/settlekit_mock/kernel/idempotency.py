"""One effect for one key: the first answer is kept in the transaction of its effect."""

from collections.abc import Callable
from hashlib import sha256

import msgspec
from sqlalchemy import bindparam, insert, select

from settlekit_mock.kernel.problems import Conflict
from settlekit_mock.kernel.tables import IDEMPOTENCY
from settlekit_mock.kernel.transaction import Transaction

_PAYLOAD = msgspec.json.Encoder(order="sorted")


def payload_hash(payload: object) -> bytes:
    """Hash a payload by its meaning: the order of its keys doesn't count."""
    return sha256(_PAYLOAD.encode(payload)).digest()


def once(
    tx: Transaction,
    *,
    scope: str,
    key: str,
    payload: object,
    effect: Callable[[], bytes],
    conflict_code: str,
) -> bytes:
    """Run an effect once for a key within its scope and answer its first answer for ever.

    Raises ``Conflict`` with ``conflict_code`` when the key came before with another
    payload; nothing runs then.
    """
    digest = payload_hash(payload)
    found = tx.connection.execute(_FIND, {"in_scope": scope, "with_key": key}).first()
    if found is not None:
        if found.payload_hash != digest:
            raise Conflict(
                "this key was used with another payload; use a new key for a new operation",
                code=conflict_code,
            )
        answer: bytes = found.answer
        return answer
    answer = effect()
    tx.connection.execute(
        insert(IDEMPOTENCY).values(
            scope=scope, key=key, payload_hash=digest, answer=answer, created_at=tx.now
        )
    )
    return answer


_FIND = select(IDEMPOTENCY.c.payload_hash, IDEMPOTENCY.c.answer).where(
    IDEMPOTENCY.c.scope == bindparam("in_scope"), IDEMPOTENCY.c.key == bindparam("with_key")
)
