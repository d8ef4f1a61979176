"""The clock's routes: read, advance, freeze, resume."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import settlekit_mock
from settlekit_mock import MockServer
from settlekit_mock.control.kinds import KINDS
from settlekit_mock.driver import ControlError
from settlekit_mock.kernel import clock as kernel_clock
from settlekit_mock.kernel.times import DAY, from_text, to_text
from tests.settlekit_mock.control.conftest import SHOP, START, Control, rows_of

SLOT = {"weekday": 2, "hour": 10, "minute": 0}
PACKAGE = Path(settlekit_mock.__file__).parent
CLOSE = "2026-03-04T10:00:00.000Z"


class Machine:
    """The machine's time, to be set."""

    def __init__(self) -> None:
        self.now = from_text(START)

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(kernel_clock, "machine_now", made)
    return made


@pytest.fixture
def real(machine: Machine) -> Iterator[Control]:
    """The control routes of a mock on the real clock."""
    with MockServer(freeze_at=None) as mock:
        yield Control(mock)


def sold(mock: MockServer) -> None:
    """Leave a close due on Wednesday."""
    mock.buyers.create(buyer_id="b1", weekly_slot=SLOT)
    mock.usage("b1", merchant=SHOP, amount_minor=100, currency="JPY")


def test_a_frozen_clock_says_so(control: Control) -> None:
    """The clock shows its time, its mode and what is due next."""
    assert control.get("clock") == (
        200,
        {"now": START, "mode": "frozen", "next_due_at": None},
    )


def test_the_clock_says_what_is_due_next(mock: MockServer, control: Control) -> None:
    """The next due time is the earliest row's: here the estimate, a day before the close."""
    sold(mock)
    assert control.get("clock")[1]["next_due_at"] == "2026-03-03T10:00:00.000Z"


@pytest.mark.parametrize(
    ("body", "arrives"),
    [
        ({"by": "P7D"}, "2026-03-09T00:00:00.000Z"),
        ({"by": "PT0.25S"}, "2026-03-02T00:00:00.250Z"),
        ({"by": 90}, "2026-03-02T00:01:30.000Z"),
        ({"by": 0.5}, "2026-03-02T00:00:00.500Z"),
        ({"by": 0}, START),
        ({"by": "PT0S"}, START),
        ({"to": START}, START),
        ({"to": "2026-04-01T09:00:00+09:00"}, "2026-04-01T00:00:00.000Z"),
        ({"until": "batch.settled", "limit": "P1D"}, "2026-03-03T00:00:00.000Z"),
        ({"until": "batch.settled"}, "2027-04-06T00:00:00.000Z"),
        ({"until": "next", "limit": "P1D"}, START),
        ({"until": "next"}, START),
    ],
)
def test_the_clock_is_advanced(control: Control, body: dict[str, Any], arrives: str) -> None:
    """By a duration, to a time, or until something that doesn't come within the limit."""
    status, advanced = control.post("clock/advance", **body)
    assert (status, advanced["from"], advanced["to"]) == (200, START, arrives)
    assert (advanced["events"], advanced["event_count"]) == ([], 0)
    assert control.get("clock")[1]["now"] == arrives


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("until", "arrives"),
    [
        ("period.closed", CLOSE),
        ("notice.recorded", CLOSE),
        ("debit.submitted", "2026-03-07T10:00:00.000Z"),
        ("batch.settled", "2026-03-07T10:00:30.000Z"),
        ("next", "2026-03-03T10:00:00.000Z"),
    ],
)
def test_the_clock_stops_where_something_happened(
    mock: MockServer, control: Control, until: str, arrives: str
) -> None:
    """``until`` stays at the entry's own time; ``next`` does what is due next, all of it."""
    sold(mock)
    _, advanced = control.post("clock/advance", until=until)
    assert (advanced["to"], advanced["reached"]) == (arrives, True)
    assert advanced["events"][-1]["at"] == arrives


def test_advances_tell_all_that_happens(mock: MockServer, control: Control) -> None:
    """What falls due at the time where ``until`` stops is told too, deliveries included."""
    mock.webhooks.collect()
    sold(mock)
    told: list[Any] = control.get("events", limit=1000)[1]["items"]
    for until in ("period.closed", "debit.submitted", "batch.settled"):
        _, advanced = control.post("clock/advance", until=until)
        assert advanced["event_count"] == len(advanced["events"])
        told += advanced["events"]
    assert told == control.get("events", limit=1000)[1]["items"]
    assert told[-1]["kind"] == "webhook.delivered"


