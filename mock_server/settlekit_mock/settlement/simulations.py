"""What a test has asked to happen: a notice that fails, a debit that is refused, and so on.

A simulation is used up as it happens, ``times`` over; where several fit, the one for the
batch goes before the one for the buyer, and that before the one for all.
"""

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, Text, bindparam, delete, insert, or_, select, update

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
    ``None`` goes on until it is ended.
    """
    key = {"of_kind": kind.value, "of_subject": target.subject, "of_buyer": target.buyer_id}
    tx.connection.execute(_END_COVERED if times == 0 else _END, key)
    if times != 0:
        tx.connection.execute(
            insert(SIMULATIONS).values(
                kind=kind.value,
                subject=target.subject,
                buyer_id=target.buyer_id,
                remaining=times,
                detail=detail,
            )
        )


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
_END = delete(SIMULATIONS).where(
    _SAME_KIND,
    SIMULATIONS.c.subject == bindparam("of_subject"),
    SIMULATIONS.c.buyer_id == bindparam("of_buyer"),
)
_OF_SUBJECT, _OF_BUYER = bindparam("of_subject", type_=Text), bindparam("of_buyer", type_=Text)
_END_COVERED = delete(SIMULATIONS).where(
    _SAME_KIND,
    or_(SIMULATIONS.c.subject == _OF_SUBJECT, _OF_SUBJECT == ""),
    or_(SIMULATIONS.c.buyer_id == _OF_BUYER, _OF_BUYER == ""),
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
