"""Money moves in balanced transactions, or not at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError

from settlekit_mock.kernel.database import Database
from settlekit_mock.kernel.journal import entries
from settlekit_mock.kernel.money import LIMIT, MAJOR
from settlekit_mock.kernel.problems import Conflict, Invalid, PaymentRequired
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import Settings, World
from settlekit_mock.ledger.invariants import INVARIANTS
from settlekit_mock.ledger.service import (
    Account,
    Leg,
    balance,
    chain_account,
    clearing_account,
    find_wallet,
    outside,
    post,
    wallet,
    wallet_named,
)
from settlekit_mock.ledger.tables import ENTRIES, TRANSACTIONS

pytestmark = pytest.mark.both_databases


def developer(tx: Transaction, currency: str = "JPY") -> Account:
    return wallet(tx, owner_scope="developer", owner_id="usr_1", currency=currency)


def platform(tx: Transaction, currency: str = "JPY") -> Account:
    return wallet(tx, owner_scope="platform", owner_id="platform", currency=currency)


def funded(tx: Transaction, amount: int, currency: str = "JPY") -> Account:
    buyer = chain_account(tx, "buyer_1", currency)
    post(
        tx,
        "seed_opening_balance",
        [Leg(buyer, amount), Leg(outside(tx, currency), -amount)],
        subject="buyer_1",
    )
    return buyer


def ledger_rows(world: World) -> list[object]:
    with world.snapshot() as connection:
        return [
            *connection.execute(select(TRANSACTIONS)).all(),
            *connection.execute(select(ENTRIES)).all(),
        ]


def test_a_posting_moves_balances_and_keeps_what_they_were(world: World) -> None:
    """A posting of three legs moves three balances and writes each before and after."""
    with world.transaction() as tx:
        buyer = funded(tx, 500 * MAJOR)
        legs = [
            Leg(buyer, -100 * MAJOR),
            Leg(developer(tx), 98 * MAJOR),
            Leg(platform(tx), 2 * MAJOR),
        ]
        transaction_id = post(tx, "settlement", legs, subject="msb_1", metadata={"a": 1})
    with world.snapshot() as connection:
        row = connection.execute(
            select(TRANSACTIONS).where(TRANSACTIONS.c.transaction_id == transaction_id)
        ).one()
        lines = connection.execute(
            select(ENTRIES.c.amount, ENTRIES.c.balance_before, ENTRIES.c.balance_after)
            .where(ENTRIES.c.transaction_number == row.transaction_number)
            .order_by(ENTRIES.c.entry_number)
        ).all()
        held = [balance(connection, leg.account.number) for leg in legs]
    assert (row.reason, row.subject, row.metadata) == ("settlement", "msb_1", '{"a":1}')
    assert [tuple(line) for line in lines] == [
        (-100 * MAJOR, 500 * MAJOR, 400 * MAJOR),
        (98 * MAJOR, 0, 98 * MAJOR),
        (2 * MAJOR, 0, 2 * MAJOR),
    ]
    assert held == [400 * MAJOR, 98 * MAJOR, 2 * MAJOR]


def test_the_journal_tells_of_each_posting(world: World) -> None:
    """A posting's journal entry carries its reason, its accounts and amounts with eight places."""
    with world.transaction() as tx:
        buyer = funded(tx, 5 * MAJOR // 2)
        away = outside(tx, "JPY")
    with world.snapshot() as connection:
        (entry,) = entries(connection, kind="ledger.posted")
    assert entry.subject.startswith("ltx_")
    assert json.loads(entry.data) == {
        "reason": "seed_opening_balance",
        "legs": [
            {"account_id": buyer.account_id, "amount": "2.50000000"},
            {"account_id": away.account_id, "amount": "-2.50000000"},
        ],
    }


def test_an_account_is_opened_once(world: World) -> None:
    """Asked for again, an account is found, and every owner, kind and currency has its own."""
    with world.transaction() as tx:
        first = [
            developer(tx),
            developer(tx, "USD"),
            wallet(tx, owner_scope="end_user", owner_id="usr_1", currency="USD"),
            chain_account(tx, "usr_1", "USD"),
            clearing_account(tx, "usr_1", "USD"),
            outside(tx, "USD"),
        ]
    with world.transaction() as tx:
        again = [
            developer(tx),
            developer(tx, "USD"),
            wallet(tx, owner_scope="end_user", owner_id="usr_1", currency="USD"),
            chain_account(tx, "usr_1", "USD"),
            clearing_account(tx, "usr_1", "USD"),
            outside(tx, "USD"),
        ]
    assert again == first
    assert len({account.number for account in first}) == len(first)


def test_only_wallets_are_found_as_wallets(world: World) -> None:
    """A wallet is found by its id and owner; a chain account of the same owner is none."""
    with world.transaction() as tx:
        mine = developer(tx)
        chain = chain_account(tx, "usr_1", "JPY")
    with world.snapshot() as connection:
        assert wallet_named(connection, mine.account_id) == mine
        assert wallet_named(connection, chain.account_id) is None
        assert (
            find_wallet(connection, owner_scope="developer", owner_id="usr_1", currency="JPY")
            == mine
        )
        assert (
            find_wallet(connection, owner_scope="platform", owner_id="usr_1", currency="JPY")
            is None
        )


@pytest.mark.parametrize("kind", ["wallet", "chain"])
def test_a_posting_beyond_the_balance_writes_nothing(world: World, kind: str) -> None:
    """A debit beyond a wallet's or chain account's balance is refused before anything is written."""
    with world.transaction() as tx:
        account = developer(tx) if kind == "wallet" else chain_account(tx, "usr_1", "JPY")
        away = outside(tx, "JPY")
        post(tx, "seed", [Leg(account, 10), Leg(away, -10)], subject="x")
    before = ledger_rows(world)
    with world.transaction() as tx:  # noqa: SIM117
        with pytest.raises(PaymentRequired, match=r"holds 0\.00000010 JPY, less than 0\.00000011"):
            post(tx, "spend", [Leg(account, -11), Leg(away, 11)], subject="x")
        # The caller may catch the refusal and go on in the same transaction.
    assert ledger_rows(world) == before
    with world.snapshot() as connection:
        assert balance(connection, account.number) == 10
        assert balance(connection, away.number) == -10


def test_a_balance_may_be_spent_to_the_last_unit(world: World) -> None:
    """A debit of the whole balance is no debit beyond it."""
    with world.transaction() as tx:
        buyer = funded(tx, 7)
        post(tx, "spend", [Leg(buyer, -7), Leg(outside(tx, "JPY"), 7)], subject="x")
    with world.snapshot() as connection:
        assert balance(connection, buyer.number) == 0


def test_a_posting_may_say_that_it_leaves_a_debt(world: World) -> None:
    """A wallet goes below zero only by a posting that allows it, and a credit to it is never refused."""
    with world.transaction() as tx:
        mine, away = developer(tx), outside(tx, "JPY")
        post(tx, "adjust", [Leg(mine, -5), Leg(away, 5)], subject="x", allow_negative=True)
        post(tx, "credit", [Leg(mine, 2), Leg(away, -2)], subject="x")
        with pytest.raises(PaymentRequired):
            post(tx, "spend", [Leg(mine, -1), Leg(away, 1)], subject="x")
    with world.snapshot() as connection:
        assert balance(connection, mine.number) == -3
        assert [found for check in INVARIANTS for found in check(connection)] == []


def test_an_idempotency_key_posts_once(world: World) -> None:
    """A second posting under the same key is refused and moves nothing."""
    with world.transaction() as tx:
        buyer, away = funded(tx, 10), outside(tx, "JPY")
        post(tx, "spend", [Leg(buyer, -3), Leg(away, 3)], subject="x", idempotency_key="k")
    before = ledger_rows(world)
    with world.transaction() as tx:
        with pytest.raises(Conflict, match="was made before") as refused:
            post(tx, "spend", [Leg(buyer, -3), Leg(away, 3)], subject="x", idempotency_key="k")
        assert refused.value.code == "already_posted"
    assert ledger_rows(world) == before
    with world.snapshot() as connection:
        assert balance(connection, buyer.number) == 7


def test_an_account_holds_no_more_than_63_bits(world: World) -> None:
    """What would exceed 63 bits is refused as invalid, before anything is written."""
    with world.transaction() as tx:
        mine, other = developer(tx), platform(tx)
        post(
            tx,
            "seed",
            [Leg(mine, LIMIT), Leg(clearing_account(tx, "a", "JPY"), -LIMIT)],
            subject="x",
        )
    before = ledger_rows(world)
    with world.transaction() as tx:
        away = clearing_account(tx, "b", "JPY")
        with pytest.raises(Invalid, match=r"can't hold more than 92233720368\.54775807"):
            post(tx, "more", [Leg(mine, 1), Leg(away, -1)], subject="x")
        with pytest.raises(Invalid, match="can't hold more"):
            post(
                tx,
                "more",
                [Leg(other, 2), Leg(clearing_account(tx, "a", "JPY"), -2)],
                subject="x",
            )
    assert ledger_rows(world) == before


def test_an_entry_moves_no_more_than_63_bits(world: World) -> None:
    """From far below zero to far above is one movement too many, though both balances fit."""
    with world.transaction() as tx:
        mine, away = developer(tx), outside(tx, "JPY")
        post(tx, "in", [Leg(away, LIMIT), Leg(mine, -LIMIT)], subject="x", allow_negative=True)
    before = ledger_rows(world)
    with world.transaction() as tx, pytest.raises(Invalid, match="can't hold more"):
        post(tx, "back", [Leg(mine, LIMIT + 1), Leg(away, -LIMIT - 1)], subject="x")
    assert ledger_rows(world) == before


@pytest.mark.parametrize(
    ("amounts", "message"),
    [
        ((5, -4), "must sum to zero"),
        ((5,), "must sum to zero"),
        ((), "must move something"),
        ((0, 0), "must move something"),
    ],
)
def test_legs_that_dont_balance_are_the_programmers_error(
    world: World, amounts: tuple[int, ...], message: str
) -> None:
    """Legs that move nothing or don't sum to zero are a ``ValueError`` and write nothing."""
    with world.transaction() as tx:
        accounts = [developer(tx), platform(tx)]
        legs = [Leg(account, amount) for account, amount in zip(accounts, amounts, strict=False)]
        with pytest.raises(ValueError, match=message):
            post(tx, "x", legs, subject="x")
    assert ledger_rows(world) == []


def test_currencies_balance_one_by_one(world: World) -> None:
    """Yen don't make up for dollars, even where the numbers would."""
    with world.transaction() as tx:
        legs = [Leg(outside(tx, "JPY"), -5), Leg(developer(tx, "USD"), 5)]
        with pytest.raises(ValueError, match="for each currency"):
            post(tx, "x", legs, subject="x")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET amount = amount",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_transactions SET reason = 'y'",
        "DELETE FROM ledger_transactions",
    ],
)
def test_the_database_refuses_to_change_what_was_posted(world: World, statement: str) -> None:
    """Rows of transactions and entries never change, whoever asks."""
    with world.transaction() as tx:
        funded(tx, 10)
    with pytest.raises(IntegrityError, match="never change"), world.transaction() as tx:
        tx.connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("currency", "amount", "before", "after"),
    [
        ("USD", 1, 10, 11),
        ("JPY", 0, 10, 10),
        ("JPY", 1, 10, 12),
        ("JPY", "'one'", 10, 10),
        ("JPY", LIMIT + 1, 0, LIMIT + 1),
    ],
)
def test_the_database_refuses_entries_that_cant_be(
    world: World, currency: str, amount: object, before: object, after: object
) -> None:
    """The database itself refuses wrong currencies, zeros, broken sums and what is no integer."""
    put(world, currency, amount, before, after)