def test_what_is_due_beyond_the_limit_is_not_reached(mock: MockServer, control: Control) -> None:
    """Where the next thing is further off than the limit, the clock stops at the limit."""
    sold(mock)
    _, advanced = control.post("clock/advance", until="next", limit="PT1H")
    assert (advanced["to"], advanced["reached"]) == ("2026-03-02T01:00:00.000Z", False)


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        ("batch.setled", "did you mean batch.settled?"),
        ("webhook.delivery", "did you mean webhook.delivered?"),
        ("tuesday", "no kind 'tuesday'. There are:"),
    ],
)
def test_a_kind_that_there_is_not_is_refused(mock: MockServer, unknown: str, nearest: str) -> None:
    """Nobody waits 400 days for a typing error: the refusal names the nearest kind, and all."""
    with pytest.raises(ControlError, match=re.escape(nearest)) as refused:
        mock.clock.advance(until=unknown)
    assert refused.value.status == 422
    assert refused.value.message.endswith(", ".join(sorted(KINDS)))


def _named(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _written() -> set[str]:
    """Return the texts that the package gives to calls of ``record`` as a kind."""
    calls = [
        call
        for module in PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(module.read_text()))
        if isinstance(call, ast.Call) and call.args
    ]
    kinds = [call.args[0] for call in calls if _named(call) == "record"]
    # What a room's own ``_record`` is given besides the transaction.
    kinds += [call.args[1] for call in calls if _named(call) == "_record" and call.args[1:]]
    texts = (text for kind in kinds for text in ast.walk(kind) if isinstance(text, ast.Constant))
    return {text.value for text in texts if isinstance(text.value, str)}


def test_every_kind_that_is_written_can_be_waited_for() -> None:
    """What the code writes into the journal is in the list, whole or as the beginning of a kind."""
    beginnings = {kind.partition(".")[0] + "." for kind in KINDS}
    assert _written() <= KINDS | beginnings


def test_an_advance_tells_what_happened(mock: MockServer, control: Control) -> None:
    """The answer carries the journal of the advance, in order, clock calls left out."""
    sold(mock)
    _, advanced = control.post("clock/advance", by="P30D")
    kinds = [entry["kind"] for entry in advanced["events"]]
    assert [kind for kind in kinds if kind.startswith(("period", "batch"))] == [
        "period.closed",
        "batch.settled",
    ]
    assert advanced["event_count"] == len(kinds)
    assert not [kind for kind in kinds if kind.startswith("clock")]


