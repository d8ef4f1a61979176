"""The commands that drive a running server: what they do, print, and end with."""

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from settlekit import AuthenticationError
from settlekit_mock import MockServer
from settlekit_mock.cli import main
from tests.settlekit_mock.cli.serving import PATIENCE_SECONDS, Finished, run

START = "2026-03-02T00:00:00.000Z"
Command = Callable[..., Finished]


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """A mock whose clock is frozen."""
    with MockServer(freeze_at=START) as made:
        yield made


@pytest.fixture
def url(mock: MockServer) -> Iterator[str]:
    """The mock's address on a socket."""
    with mock.serve() as server:
        yield server.url


@pytest.fixture
def command(url: str, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command against the mock, in this process."""

    def call(*arguments: str) -> Finished:
        return local(capsys, *arguments, "--url", url)

    return call


def local(capsys: pytest.CaptureFixture[str], *arguments: str) -> Finished:
    try:
        status = main(arguments)
    except SystemExit as wrong:  # how argparse ends a wrong call
        status = wrong.code if isinstance(wrong.code, int) else 0
    said = capsys.readouterr()
    return Finished(status, said.out, said.err)


# -- clock -------------------------------------------------------------------------------


def test_clock_shows_the_time(command: Command) -> None:
    """Without an action the clock is shown: as text, and as JSON."""
    assert command("clock").out == f"now={START}  mode=frozen  next_due_at=-\n"
    shown = {"now": START, "mode": "frozen", "next_due_at": None}
    assert command("clock", "--json").answers == [shown]
    assert command("clock", "show", "--json").answers == [shown]


@pytest.mark.parametrize(
    ("way", "arrived"),
    [
        (["P7D"], "2026-03-09T00:00:00.000Z"),
        (["PT1H30M"], "2026-03-02T01:30:00.000Z"),
        (["90"], "2026-03-02T00:01:30.000Z"),
        (["0.5"], "2026-03-02T00:00:00.500Z"),
        (["--to", "2026-03-04T00:00:00Z"], "2026-03-04T00:00:00.000Z"),
        (["1d"], "2026-03-03T00:00:00.000Z"),
        (["1w2d"], "2026-03-11T00:00:00.000Z"),
        (["2h"], "2026-03-02T02:00:00.000Z"),
        (["90m"], "2026-03-02T01:30:00.000Z"),
        (["1d30s"], "2026-03-03T00:00:30.000Z"),
    ],
    ids=str,
)
def test_clock_advances(command: Command, mock: MockServer, way: list[str], arrived: str) -> None:
    """By a duration, written out or short, by seconds, or to a time."""
    (answer,) = command("clock", "advance", *way, "--json").answers
    assert (answer["from"], answer["to"]) == (START, arrived)
    assert mock.clock.read().now == arrived


def test_an_advance_tells_what_happened(command: Command) -> None:
    """As text each entry has its line, and the last line says where the clock is."""
    command("usage", "--amount-minor", "100", "--count", "3")
    told = command("clock", "advance", "--until", "batch.settled").out.splitlines()
    assert any(" debit.submitted " in line for line in told)
    assert " batch.settled " in "".join(told)
    assert told[-1].startswith(f"from={START}  to=2026-03-")
    assert "reached=True" in told[-1]


def test_freezing_chooses_the_signatures_time(command: Command, mock: MockServer) -> None:
    """``--sign-with-clock`` is on or off, and stays as it was where nothing is said."""
    for chosen, signs in ((["on"], True), ([], True), (["off"], False), ([], False)):
        options = [f"--sign-with-clock={word}" for word in chosen]
        assert command("clock", "freeze", *options).status == 0
        assert mock.world.state().sign_with_clock is signs


def test_what_is_not_reached_is_a_finding(command: Command, mock: MockServer) -> None:
    """An advance until something that doesn't come is answered, and ends with 1."""
    waited = command("clock", "advance", "--until", "batch.settled", "--limit", "7d", "--json")
    assert (waited.status, waited.answers[0]["reached"]) == (1, False)
    assert mock.clock.read().now == "2026-03-09T00:00:00.000Z"
    assert command("clock", "advance", "--until", "next").status == 1
    mistyped = command("clock", "advance", "--until", "batch.setled")
    assert (mistyped.status, "did you mean batch.settled?" in mistyped.err) == (1, True)


def test_the_default_limit_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The help says how far --until looks."""
    assert "default: P400D" in local(capsys, "clock", "--help").out


def test_clock_freezes_and_resumes(command: Command) -> None:
    """Resumed, the clock is real; frozen, it stands, at a later time if one is given."""
    assert command("clock", "resume", "--json").answers[0]["mode"] == "real"
    assert command("clock", "freeze", "--json").answers[0]["mode"] == "frozen"
    (answer,) = command("clock", "freeze", "2026-05-01T00:00:00Z", "--json").answers
    assert answer["now"] == "2026-05-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("unsaid", "example"),
    [
        (["simulate"], "settlekit-mock simulate debit-failure --reason"),
        (["clock", "advance"], "give a duration such as 7d, or --to"),
    ],
)
def test_what_was_left_unsaid_is_shown_by_an_example(
    capsys: pytest.CaptureFixture[str], unsaid: list[str], example: str
) -> None:
    """One line says what to give, and how that looks."""
    (line,) = local(capsys, *unsaid).error_lines
    assert example in line


@pytest.mark.parametrize(
    "wrong",
    [
        ["clock", "advance"],
        ["clock", "advance", "tomorrow"],
        ["clock", "advance", "P1M"],
        ["clock", "advance", "1h1d"],
        ["clock", "advance", "1.5h"],
        ["clock", "advance", "1D"],
        ["clock", "advance", ""],
        ["clock", "advance", "P1D", "--to", "2026-03-04T00:00:00Z"],
        ["clock", "advance", "P1D", "--limit", "P1D"],
        ["clock", "advance", "--to", "noon"],
        ["clock", "advance", "--until", "next", "--limit", "long"],
        ["clock", "show", "P1D"],
        ["clock", "resume", "now"],
        ["clock", "freeze", "noon"],
        ["clock", "freeze", "--to", "2026-03-04T00:00:00Z"],
        ["clock", "freeze", "--sign-with-clock", "maybe"],
        ["clock", "show", "--sign-with-clock", "on"],
        ["clock", "backwards"],
        ["usage"],
        ["usage", "--amount-minor", "1.5"],
        ["usage", "--amount-minor", "100", "--currency", "EUR"],
        ["usage", "--amount-minor", "100", "--over", "a while"],
        ["buyers", "show"],
        ["buyers", "create", "b", "--set", "timezone"],
        ["buyers", "create", "b", "--set", "colour=red"],
        ["buyers", "list", "--set", "timezone=UTC"],
        ["serve", "--port=--"],
        ["usage", "--amount-minor=--"],
        ["buyers", "create", "b", "--set=--"],
        ["simulate"],
        ["simulate", "ledger-mismatch", "--amount", "1"],
        ["simulate", "ledger-mismatch", "--wallet", "wal_1"],
        ["checkout"],
        ["checkout", "pay", "chk_1"],
        ["checkout", "cancel"],
        ["merchants", "create"],
        ["merchants", "update", "shop", "--set", "merchant=other"],
        ["events", "--after", "x"],
        ["events", "--last", "2", "--follow"],
        ["notices", "--kind", "final_debit_notice"],
        ["reset", "everything"],
        ["nonsense"],
        [],
    ],
    ids=" ".join,
)
def test_a_wrong_command_is_refused(capsys: pytest.CaptureFixture[str], wrong: list[str]) -> None:
    """A command that can't be meant ends with 2 and says why, before any server is asked."""
    ended = local(capsys, *wrong)
    assert (ended.status, ended.out) == (2, "")
    assert ended.error_lines[-1].startswith("settlekit-mock")
    assert "no mock server" not in ended.err
    assert "Traceback" not in ended.err


# -- usage, actors, journal, reset -------------------------------------------------------


def test_usage_is_made(command: Command, mock: MockServer) -> None:
    """A buyer pays as often as asked, and the clock moves along with --over."""
    mock.buyers.create(buyer_id="alice")
    (answer,) = command(
        *("usage", "--buyer", "alice", "--merchant", "sandbox_merchant", "--amount-minor", "30"),
        *("--currency", "USD", "--count", "12", "--over", "P1D", "--json"),
    ).answers
    assert (answer["accepted"], answer["refused"]) == (12, {})
    assert mock.clock.read().now == "2026-03-03T00:00:00.000Z"
    accepted = list(mock.events(kind="payment.accepted"))
    assert [entry.data["buyer"] for entry in accepted] == ["alice"] * 12


def test_usage_is_labelled_and_told_of(command: Command, mock: MockServer) -> None:
    """Labels and webhooks are options too."""
    inbox = mock.webhooks.collect()
    labels = ("--listing-id", "l1", "--capability-key", "c1", "--operation-key", "o1")
    command("usage", "--amount-minor", "100", "--count", "2", "--webhooks", *labels)
    assert [event.data["listing_id"] for event in inbox.events] == ["l1", "l1"]
    assert [event.data["capability_key"] for event in inbox.events] == ["c1", "c1"]
    assert [event.data["operation_key"] for event in inbox.events] == ["o1", "o1"]


def test_refused_usage_is_told(command: Command) -> None:
    """What doesn't fit the budget is counted by its code, not an error."""
    command("buyers", "update", "sandbox_buyer", "--set", 'balances={"JPYC": "250"}')
    ended = command("usage", "--amount-minor", "100", "--count", "5")
    assert ended.status == 0
    assert 'accepted=2  refused={"BUDGET_EXCEEDED":3}' in ended.out


@pytest.mark.parametrize(
    ("move", "reached"),
    [("authenticate", "authenticated"), ("cancel", "cancelled"), ("fail", "failed")],
)
def test_checkout_sessions_are_moved(
    command: Command, mock: MockServer, move: str, reached: str
) -> None:
    """A session is signed in to, cancelled or failed; where it is over the command ends with 1."""
    session_id = (
        mock.client()
        .checkout_sessions.create(
            merchant="sandbox_merchant",
            amount_minor=1200,
            currency="JPY",
            nonce="order-1",
            success_url="http://localhost:3000/done",
            cancel_url="http://localhost:3000/cart",
        )
        .session_id
    )
    (moved,) = command("checkout", move, session_id, "--buyer", "sandbox_buyer", "--json").answers
    assert (moved["session_id"], moved["status"]) == (session_id, reached)
    mock.clock.advance(minutes=30)
    assert command("checkout", move, session_id).status == 1


def test_a_ledger_mismatch_is_simulated(command: Command, mock: MockServer) -> None:
    """A misstated wallet makes the check a finding."""
    mock.usage("sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY")
    settled = mock.clock.advance(until="batch.settled")
    assert settled.reached
    query = "SELECT account_id FROM ledger_accounts WHERE owner_scope = 'developer'"
    with mock.world.snapshot() as connection:
        wallet_id: str = connection.exec_driver_sql(query).scalar_one()
    asked = ("simulate", "ledger-mismatch", "--wallet", wallet_id, "--amount", "2.5", "--json")
    assert command("check").status == 0
    assert command(*asked).answers[0]["delta"] == "2.50000000"
    assert command("check").status == 1


def test_buyers_are_managed(command: Command) -> None:
    """Buyers are made, shown, changed and listed; values are JSON or text."""
    made = command(
        *("buyers", "create", "alice", "--set", "timezone=Asia/Tokyo", "--json"),
        *("--set", 'weekly_slot={"weekday": 0, "hour": 9, "minute": 30}'),
        *("--set", 'balances={"JPYC": "500"}', "--set", "token=tok_alice"),
    )
    (alice,) = made.answers
    assert (alice["buyer_id"], alice["token"]) == ("alice", "tok_alice")
    assert (alice["timezone"], alice["balances"]["JPYC"]) == ("Asia/Tokyo", "500")
    assert alice["weekly_slot"] == {"weekday": 0, "hour": 9, "minute": 30}
    assert command("buyers", "show", "alice", "--json").answers == [alice]
    (changed,) = command(
        "buyers", "update", "alice", "--set", "vault_active=false", "--json"
    ).answers
    assert changed == {**alice, "vault_active": False}
    listed = command("buyers", "--json").answers
    assert [buyer["buyer_id"] for buyer in listed] == ["sandbox_buyer", "alice"]
    drawn = command("buyers", "create", "--json").answers[0]["buyer_id"]
    heading, *rows = command("buyers", "list").out.splitlines()
    assert heading.split() == ["buyer", "token", "time", "zone", "JPYC", "USDC", "vault"]
    assert [row.split()[0] for row in rows] == ["sandbox_buyer", "alice", drawn]
    assert rows[1].split()[1:] == ["tok_alice", "Asia/Tokyo", "500", "1000000", "False"]


def test_merchants_are_managed(command: Command) -> None:
    """Merchants are made, shown, changed and listed, secrets included."""
    (shop,) = command(
        *("merchants", "create", "corner_shop", "--set", "billing_plan=growth", "--json"),
        *("--set", "webhook_url=https://shop.example/webhooks"),
        *("--set", 'allowed_currencies=["USD"]', "--set", "billing_currency=USD"),
    ).answers
    assert shop["merchant_account"]["billing_plan"] == "growth"
    assert shop["webhook_url"] == "https://shop.example/webhooks"
    assert command("merchants", "show", "corner_shop", "--json").answers == [shop]
    command("merchants", "update", "corner_shop", "--set", "hosted_checkout=off")
    listed = command("merchants", "--json").answers
    assert [(one["merchant"], one["hosted_checkout"]) for one in listed] == [
        ("sandbox_merchant", "on"),
        ("corner_shop", "off"),
    ]
    assert command("merchants").out.splitlines()[-1].split()[::2] == [
        "corner_shop",
        listed[1]["listing_id"],
        "active",
        "https://shop.example/webhooks",
    ]


def test_tokens_are_made(command: Command, mock: MockServer) -> None:
    """A token for a buyer opens the buyer's statements, until it expires."""
    made = command("tokens", "buyer", "sandbox_buyer").out.strip()
    with mock.client(token=made) as client:
        assert client.buyer_statements.summary().open_periods == ()
    later = ("--expires-at", "2026-03-03T00:00:00Z", "--json")
    (answer,) = command("tokens", "buyer", "sandbox_buyer", *later).answers
    mock.clock.advance(days=2)
    with mock.client(token=answer["token"]) as client, pytest.raises(AuthenticationError):
        client.buyer_statements.summary()


def test_the_journal_is_printed(command: Command, mock: MockServer) -> None:
    """All of it, or what is asked for, a line each, as text and as JSON."""
    command("usage", "--amount-minor", "100", "--count", "3")
    whole = command("events", "--json").answers
    assert [entry["seq"] for entry in whole] == [entry.seq for entry in mock.events()]
    accepted = command("events", "--kind", "payment.accepted").out.splitlines()
    assert len(accepted) == 3
    assert all(line.startswith(f"{START}  payment.accepted ") for line in accepted)
    subject = accepted[1].split()[2]
    (one,) = command("events", "--subject", subject, "--json").answers
    assert one["data"]["amount_minor"] == "100"
    assert command("events", "--after", str(whole[-1]["seq"])).out == ""
    assert command("events", "--last", "2", "--json").answers == whole[-2:]
    assert [entry.seq for entry in mock.events(last=2, kind="buyer.created")] == [
        entry["seq"] for entry in whole if entry["kind"] == "buyer.created"
    ][-2:]


def test_reset_begins_again(command: Command, mock: MockServer) -> None:
    """After a reset nothing is left of what was."""
    command("buyers", "create", "alice")
    command("clock", "advance", "P7D")
    assert command("reset", "--json").answers[0]["now"] == START
    assert [buyer.buyer_id for buyer in mock.buyers.all()] == ["sandbox_buyer"]


# -- when it can't -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (["clock", "advance", "--to", "2026-01-01T00:00:00Z"], "409 CLOCK_NEVER_GOES_BACK"),
        (["usage", "--amount-minor", "100", "--buyer", "nobody"], "404 "),
        (["usage", "--amount-minor", "100", "--merchant", "nobody"], "404 "),
        (["usage", "--amount-minor", "0"], "422 INVALID_REQUEST: amount_minor"),
        (["usage", "--amount-minor", "100", "--count", "0"], "422 INVALID_REQUEST: count"),
        (["buyers", "show", "nobody"], "404 BUYER_NOT_FOUND"),
        (["buyers", "create", "sandbox_buyer"], "409 BUYER_EXISTS"),
        (["buyers", "update", "sandbox_buyer", "--set", "colour=red"], "422 INVALID_REQUEST"),
        (["merchants", "create", "sandbox_merchant"], "409 MERCHANT_EXISTS"),
        (["merchants", "show", "no/body"], "404 "),
        (["events", "--after", "-1"], "422 INVALID_REQUEST: after"),
        (["events", "--last", "0"], "422 INVALID_REQUEST: limit"),
    ],
    ids=str,
)
def test_a_refused_call_is_a_finding(command: Command, refused: list[str], said: str) -> None:
    """What the server refuses ends with 1 and its status, code and message in one line."""
    ended = command(*refused)
    assert (ended.status, ended.out) == (1, "")
    (line,) = ended.error_lines
    assert line.startswith(f"settlekit-mock: {said}")


