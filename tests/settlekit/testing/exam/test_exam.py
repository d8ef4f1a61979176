"""What the exam is given, what it leaves out, and how it tells what it found."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from attrs import evolve

from settlekit.cli.main import main
from settlekit.errors import InvalidArgument
from settlekit.testing.exam import CHECKS, Mark, Report, examine, must_pass
from settlekit.testing.exam.endpoint import AtUrl
from settlekit.testing.exam.schedules import schedules
from settlekit.testing.exam.sitting import Candidate, Sitting
from settlekit_mock.http.server import Server
from tests.settlekit.testing.exam.conftest import Run
from tests.settlekit.testing.exam.planted import DropsUnknown, TakesAnySize, TrustsEverything
from tests.settlekit.testing.exam.shop import SECRET, WEBHOOK, Shop

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

MEANS = ("unknown_kept", "metered_is_no_revenue", "batch_amount", "batch_once")
CALLABLES = ("restart", "crash_after_answer", "crash_in_handler", "redirect", "schedules")
REFUSALS = {
    "future",
    "huge_body",
    "malformed_header",
    "missing_header",
    "non_utf8",
    "not_an_event",
    "not_json",
    "refusal_says_nothing",
    "reserialised",
    "stale",
    "tampered",
    "wrong_secret",
}
"""What an answer alone shows: that nothing was taken."""
SOCKET = ("sender_leaves", "slow_sender")


def test_answers_alone_are_graded_without_means(run: Run) -> None:
    """Without callables only answers are graded; what they can't show is named, not passed."""
    report = examine(run(Shop), secret=SECRET, path=WEBHOOK)

    assert report.passed
    seen = {mark.check.name: mark.seen for mark in report.not_examined}
    assert {mark.check.name for mark in report.marks} - seen.keys() == REFUSALS
    assert seen["restart"] == "needs start_checkout=, probe=, restart="
    assert seen["duplicate"] == (
        "answered as it should; what it did shows with start_checkout= and probe= alone"
    )
    assert {*MEANS, *CALLABLES, *SOCKET} <= seen.keys()


def test_a_helper_for_tests_says_what_to_mend(run: Run) -> None:
    """In a test the exam raises AssertionError with what was seen, why it matters, and the fix."""
    with pytest.raises(AssertionError, match=r"huge_body: (?s:.*)why: (?s:.*)fix: ") as raised:
        must_pass(run(TakesAnySize), secret=SECRET, path=WEBHOOK, only=["valid", "huge_body"])

    assert "2 checks, 1 failed" in str(raised.value)


def test_the_shortest_schedule_is_shown(run: Run) -> None:
    """Schedules are tried shortest first, each event dropped, told once or twice."""
    tried = list(schedules())

    assert [len(schedule) for schedule in tried] == sorted(map(len, tried))
    assert ("spent", "confirmed") in tried
    assert ("confirmed", "confirmed", "spent") in tried
    assert len(tried) == len(set(tried))


def test_a_probe_that_tells_ids_is_refused(run: Run) -> None:
    """A probe that answers two like orders differently can't be compared: it says so."""
    running = run(Shop)

    with pytest.raises(InvalidArgument, match="leave ids and times out"):
        examine(
            running,
            secret=SECRET,
            path=WEBHOOK,
            start_checkout=running.start_checkout,
            probe=lambda key: {"key": key},
            only=["stale"],
        )


def test_an_order_that_lacks_something_is_refused(run: Run) -> None:
    """What start_checkout must tell and doesn't is named."""
    with pytest.raises(InvalidArgument, match="amount_minor, challenge_hash, currency, merchant"):
        examine(run(Shop), secret=SECRET, start_checkout=lambda: {"key": "1"}, only=["valid"])


def test_an_order_without_an_amount_is_refused(run: Run) -> None:
    """An order whose amount is null, as a fresh session's is, is refused by its name."""
    order = {
        "key": "1",
        "challenge_hash": "sha256:1",
        "amount_minor": None,
        "currency": "JPY",
        "merchant": "mine",
    }
    with pytest.raises(InvalidArgument, match="amount_minor as an integer, not None"):
        examine(run(Shop), secret=SECRET, start_checkout=lambda: order, only=["valid"])
    unclear = order | {"amount_minor": 1, "currency": None}
    with pytest.raises(InvalidArgument, match="currency as text, not None"):
        examine(run(Shop), secret=SECRET, start_checkout=lambda: unclear, only=["valid"])


def waits(_environ: object, start_response: "StartResponse") -> list[bytes]:
    """Answer that the order isn't known yet."""
    start_response("503 Service Unavailable", [("Content-Length", "0")])
    return []


def test_a_shop_that_waits_for_its_order_is_told_that_the_order_is_made_up() -> None:
    """Who answers 503 to orders unknown to the shop learns that start_checkout opens known ones."""
    marks = examine(waits, secret=SECRET, only=["valid", "other_order"]).marks
    assert [("made up" in mark.seen) for mark in marks] == [True, False]