@pytest.mark.sqlite
def test_the_database_refuses_fractions(world: World) -> None:
    """SQLite would keep a fraction in a column of integers, where PostgreSQL rounds it."""
    put(world, "JPY", 1.5, 10, 11.5)


def put(world: World, currency: str, amount: object, before: object, after: object) -> None:
    """Try to write an entry that can't be."""
    with world.transaction() as tx:
        buyer = funded(tx, 10)
    refused = pytest.raises((IntegrityError, DataError))
    with refused, world.transaction() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO ledger_entries (transaction_number, account_number, currency, amount,"
            f" balance_before, balance_after) VALUES (1, {buyer.number}, '{currency}', {amount},"
            f" {before}, {after})"
        )


@given(
    moves=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 10**12), st.booleans()),
        max_size=12,
    )
)
def test_whatever_is_posted_the_books_balance(
    moves: list[tuple[int, int, int, bool]],
) -> None:
    """After any postings, refused ones among them, every invariant of the ledger holds."""
    world = World(Database(), Settings(freeze_at=0))
    world.database.prepare()
    world.create()
    with world.transaction() as tx:
        accounts = [developer(tx), platform(tx), funded(tx, 10**12), outside(tx, "JPY")]
        held = {account.number: balance(tx.connection, account.number) for account in accounts}
        for source, target, amount, allowed in moves:
            legs = [Leg(accounts[source], -amount), Leg(accounts[target], amount)]
            try:
                post(tx, "move", legs, subject="x", allow_negative=allowed)
            except PaymentRequired:
                continue
            held[accounts[source].number] -= amount
            held[accounts[target].number] += amount
    with world.snapshot() as connection:
        assert [found for check in INVARIANTS for found in check(connection)] == []
        assert {number: balance(connection, number) for number in held} == held
    world.close()
