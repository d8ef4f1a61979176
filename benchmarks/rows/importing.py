"""Importing the library, in fresh interpreters."""

import subprocess
import sys
from collections.abc import Iterator

from figures import Figure, Unit, ratio_at_most
from measuring import Sample, Scale, medians

TIMED = (
    "import time; started = time.perf_counter(); {statement}; print(time.perf_counter() - started)"
)
UNWANTED = (
    "import sys, settlekit; "
    "print(*sys.modules.keys() & {'httpx', 'pydantic', 'sqlalchemy', 'werkzeug'})"
)


def _python(code: str) -> str:
    command = [sys.executable, "-I", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _importing(statement: str) -> Sample:
    return lambda: float(_python(TIMED.format(statement=statement)))


def measure(scale: Scale) -> Iterator[Figure]:
    works = ("import settlekit", "from settlekit import Client", "import httpx")
    *ours, theirs = medians(scale.pick(7, 25), *(_importing(work) for work in works))
    unwanted = _python(UNWANTED)
    for work, seconds in zip(works, ours, strict=False):
        yield Figure(
            work=work,
            ours=seconds,
            theirs=theirs,
            against="import httpx",
            unit=Unit.SECONDS,
            target=ratio_at_most(0.7) if work == "import settlekit" else None,
            note=f"importing settlekit loads {unwanted}" if unwanted else "",
        )
