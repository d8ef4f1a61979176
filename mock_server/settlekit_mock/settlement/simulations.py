"""What a test has asked to happen: a notice that fails, a debit that is refused, and so on.

A simulation is used up as it happens, ``times`` over; where several fit, the one for the
batch goes before the one for the buyer, and that before the one for all.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, bindparam, delete, insert, or_, select, update

from settlekit_mock.kernel.times import SECOND
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.settlement.rules.timetable import FINALITY_MS
from settlekit_mock.settlement.tables import SIMULATIONS


class Kind(StrEnum):
    """What can be simulated."""

    NOTICE_FAILURE = "notice_failure"
    DEBIT_FAILURE = "debit_failure"
    UNKNOWN_OUTCOME = "unknown_outcome"
    PROVIDER_OUTCOME = "provider_outcome"
    FINALITY = "finality"


class Target(NamedTuple):
    """Whom a simulation is for: one subject (a batch, a capability), one buyer, or all."""

    subject: str = ""
    buyer_id: str = ""


ALL = Target()


def simulate(
    tx: Transaction, kind: Kind, target: Target, *, times: int | None, detail: str = ""
) -> None:
    """Begin a simulation in place of an earlier one of the same kind and target.

    ``times`` 0 ends it, and those for whatever the target covers: for all, everybody's.
    ``None`` goes on until it is ended. One that stands as it is asked for is left alone.
    """
    key = {"of_kind": kind.value, "of_subject": target.subject, "of_buyer": target.buyer_id}
    if times == 0:
        _end_covered(tx, key)
        return
    if tx.connection.execute(_STANDING, key).first() == (times, detail):
        return
    tx.connection.execute(_END, key)
    tx.connection.execute(
        insert(SIMULATIONS).values(
            kind=kind.value,
            subject=target.subject,
            buyer_id=target.buyer_id,
            remaining=times,
            detail=detail,
        )
    )
    tx.record(
        "simulation.begun", target.subject or kind.value, **_told(kind, target, times, detail)
    )


def _end_covered(tx: Transaction, key: Mapping[str, str]) -> None:
    """End simulations, telling of each what was left of it."""
    for ended in tx.connection.execute(_COVERED, key).all():
        tx.connection.execute(_USED_UP, {"of_number": ended.simulation_number})
        kind, target = Kind(ended.kind), Target(ended.subject, ended.buyer_id)
        told = _told(kind, target, ended.remaining, ended.detail)
        tx.record("simulation.ended", target.subject or kind.value, **told)


def _told(kind: Kind, target: Target, times: int | None, detail: str) -> dict[str, Any]:
    """Return what the journal tells of a simulation, by the names that it is asked for with."""
    of_capability = kind is Kind.PROVIDER_OUTCOME
    told: dict[str, Any] = {
        "simulation": kind.value,
        "buyer": target.buyer_id or None,
        "capability_key" if of_capability else "settlement_batch_id": target.subject or None,
        "times": times,
    }
    if kind is Kind.FINALITY:
        told["seconds"] = int(detail) // SECOND
    elif detail:
        told["outcome" if of_capability else "reason"] = detail
    return {name: value for name, value in told.items() if value is not None}


def take(tx: Transaction, kind: Kind, *, subject: str, buyer_id: str) -> str | None:
    """Return the detail of the simulation that fits best and use it up once, or ``None``."""
    key = {"of_kind": kind.value, "of_subject": subject, "of_buyer": buyer_id}
    found = tx.connection.execute(_FITTING, key).first()
    if found is None:
        return None
    number = {"of_number": found.simulation_number}
    if found.remaining == 1:
        tx.connection.execute(_USED_UP, number)
    elif found.remaining is not None:
        tx.connection.execute(_USE, number)
    detail: str = found.detail
    return detail


def finality_ms(connection: Connection) -> int:
    """Return how long the chain takes to confirm a batch's debit."""
    key = {"of_kind": Kind.FINALITY.value, "of_subject": "", "of_buyer": ""}
    found = connection.execute(_FITTING, key).first()
    return FINALITY_MS if found is None else int(found.detail)


_SAME_KIND = SIMULATIONS.c.kind == bindparam("of_kind")
_SAME = (
    _SAME_KIND,
    SIMULATIONS.c.subject == bindparam("of_subject"),
    SIMULATIONS.c.buyer_id == bindparam("of_buyer"),
)
_STANDING = select(SIMULATIONS.c.remaining, SIMULATIONS.c.detail).where(*_SAME)
_END = delete(SIMULATIONS).where(*_SAME)
_OF_SUBJECT, _OF_BUYER = bindparam("of_subject", type_=Text), bindparam("of_buyer", type_=Text)
_COVERED = (
    select(SIMULATIONS)
    .where(
        _SAME_KIND,
        or_(SIMULATIONS.c.subject == _OF_SUBJECT, _OF_SUBJECT == ""),
        or_(SIMULATIONS.c.buyer_id == _OF_BUYER, _OF_BUYER == ""),
    )
    .order_by(SIMULATIONS.c.simulation_number)
)
_FITTING = (
    select(SIMULATIONS)
    .where(
        _SAME_KIND,
        or_(SIMULATIONS.c.subject == bindparam("of_subject"), SIMULATIONS.c.subject == ""),
        or_(SIMULATIONS.c.buyer_id == bindparam("of_buyer"), SIMULATIONS.c.buyer_id == ""),
    )
    .order_by(SIMULATIONS.c.subject.desc(), SIMULATIONS.c.buyer_id.desc())
    .limit(1)
)
_ONE = SIMULATIONS.c.simulation_number == bindparam("of_number")
_USED_UP = delete(SIMULATIONS).where(_ONE)
_USE = update(SIMULATIONS).where(_ONE).values(remaining=SIMULATIONS.c.remaining - 1)
