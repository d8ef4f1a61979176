"""The commands that show the whole: tables for people, JSON for programs."""

import json
from collections.abc import Callable, Iterator

import pytest

from settlekit_mock import MockServer
from tests.settlekit_mock.cli.serving import Finished
from tests.settlekit_mock.cli.test_commands import START, local

Command = Callable[..., Finished]


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """A mock with a batch that settled at the second attempt, and an open period."""
    with MockServer(freeze_at=START) as made:
        made.webhooks.collect()
        made.simulate.debit_failure()
        made.usage("sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY")
        made.clock.advance(until="batch.settled")
        made.usage("sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY")
        made.clock.advance(seconds=1)
        yield made


@pytest.fixture
def command(mock: MockServer, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    with mock.serve() as server:
        yield lambda *arguments: local(capsys, *arguments, "--url", server.url)


def test_batches_are_listed_and_shown(command: Command, mock: MockServer) -> None:
    """The list has a row for each batch, and one that is named is shown whole."""
    (batch,) = mock.batches.all()
    heading, row = command("batches", "--status", "settled").out.splitlines()
    assert heading.split()[:4] == ["batch", "closed", "buyer", "provider"]
    assert row.split()[0] == batch.settlement_batch_id
    (shown,) = command("batches", "show", batch.settlement_batch_id, "--json").answers
    assert [one["outcome"] for one in shown["attempts"]] == ["failed", "succeeded"]
    assert command("batches", "--json", "--buyer", "sandbox_buyer").answers == [shown]
    assert command("batches", "--json", "--currency", "USD").answers == []


def test_periods_are_listed(command: Command, mock: MockServer) -> None:
    """An open period is a row, and one of another currency is none."""
    (period,) = mock.periods()
    assert command("periods").out.splitlines()[1].split()[0] == period.close_at
    (told,) = command("periods", "--merchant", "sandbox_merchant", "--json").answers
    assert told["period_id"] == period.period_id
    assert command("periods", "--currency", "USD", "--json").answers == []


def test_revenue_is_a_table_or_one_value(command: Command, mock: MockServer) -> None:
    """A line for each step; with ``--json`` one answer that says which step it is."""
    points = mock.revenue(by="day").points
    told = command("revenue", "--by", "day").out.splitlines()
    assert len(told) == len(points) + 1
    assert told[-1].split() == [points[-1].at, "0", "0", "98", "0", "0", "0"]
    (whole,) = command("revenue", "--json").answers
    assert (whole["by"], whole["currency"]) == ("hour", "JPY")


def test_flow_is_a_table_or_one_value(command: Command) -> None:
    """A line for each link; with ``--json`` one answer."""
    told = [line.split() for line in command("flow").out.splitlines()]
    assert ["wallets", "held", "98"] in told
    (whole,) = command("flow", "--currency", "JPY", "--json").answers
    assert [list(link.values()) for link in whole["links"]] == told[1:]


def test_deliveries_are_listed_and_sent_again(command: Command, mock: MockServer) -> None:
    """What a batch told is listed, with its text for programs, and delivered again by its id."""
    first = mock.deliveries.all()[-1]
    assert first.id in command("deliveries", "--status", "delivered").out
    found = command("deliveries", "--json", "--event-type", first.event_type).answers
    assert json.loads(found[-1]["body"])["id"] == first.event_id
    (again,) = command("deliveries", "redeliver", first.id, "--json").answers
    assert (again["event_id"], again["body"]) == (first.event_id, first.body)
    assert mock.deliveries.all(limit=1)[0].id == again["id"] != first.id


def test_accounts_and_their_entries_are_listed(command: Command, mock: MockServer) -> None:
    """Accounts by kind and owner, and the entries of one."""
    (wallet,) = [one for one in mock.accounts.all(kind="wallet") if one.balance == "98.00000000"]
    shown = command("accounts", "--kind", "wallet", "--owner", wallet.owner_id).out
    assert shown.splitlines()[1].split()[0] == wallet.account_id
    (entry,) = command("accounts", "entries", wallet.account_id, "--json").answers
    assert (entry["reason"], entry["balance_after"]) == ("batch_settled", wallet.balance)
    assert "batch_settled" in command("accounts", "entries", wallet.account_id).out


@pytest.mark.parametrize(
    ("unsaid", "status", "complaint"),
    [
        (["batches", "show"], 2, "batches show: say which one, by its id"),
        (["deliveries", "redeliver"], 2, "settlekit-mock deliveries lists them"),
        (["accounts", "entries"], 2, "accounts entries: say which one"),
        (["batches", "list", "msb_x"], 2, "batches list takes no id"),
        (["deliveries", "list", "x"], 2, "deliveries list takes no id"),
        (["accounts", "list", "x"], 2, "accounts list takes no id"),
        (["batches", "--buyer", "\udcff"], 2, "buyer: must be text in UTF-8"),
        (["deliveries", "redeliver", "\udcff"], 2, "key: must be text in UTF-8"),
        (["events", "--last", "2", "--after", "1"], 2, "give --last or --after, not both"),
        (["accounts", "entries", "wal_none"], 1, "404 ACCOUNT_NOT_FOUND"),
        (["batches", "--buyer", "nobody"], 1, "404 BUYER_NOT_FOUND"),
        (["batches", "--limit", "0"], 1, "limit must be a whole number of at least 1"),
        (["revenue", "--by", "year"], 2, "invalid choice: 'year'"),
    ],
)
def test_what_is_wrong_is_said(
    command: Command, unsaid: list[str], status: int, complaint: str
) -> None:
    """What was left out, isn't there or isn't allowed is said in one line."""
    refused = command(*unsaid)
    assert (refused.status, complaint in refused.err) == (status, True)
