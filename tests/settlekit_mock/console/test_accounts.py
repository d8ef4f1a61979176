"""The ledger's accounts and their entries."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.ledger.tables import ACCOUNTS
from tests.settlekit_mock.console.conftest import Eventful


def test_accounts_are_the_ledgers(town: Eventful) -> None:
    """Every account is there, oldest first, with its balance; together they hold nothing."""
    found = town.walk("accounts", limit=4)
    with town.mock.world.snapshot() as connection:
        rows = connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.account_number)).all()
    assert [one["account_id"] for one in found] == [row.account_id for row in rows]
    assert [Decimal(one["balance"]) * MAJOR for one in found] == [row.balance for row in rows]
    assert {one["kind"] for one in found} == {"wallet", "chain", "clearing", "outside"}
    for currency in ("JPY", "USD"):
        held = [Decimal(one["balance"]) for one in found if one["currency"] == currency]
        assert sum(held) == 0 < len(held)
    assert all((one["owner_scope"] is None) == (one["kind"] != "wallet") for one in found)


@pytest.mark.parametrize(
    ("asked", "field"), [("kind", "kind"), ("owner", "owner_id"), ("currency", "currency")]
)
def test_accounts_are_narrowed(town: Eventful, asked: str, field: str) -> None:
    """A filter leaves the accounts that are so, in the same order."""
    whole = town.walk("accounts")
    for value in {one[field] for one in whole}:
        wanted = [one for one in whole if one[field] == value]
        assert town.walk("accounts", limit=2, **{asked: value}) == wanted != whole
    assert town.walk("accounts", owner="nobody") == []


def test_entries_lead_to_the_balance(town: Eventful) -> None:
    """Newest first, each entry leaves what the one above begins with; the newest, the balance."""
    seen = 0
    for account in town.walk("accounts"):
        path = f"accounts/{account['account_id']}/entries"
        entries = town.walk(path, limit=3)
        seen += len(entries)
        left = [entry["balance_after"] for entry in entries]
        assert left[:1] == [account["balance"]]
        assert left[1:] == [entry["balance_before"] for entry in entries[:-1]]
        assert Decimal(entries[-1]["balance_before"]) == 0
        for entry in entries:
            moved = Decimal(entry["balance_after"]) - Decimal(entry["balance_before"])
            assert Decimal(entry["amount"]) == moved
    posted = list(town.mock.events(kind="ledger.posted"))
    assert seen == sum(len(entry.data["legs"]) for entry in posted)


def test_an_entry_says_why(town: Eventful) -> None:
    """Reason, subject and time are those of the posting; its metadata stays in the ledger."""
    (wallet, *_) = town.mock.accounts.all(kind="wallet", currency="JPY")
    entries = town.mock.accounts.entries(wallet, limit=5)
    assert entries == town.mock.accounts.entries(wallet.account_id)[:5]
    settled = next(entry for entry in entries if entry.reason == "batch_settled")
    batch = town.mock.batches.get(settled.subject)
    assert settled.at == batch.settled_at
    assert Decimal(settled.amount) == Decimal(batch.provider_receivable_minor)
    assert not hasattr(settled, "metadata")
