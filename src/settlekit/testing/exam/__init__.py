"""The webhook exam: adversarial deliveries at a merchant's own endpoint, graded.

In a test::

    must_pass(application, secret="whsec_…", start_checkout=…, probe=…, restart=…)

What deliveries alone can show is graded by the answers. With ``start_checkout`` (opens an
order) and ``probe`` (reads its business state) the effects are graded as well; with
``restart``, what a crash or a deployment leaves of them. What can't be graded with what was
given is reported as not examined.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from settlekit.errors import InvalidArgument
from settlekit.testing.exam import effects, kinds, schedules, signatures
from settlekit.testing.exam.checks import REGISTERED, Check
from settlekit.testing.exam.endpoint import Answer, AtUrl, Endpoint, InProcess
from settlekit.testing.exam.orders import (
    Order,
    Probe,
    Restart,
    StartCheckout,
    checkout_at,
    probe_at,
)
from settlekit.testing.exam.report import Mark, Report, Verdict
from settlekit.testing.exam.sitting import Candidate, Finding, NotAccepted, NotExamined, Sitting

__all__ = [
    "CHECKS",
    "Answer",
    "Check",
    "Mark",
    "Order",
    "Report",
    "Verdict",
    "examine",
    "must_pass",
]

_PARTS = (signatures, kinds, effects, schedules)
"""The modules that register checks, in the order in which they are made."""

CHECKS: Sequence[Check] = sorted(
    REGISTERED,
    key=lambda check: [part.__name__ for part in _PARTS].index(check.run.__module__),
)
"""Every check, in the order in which they are made."""

Told = Callable[[Mark], object]


def examine(
    endpoint: Any,
    *,
    secret: str,
    merchant: str = "sandbox_merchant",
    start_checkout: StartCheckout | str | None = None,
    probe: Probe | str | None = None,
    restart: Restart | None = None,
    only: Sequence[str] | None = None,
    path: str = "/",
    told: Told | None = None,
) -> Report:
    """Deliver to an endpoint what the world may deliver, and say what it did wrong.

    ``endpoint`` is a URL, or a WSGI, ASGI or Django application whose webhook is at ``path``.
    ``start_checkout`` opens an order and tells ``key``, ``challenge_hash``, ``amount_minor``,
    ``currency``, ``merchant`` and ``success_url`` of it; ``probe`` reads the state of the order
    with that key, with no ids and no times in it, and for None the shop's books
    (``revenue_minor``, ``review``) where it has them. Both may be URLs: the first is posted to,
    the second has ``{order}`` in it. ``restart`` kills the shop and starts it again.
    ``only`` names the checks to make; ``told`` hears of each mark as it is given.

    It pays nothing and opens nothing but the orders. Raises ``InvalidArgument`` for an unknown
    check, and where the probe can't be used.
    """
    candidate = Candidate(
        endpoint=_endpoint(endpoint, path),
        secret=secret,
        merchant=merchant,
        start_checkout=checkout_at(start_checkout)
        if isinstance(start_checkout, str)
        else start_checkout,
        probe=probe_at(probe) if isinstance(probe, str) else probe,
        restart=restart,
    )
    return grade(candidate, only=only, told=told)


def grade(
    candidate: Candidate, *, only: Sequence[str] | None = None, told: Told | None = None
) -> Report:
    """Make the checks of a candidate; ``examine`` is how tests come here."""
    sitting = Sitting(candidate)
    marks: list[Mark] = []
    for check in _chosen(only):
        marks.append(_mark(check, sitting))
        if told is not None:
            told(marks[-1])
    return Report(marks)


def must_pass(endpoint: Any, **means: Any) -> Report:
    """Examine an endpoint in a test: AssertionError says what failed, and how to mend it."""
    report = examine(endpoint, **means)
    if not report.passed:
        raise AssertionError(str(report))
    return report


def _chosen(only: Sequence[str] | None) -> list[Check]:
    names = {check.name for check in CHECKS}
    unknown = sorted(set(only or ()) - names)
    if unknown:
        raise InvalidArgument("only", f"has no check {unknown[0]!r}; there are {', '.join(names)}")
    return [check for check in CHECKS if only is None or check.name in only]


def _endpoint(given: Any, path: str) -> Endpoint:
    if isinstance(given, str):
        return AtUrl(given)
    return InProcess(given, f"http://localhost{path}")


def _mark(check: Check, sitting: Sitting) -> Mark:
    started = time.perf_counter()

    def mark(verdict: Verdict, seen: object = "") -> Mark:
        return Mark(check, verdict, str(seen), time.perf_counter() - started)

    sitting.begin()
    try:
        check.run(sitting)
    except NotExamined as missing:
        return mark(Verdict.NOT_EXAMINED, missing)
    except NotAccepted as finding:
        return mark(Verdict.FAILED, f"{finding}{_made_up(sitting)}")
    except Finding as finding:
        return mark(Verdict.FAILED, finding)
    except (httpx.HTTPError, OSError) as error:
        return mark(Verdict.FAILED, f"the exam got no answer: {error}")
    if sitting.is_unseen:
        return mark(Verdict.NOT_EXAMINED, f"answered as it should; {_unseen(sitting)}")
    return mark(Verdict.PASSED)


def _unseen(sitting: Sitting) -> str:
    means = f"{sitting.word('start_checkout')} and {sitting.word('probe')}"
    return f"what it did shows with {means} alone"


def _made_up(sitting: Sitting) -> str:
    if not sitting.made_up:
        return ""
    return f"; the order is made up: with {sitting.word('start_checkout')} it is one of the shop's"