KEYWORDS = ("start_checkout=", "probe=", "restart=")
OPTIONS = ("--start-checkout", "--probe", "--restart")


def test_what_is_missing_is_named_as_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    """In Python means are keywords, on the shell options; neither is told in the other's words."""
    only = ["valid", "restart", "batch_once", "crash_in_handler"]
    in_python = str(examine(waits, secret=SECRET, only=only).to_dict())
    with Server(waits) as server:
        main(["webhooks", "exam", server.url, "--secret", SECRET, "--only", ",".join(only)])
    on_the_shell = capsys.readouterr().out

    assert all(word in in_python for word in KEYWORDS)
    assert not any(word in in_python for word in OPTIONS)
    assert all(word in on_the_shell for word in OPTIONS)
    assert not any(word in on_the_shell for word in KEYWORDS)


def test_a_success_page_that_isnt_there_isnt_examined(run: Run, unused_port: int) -> None:
    """Where the success page doesn't answer, nothing is known of it: it isn't failed."""
    running = run(Shop)
    nowhere = f"http://127.0.0.1:{unused_port}/ok"

    with Server(running) as server:
        report = examine(
            server.url + WEBHOOK,
            secret=SECRET,
            start_checkout=lambda: evolve(running.start_checkout(), success_url=nowhere),
            probe=running.probe,
            only=["redirect"],
        )
    assert [
        mark.seen.startswith(f"needs a success_url that answers: {nowhere}")
        for mark in report.not_examined
    ] == [True]


def test_a_success_page_without_an_address_isnt_examined(run: Run) -> None:
    """What can't be visited is named: nothing is known of it, and nothing breaks."""
    running = run(Shop)
    with Server(running) as server:
        report = examine(
            server.url + WEBHOOK,
            secret=SECRET,
            start_checkout=lambda: evolve(running.start_checkout(), success_url="http://[::1"),
            probe=running.probe,
            only=["redirect"],
        )
    assert [mark.seen for mark in report.not_examined] == [
        "needs a success_url that is a URL, not 'http://[::1'"
    ]


def test_an_unknown_check_is_refused(run: Run) -> None:
    """A check that doesn't exist is refused with the names of those that do."""
    with pytest.raises(InvalidArgument, match=r"no check 'vaild'; there are .*valid"):
        examine(run(Shop), secret=SECRET, only=["vaild"])


def test_an_endpoint_that_isnt_there_fails(unused_port: int) -> None:
    """Where nothing listens every check fails that needs an answer, and says so."""
    report = examine(f"http://127.0.0.1:{unused_port}/", secret=SECRET, only=["valid", "stale"])

    assert [mark.seen.startswith(("a settled", "a signature")) for mark in report.failed] == [
        True,
        True,
    ]
    assert "no answer" in report.failed[0].seen


@pytest.fixture
def unused_port() -> int:
    with Server(Shop) as server:
        return server.port


def test_every_check_says_why_and_how_to_fix_it() -> None:
    """Names are unique, and each check has a title, a reason and a remedy."""
    names = [check.name for check in CHECKS]

    assert len(set(names)) == len(names)
    assert all(check.title and check.why and check.fix for check in CHECKS)


def test_marks_are_told_as_they_are_given(run: Run) -> None:
    """Whoever waits hears of each mark, in order."""
    heard: list[Mark] = []
    only = ["stale", "valid", "future"]
    report = examine(run(Shop), secret=SECRET, path=WEBHOOK, only=only, told=heard.append)

    assert heard == report.marks
    assert [mark.check.name for mark in heard] == ["valid", "stale", "future"]


def test_junit_is_well_formed_whatever_was_seen(run: Run) -> None:
    """A report for build servers has a case for each check, failures and skips marked."""
    running = run(DropsUnknown)
    report = examine(
        running,
        secret=SECRET,
        path=WEBHOOK,
        start_checkout=running.start_checkout,
        probe=running.probe,
        only=["valid", "unknown_kept", "restart"],
    )
    odd = [Mark(mark.check, mark.verdict, mark.seen + "\x00<&\x1b") for mark in report.marks]
    suite = ET.fromstring(Report(odd).to_junit())

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    cases = {case.get("name"): case for case in suite}
    assert cases["unknown_kept"].find("failure") is not None
    assert cases["restart"].find("skipped") is not None


