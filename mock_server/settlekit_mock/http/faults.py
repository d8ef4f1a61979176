"""Faults of calls: what was asked to go wrong between a client and this server.

Control routes are never touched, so that a fault can always be taken away again. One fault
strikes a call: the oldest that fits and fires. docs/decisions.md ("The control surface")
says what each kind leaves behind.
"""

import errno
import fnmatch
import re
import time
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from werkzeug.wrappers import Response

from settlekit_mock.kernel.faults import Door, DoorName, Fault, faults_at, strikes
from settlekit_mock.kernel.problems import Invalid, Problem
from settlekit_mock.kernel.world import World

FaultKind = Literal["latency", "status", "malformed", "cut_before_effect", "cut_after_effect"]
DOOR: Final[DoorName] = "call"
CONTROL_PATHS: Final = "/_mock"
CODES: Final = {
    429: "RATE_LIMITED",
    500: "INTERNAL",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
}
"""The statuses that a fault can answer with, and their codes."""

_MATCH: Final = re.compile(r"(GET|POST|PATCH|PUT|DELETE|\*) (/\S*)", re.ASCII)


class Cut(ConnectionResetError):
    """The connection breaks: a server closes it, a transport in process reports it."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the connection was cut, as a fault asked")


class Match(NamedTuple):
    """Which calls a fault is for: a method or ``*``, and a path in which ``*`` is any text."""

    method: str
    path: str

    def fits(self, method: str, path: str) -> bool:
        """Say whether a call is one of them."""
        if self.method not in ("*", method):
            return False
        return fnmatch.fnmatchcase(path, self.path.replace("[", "[[]").replace("?", "[?]"))


def read_match(text: str) -> Match:
    """Read ``METHOD /path/pattern*``, or raise ``Invalid`` saying what is wrong with it."""
    found = _MATCH.fullmatch(text)
    if found is None:
        raise Invalid("match: must be a method or *, a space and a path, such as GET /v1/sdrp/*")
    match = Match(*found.groups())
    if match.path.startswith(CONTROL_PATHS):
        raise Invalid(f"match: faults never touch the control routes under {CONTROL_PATHS}")
    return match


class Gate:
    """Where faults strike the calls of one application."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._door = Door(world, DOOR)

    def strike(self, method: str, path: str) -> Fault | None:
        """Return the fault that strikes a call; where nothing was asked, this costs nothing."""
        if path.startswith(CONTROL_PATHS) or self._door.idle():
            return None
        with self._world.transaction() as tx:
            asked = faults_at(tx.connection, DOOR)
            if not asked:
                self._door.rest()
            for fault in asked:
                fits = read_match(fault.option("match")).fits(method, path)
                if fits and strikes(tx, fault):
                    tx.record(
                        "fault.applied", fault.fault_id, fault=fault.kind, method=method, path=path
                    )
                    return fault
        return None


def strike_before(fault: Fault) -> None:
    """Do what a fault does before the call: wait, refuse with its status, or cut."""
    if fault.kind == "latency":
        # The machine's time, for it is the client's patience that is tried.
        time.sleep(fault.option("ms") / 1000)
    elif fault.kind == "status":
        raise _refusal(fault.option("status"), fault.option("retry_after"))
    elif fault.kind == "cut_before_effect":
        raise Cut


def strike_after(fault: Fault, response: Response) -> Response:
    """Do what a fault does to the answer: break it, or cut instead of answering."""
    if fault.kind not in ("malformed", "cut_after_effect"):
        return response
    if response.is_streamed:
        response.response = _broken_off(response)
    elif fault.kind == "cut_after_effect":
        raise Cut
    else:
        body = response.get_data()
        response.set_data(body[: len(body) // 2])
    return response


def _refusal(status: int, retry_after: int | None) -> Problem:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    message = "nothing is wrong: a fault asked for this answer, and nothing was done"
    return Problem(message, status=status, code=CODES[status], headers=headers)


def _broken_off(response: Response) -> Iterator[bytes]:
    """Yield the first half of a streamed body, then break the connection."""
    pieces = response.iter_encoded()

    def first_half() -> Iterator[bytes]:
        body = b"".join(pieces)
        yield body[: len(body) // 2]
        raise Cut

    return first_half()
