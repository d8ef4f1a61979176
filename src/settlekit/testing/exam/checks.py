"""What a check is, and the register of them all, in the order they are made."""

from collections.abc import Callable

import attrs

from settlekit.testing.exam.sitting import Sitting

Run = Callable[[Sitting], None]


@attrs.frozen
class Check:
    """One thing that is examined, why it matters, and how to mend it."""

    name: str
    title: str
    why: str
    fix: str
    run: Run = attrs.field(repr=False)


REGISTERED: list[Check] = []


def check(name: str, *, why: str, fix: str) -> Callable[[Run], Run]:
    """Register a check: what its docstring says must hold, or it raises ``Finding``.

    It raises ``NotExamined`` where it can't be made with what the exam was given.
    """

    def register(run: Run) -> Run:
        title = (run.__doc__ or "").strip().rstrip(".")
        REGISTERED.append(Check(name, title, why, fix, run))
        return run

    return register