def test_the_command_prints_a_table_and_fails(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The command grades an endpoint at a URL, writes JUnit's XML, and exits 1 on a failure."""
    junit = tmp_path / "exam.xml"
    with Server(run(TrustsEverything)) as server:
        url = server.url + WEBHOOK
        options = ["--secret", SECRET, "--only", "valid,stale", "--junit", str(junit)]
        code = main(["webhooks", "exam", url, *options])
    printed = capsys.readouterr().out

    assert code == 1
    assert "FAIL" in printed
    assert "2 checks, 1 failed, 1 not examined" in printed
    assert SECRET not in printed
    assert ET.parse(junit).getroot().get("failures") == "1"


def test_the_command_prints_json(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command reads its secret from the environment and prints JSON for programs."""
    monkeypatch.setenv("SIGLUME_WEBHOOK_SECRET", SECRET)
    with Server(run(Shop)) as server:
        code = main(["webhooks", "exam", server.url + WEBHOOK, "--only", "stale", "--json"])
    told = json.loads(capsys.readouterr().out)

    assert code == 0
    assert told["passed"] == 1
    assert told["checks"][0]["name"] == "stale"


def test_the_command_drives_a_shop_by_urls(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """With URLs to open an order and to read it, effects are graded from the command line."""
    running = run(Shop)

    def with_test_routes(environ: dict[str, object], start_response: object) -> list[bytes]:
        path = str(environ["PATH_INFO"])
        if not path.startswith("/test/"):
            return list(running(environ, start_response))
        order = running.start_checkout() if path == "/test/order" else None
        found = running.probe(path.removeprefix("/test/state/") or None) if order is None else {
            "key": order.key,
            "challenge_hash": order.challenge_hash,
            "amount_minor": order.amount_minor,
            "currency": order.currency,
            "merchant": order.merchant,
        }  # fmt: skip
        body = json.dumps(found).encode()
        assert callable(start_response)
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    with Server(with_test_routes) as server:
        means = [
            *("--start-checkout", f"{server.url}/test/order"),
            *("--probe", server.url + "/test/state/{order}"),
        ]
        names = "valid,duplicate,batch_once,unknown_kept,redirect"
        code = main(
            ["webhooks", "exam", server.url + WEBHOOK, "--secret", SECRET, "--only", names, *means]
        )
    printed = capsys.readouterr().out

    assert code == 0
    assert "5 checks, 0 failed, 1 not examined" in printed
    assert "needs --start-checkout to tell the order's success_url" in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ftp://localhost/"], "not a URL of an endpoint"),
        (["http://localhost/", "--probe", "http://localhost/x"], "--probe must have {order} in it"),
        (["http://[::1"], "not a URL of an endpoint"),
        (["http://localhost:99999/"], "not a URL of an endpoint"),
        (["http://localhost/", "--probe", "ftp://x/{order}"], "--probe must be an http or https"),
        (["http://localhost/", "--start-checkout", "orders"], "--start-checkout must be an http"),
        (["http://localhost/", "--restart", "'"], "--restart: No closing quotation"),
        (["http://localhost/", "--restart", " "], "--restart: names no command"),
        (["http://localhost/", "--only", "nothing"], "--only has no check 'nothing'"),
    ],
)
def test_a_wrong_call_says_what_to_do(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong call of the command ends with one line and exit code 2."""
    code = main(["webhooks", "exam", *arguments, "--secret", SECRET])

    assert code == 2
    assert told in capsys.readouterr().err


def test_means_that_fail_end_the_command_in_a_line(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkout that answers no JSON, and a restart that can't run, are said as wrong calls."""
    running = run(Shop)
    with Server(say("paid")) as page, Server(running) as server:
        command = ["webhooks", "exam", server.url + WEBHOOK, "--secret", SECRET, "--only"]
        assert main([*command, "valid", "--start-checkout", page.url]) == 2
        assert "--start-checkout must answer JSON at" in capsys.readouterr().err

    order = {"key": "1", "challenge_hash": "c", "amount_minor": 9, "currency": "JPY"}
    with Server(say(json.dumps(order | {"merchant": "m"}))) as page, Server(running) as server:
        command = ["webhooks", "exam", server.url + WEBHOOK, "--secret", SECRET, "--only"]
        means = ("--start-checkout", page.url, "--probe", page.url + "/{order}")
        assert main([*command, "restart", *means, "--restart", "/nowhere/restart"]) == 2
        assert "--restart: " in capsys.readouterr().err


def say(text: str) -> "WSGIApplication":
    """Return an application that answers this."""

    def application(_environ: object, start_response: "StartResponse") -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(len(text.encode())))])
        return [text.encode()]

    return application


def test_without_a_secret_the_command_says_where_it_goes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a secret the command says how to give one."""
    monkeypatch.delenv("SIGLUME_WEBHOOK_SECRET", raising=False)

    assert main(["webhooks", "exam", "http://localhost/"]) == 2
    assert "--secret" in capsys.readouterr().err


def test_an_endpoint_that_asks_for_time_is_given_it() -> None:
    """A delivery that is answered 503 with Retry-After comes again after so many seconds."""
    came: list[float] = []

    def busy_at_first(environ: dict[str, object], start_response: object) -> list[bytes]:
        came.append(time.monotonic())
        assert callable(start_response)
        status = "503 Busy" if len(came) == 1 else "204 Taken"
        start_response(status, [("Retry-After", "1"), ("Content-Length", "0")])
        return [b""]

    with Server(busy_at_first) as server:
        sitting = Sitting(Candidate(endpoint=AtUrl(server.url), secret=SECRET))
        answer = sitting.deliver({"id": "evt_1"})

    assert answer.accepted
    assert came[1] - came[0] >= 1
