"""Faults that a test has asked for: kept, drawn, counted and used up.

A fault belongs to a door: the HTTP layer or the webhooks' delivery. It strikes every time,
so many ``times``, or at a ``rate``. A rate is drawn from the server's seed and the number
of occasions the fault has seen, so the same calls fail again.
"""

from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from settlekit_mock.kernel.ids import seed_key
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.tables import METADATA, Number
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import World

FAULTS = Table(
    "faults",
    METADATA,
    Column("fault_number", Number, primary_key=True),
    Column("fault_id", Text, nullable=False, unique=True),
    Column("door", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("times", BigInteger),
    Column("rate", Float),
    Column("seen", BigInteger, nullable=False),
    Column("applied", BigInteger, nullable=False),
    Index("faults_by_door", "door", "fault_number"),
)
"""``options`` is a JSON object of the door's own; ``seen`` counts occasions, ``applied`` strikes."""

DoorName = Literal["call", "webhook"]
CHANGED = "faults.changed"
"""The topic that is told when a fault came or went; the message is the door's name."""


class Fault(NamedTuple):
    """Something that goes wrong at a door."""

    fault_number: int
    fault_id: str
    door: str
    kind: str
    options: str
    times: int | None
    rate: float | None
    seen: int
    applied: int

    def option(self, name: str) -> Any:
        """Return one of the door's own options, or ``None``."""
        return msgspec.json.decode(self.options).get(name)


class Door:
    """Where faults strike; it knows without a look at the database when there are none."""

    def __init__(self, world: World, name: DoorName) -> None:
        self._name = name
        self._quiet = False
        # What other processes add isn't told here, so there it is looked for each time.
        self._shared = world.database if world.database.is_postgresql else None
        world.subscribe(CHANGED, self._changed)
        world.on_renewed(self._look_again)

    @property
    def quiet(self) -> bool:
        """Whether nothing can strike here, without a look at the database."""
        return self._quiet

    def idle(self) -> bool:
        """Say whether nothing can strike here now; to be asked with no transaction open."""
        if self._shared is None:
            return self._quiet
        with self._shared.look() as connection:
            return connection.execute(_FIRST, {"at_door": self._name}).first() is None

    def rest(self) -> None:
        """Be quiet until something changes; for a transaction that saw that there is nothing."""
        # Whoever adds a fault writes too, and so comes after this or came before.
        self._quiet = self._shared is None

    def _changed(self, _tx: Transaction, name: str) -> None:
        if name == self._name:
            self._quiet = False

    def _look_again(self) -> None:
        self._quiet = False


def add_fault(
    tx: Transaction,
    door: DoorName,
    kind: str,
    options: dict[str, Any],
    *,
    times: int | None,
    rate: float | None,
) -> Fault:
    """Let something go wrong at a door from now on; without times and rate, always."""
    fault_id = tx.new_id("flt")
    row = {
        "fault_id": fault_id,
        "door": door,
        "kind": kind,
        "options": msgspec.json.encode(options).decode(),
        "times": times,
        "rate": rate,
        "seen": 0,
        "applied": 0,
    }
    tx.connection.execute(insert(FAULTS), row)
    tx.publish(CHANGED, door)
    return fault_with_id(tx.connection, door, fault_id)


def faults_at(connection: Connection, door: DoorName) -> list[Fault]:
    """Return a door's faults, oldest first; those used up are gone."""
    return [Fault(*row) for row in connection.execute(_AT, {"at_door": door})]


def fault_with_id(connection: Connection, door: DoorName, fault_id: str) -> Fault:
    """Return a fault, or raise ``NotFound`` when there is none, or none any more."""
    row = connection.execute(_ONE, {"at_door": door, "of_id": fault_id}).first()
    if row is None:
        raise NotFound(f"no fault {fault_id}; one that was used up is gone", code="FAULT_NOT_FOUND")
    return Fault(*row)


def remove_fault(tx: Transaction, fault: Fault) -> None:
    """Let a fault strike no more."""
    tx.connection.execute(_DELETE, {"of_number": fault.fault_number})
    tx.publish(CHANGED, fault.door)


def strikes(tx: Transaction, fault: Fault) -> bool:
    """Say whether a fault strikes on this occasion; count it, and use the fault up."""
    struck = fault.rate is None or _chance(tx.state.seed, fault) < fault.rate
    applied = fault.applied + struck
    if applied == fault.times:
        remove_fault(tx, fault)
    else:
        counts = {"of_number": fault.fault_number, "seen": fault.seen + 1, "applied": applied}
        tx.connection.execute(_COUNT, counts)
    return struck


def _chance(seed: int, fault: Fault) -> float:
    """Draw a number from 0 up to 1 for the fault's next occasion."""
    occasion = f"{fault.fault_id}:{fault.seen}".encode()
    drawn = blake2b(occasion, key=seed_key(seed), digest_size=6).digest()
    return int.from_bytes(drawn) / 2**48


_AT = select(FAULTS).where(FAULTS.c.door == bindparam("at_door")).order_by(FAULTS.c.fault_number)
_FIRST = select(FAULTS.c.fault_number).where(FAULTS.c.door == bindparam("at_door")).limit(1)
_ONE = select(FAULTS).where(
    FAULTS.c.fault_id == bindparam("of_id"), FAULTS.c.door == bindparam("at_door")
)
_NUMBERED = FAULTS.c.fault_number == bindparam("of_number")
_DELETE = delete(FAULTS).where(_NUMBERED)
_COUNT = update(FAULTS).where(_NUMBERED)
