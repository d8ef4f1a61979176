"""Statements that it takes to settle a batch, by its size."""

from collections.abc import Iterator

from figures import Figure, Unit, ratio_at_most
from measuring import Scale
from samples import pay
from sqlalchemy import event

from settlekit_mock import MockServer

SMALL, LARGE = 10, 9_999


def measure(scale: Scale) -> Iterator[Figure]:
    del scale
    yield Figure(
        work=f"statements to settle a batch of {LARGE:,}",
        ours=_statements(LARGE),
        theirs=_statements(SMALL),
        against=f"a batch of {SMALL}",
        unit=Unit.COUNT,
        target=ratio_at_most(1.0),
    )


def _statements(payments: int) -> int:
    seen: list[str] = []
    with MockServer() as mock:
        pay(mock, mock.buyers.create(), payments)
        event.listen(
            mock.world.database.engine,
            "before_cursor_execute",
            lambda *given: seen.append(given[2]),
        )
        mock.clock.advance(until="batch.settled", limit="P90D")
        if not list(mock.events(kind="batch.settled")):
            raise RuntimeError("nothing settled")
        return len(seen)