def test_a_server_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing listens, the command says so, and how to start a server."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    ended = local(capsys, "clock", "--url", url)
    assert (ended.status, ended.out) == (2, "")
    (line,) = ended.error_lines
    assert line.startswith(f"settlekit-mock: no mock server at {url} (")
    assert line.endswith("start one with settlekit-mock serve, or give --url")


@pytest.mark.parametrize("address", ["localhost:8787", "", "http://", "nonsense"])
def test_an_address_that_is_none_is_refused(
    capsys: pytest.CaptureFixture[str], address: str
) -> None:
    """An address without scheme or host is refused in one line."""
    ended = local(capsys, "clock", f"--url={address}")
    assert (ended.status, len(ended.error_lines)) == (2, 1)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>hello</html>"),
        (404, b"nope"),
        (200, b'{"data": {}}'),
        (500, b"[]"),
        (302, b""),
    ],
)
def test_another_server_is_no_mock(
    capsys: pytest.CaptureFixture[str], status: int, body: bytes
) -> None:
    """A server that isn't a mock, whatever it answers, is told from one."""

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        answering = Thread(target=other.handle_request)
        answering.start()
        ended = local(capsys, "clock", "--url", f"http://127.0.0.1:{other.server_port}")
        answering.join(PATIENCE_SECONDS)
    assert (ended.status, ended.out) == (2, "")
    (line,) = ended.error_lines
    assert "no mock server at " in line


def test_a_control_token_is_needed_where_one_is_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the token 1; with it, as option or variable, 0; one that can't be sent is 2."""
    with MockServer(control_token="hush") as mock, mock.serve() as server:
        there = ("clock", "--url", server.url)
        refused = local(capsys, *there)
        assert (refused.status, "401 " in refused.err, "hush" in refused.err) == (1, True, False)
        assert local(capsys, *there, "--control-token", "hush").status == 0
        assert local(capsys, *there, "--control-token", "gehëim").status == 2
        monkeypatch.setenv("SETTLEKIT_MOCK_CONTROL_TOKEN", "hush")
        monkeypatch.setenv("SETTLEKIT_MOCK_URL", server.url)
        assert local(capsys, "clock").status == 0


def test_no_proxy_comes_between(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment isn't asked for a server on this machine."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert command("clock").status == 0


def test_the_command_is_installed(url: str) -> None:
    """Run as a process of its own, a command does the same, and its status is the process's."""
    assert run("clock", "--url", url, "--json").answers[0]["now"] == START
    assert run("buyers", "show", "nobody", "--url", url).status == 1
