"""Draw why an amount is what it is: a tree, a line for each part below its whole."""

from collections.abc import Iterator
from decimal import Decimal

from settlekit_mock.control.explain import Explanation

MOST_PARTS = 20
"""Parts shown one by one below a whole; the rest is told in one line."""


def lines_of(whole: Explanation) -> Iterator[str]:
    """Yield the lines of a tree, each with its amount, its subject and the reason."""
    yield _line(whole)
    yield from _parts(whole, "")


def _parts(whole: Explanation, indent: str) -> Iterator[str]:
    shown, rest = whole.parts[:MOST_PARTS], whole.parts[MOST_PARTS:]
    for number, part in enumerate(shown, start=1):
        last = number == len(whole.parts)
        yield f"{indent}{'└─' if last else '├─'} {_line(part)}"
        yield from _parts(part, indent + ("   " if last else "│  "))
    if rest:
        sum_of_rest = sum((Decimal(part.amount) for part in rest), Decimal(0))
        yield (
            f"{indent}└─ {_amount(sum_of_rest)} {whole.currency}  "
            f"{len(rest)} more; --json prints them all"
        )


def _line(part: Explanation) -> str:
    return f"{_amount(Decimal(part.amount))} {part.currency}  {part.kind} {part.id}: {part.because}"


def _amount(amount: Decimal) -> str:
    return f"{amount.normalize():,f}"