def test_a_long_advance_tells_its_first_thousand_entries(
    mock: MockServer, control: Control
) -> None:
    """Beyond 1,000 entries the answer carries the first ones, and the count of all."""
    for number in range(40):
        mock.buyers.create(buyer_id=f"b{number}")
        mock.usage(f"b{number}", merchant=SHOP, amount_minor=100, currency="JPY")
    mock.simulate.debit_failure(times=28 * 40)
    seen = mock.world.now()
    _, advanced = control.post("clock/advance", by="P30D")
    entries = [entry for entry in mock.events() if from_text(entry.at) > seen]
    assert (len(advanced["events"]), advanced["event_count"]) == (1_000, len(entries))
    assert advanced["event_count"] > 1_000


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"to": "2026-03-01T23:59:59.999Z"}, (409, "CLOCK_NEVER_GOES_BACK")),
        ({}, (422, "INVALID_REQUEST")),
        ({"by": "P1D", "to": CLOSE}, (422, "INVALID_REQUEST")),
        ({"by": "P1D", "limit": "P1D"}, (422, "INVALID_REQUEST")),
        ({"limit": "P1D"}, (422, "INVALID_REQUEST")),
        ({"by": "P1M"}, (422, "INVALID_REQUEST")),
        ({"by": -1}, (422, "INVALID_REQUEST")),
        ({"by": 1e18}, (422, "INVALID_REQUEST")),
        ({"by": True}, (422, "INVALID_REQUEST")),
        ({"by": "P999999W"}, (422, "INVALID_REQUEST")),
        ({"to": "3000-01-01T00:00:00Z"}, (422, "INVALID_REQUEST")),
        ({"to": "tomorrow"}, (422, "INVALID_REQUEST")),
        ({"until": "x" * 101}, (422, "INVALID_REQUEST")),
        ({"until": "batch.setled"}, (422, "INVALID_REQUEST")),
        ({"until": ""}, (422, "INVALID_REQUEST")),
        ({"until": "batch.settled", "limit": "P999999D"}, (422, "INVALID_REQUEST")),
        ({"by": "P1D", "surprise": 1}, (422, "INVALID_REQUEST")),
    ],
)
def test_a_wrong_advance_changes_nothing(
    mock: MockServer, control: Control, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    """A target in the past is 409, anything unreadable 422, and neither moves the clock."""
    sold(mock)
    before = rows_of(mock.world)
    assert control.post("clock/advance", **body) == refusal
    assert rows_of(mock.world) == before


def after_90_days(steps: int) -> dict[str, list[Any]]:
    """Return every row of a world whose ninety days passed in so many steps."""
    with MockServer(seed=7, freeze_at=START) as mock:
        sold(mock)
        mock.usage("b1", merchant=SHOP, amount_minor=5, currency="USD", count=3, over="P2D")
        mock.simulate.debit_failure(times=3)
        for _ in range(steps):
            mock.clock.advance(hours=2_160 // steps)
        return rows_of(mock.world)


@pytest.mark.both_databases
def test_one_large_step_equals_ten_small_ones() -> None:
    """Ninety days at once leave every row as ten steps of nine days do."""
    assert after_90_days(1) == after_90_days(10)


@pytest.mark.sqlite
def test_one_large_step_equals_2160_small_ones() -> None:
    """Ninety days at once leave every row as 2,160 hours one by one do."""
    assert after_90_days(1) == after_90_days(2_160)


def test_a_real_clock_can_be_advanced(real: Control, machine: Machine) -> None:
    """A real clock keeps what it was advanced by, and runs on."""
    assert real.post("clock/advance", by="P1D")[0] == 200
    machine.now += 5
    _, shown = real.get("clock")
    assert (shown["now"], shown["mode"]) == ("2026-03-03T00:00:00.005Z", "real")


@pytest.mark.parametrize("path", ["clock/advance", "clock/freeze"])
def test_a_real_clock_goes_back_no_more_than_a_frozen_one(
    real: Control, machine: Machine, path: str
) -> None:
    """A time in the past is 409 on a real clock too, and the clock goes on running."""
    machine.now += DAY
    body = {"to" if path.endswith("advance") else "at": START}
    assert real.post(path, **body) == (409, "CLOCK_NEVER_GOES_BACK")
    assert real.get("clock")[1]["mode"] == "real"


@pytest.mark.parametrize(
    ("at", "shows"),
    [(None, START), (START, START), ("2026-04-01T00:00:00Z", "2026-04-01T00:00:00.000Z")],
)
def test_a_real_clock_is_frozen_at_the_time_asked_for(
    real: Control, machine: Machine, at: str | None, shows: str
) -> None:
    """Freezing stops the clock now or exactly at a later time, however long that takes."""
    _, frozen = real.post("clock/freeze", **({} if at is None else {"at": at}))
    machine.now += DAY
    assert (frozen["now"], frozen["mode"]) == (shows, "frozen")
    assert real.get("clock")[1]["now"] == shows


def test_freezing_at_a_later_time_does_what_falls_due(mock: MockServer, control: Control) -> None:
    """On the way to where it is frozen the clock leaves nothing out."""
    sold(mock)
    control.post("clock/freeze", at="2026-03-20T00:00:00Z")
    assert len(list(mock.events(kind="batch.settled"))) == 1


def test_a_clock_that_is_resumed_runs_on(real: Control, machine: Machine) -> None:
    """Resuming goes on from the time shown."""
    real.post("clock/freeze")
    machine.now += DAY
    _, resumed = real.post("clock/resume")
    machine.now += 5
    assert (resumed["now"], resumed["mode"]) == (START, "real")
    assert real.get("clock")[1]["now"] == to_text(from_text(START) + 5)


def test_the_signatures_time_is_chosen_with_freeze(mock: MockServer, control: Control) -> None:
    """``sign_with_clock`` of freeze is kept until it is said otherwise."""
    control.post("clock/freeze", sign_with_clock=True)
    control.post("clock/freeze")
    assert mock.world.state().sign_with_clock
    control.post("clock/freeze", sign_with_clock=False)
    assert not mock.world.state().sign_with_clock
