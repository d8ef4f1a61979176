"""Rebuilding every wallet's balance from the ledger's entries."""

from collections.abc import Iterator

from figures import Figure, Unit, at_most
from measuring import Scale, medians, timed
from samples import world_on_file
from sqlalchemy import Connection, update

from settlekit_mock import MockServer
from settlekit_mock.kernel.bulk import insert_rows
from settlekit_mock.ledger import service as ledger
from settlekit_mock.ledger.rebuild import rebuild_wallets
from settlekit_mock.ledger.tables import ACCOUNTS, ENTRIES, TRANSACTIONS

WALLETS = 1_000
FIRST = 1_000_000
"""The number of the first made-up transaction."""


def measure(scale: Scale) -> Iterator[Figure]:
    entries = scale.pick(100_000, 1_000_000)
    with world_on_file() as mock:
        _fill(mock, entries)
        (ours,) = medians(scale.pick(3, 9), timed(lambda: _rebuild(mock)))
    yield Figure(
        work=f"ledger rebuild, {entries:,} entries",
        ours=ours,
        unit=Unit.SECONDS,
        target=at_most(1.5 * entries / 1_000_000),
    )


def _rebuild(mock: MockServer) -> None:
    with mock.world.snapshot() as connection:
        rebuilt = rebuild_wallets(connection)
    if any(wallet.delta for wallet in rebuilt):
        raise RuntimeError("the ledger doesn't balance")


def _fill(mock: MockServer, entries: int) -> None:
    """Write entries as postings would: a unit from one wallet to the next, over and over."""
    with mock.world.transaction() as tx:
        wallets = [
            ledger.wallet(tx, owner_scope="developer", owner_id=f"usr_{number}", currency="USD")
            for number in range(WALLETS)
        ]
        moved = entries // 2
        _transactions(tx.connection, moved)
        balances = _entries(tx.connection, [wallet.number for wallet in wallets], moved)
        for number, balance in balances.items():
            change = update(ACCOUNTS).where(ACCOUNTS.c.account_number == number)
            tx.connection.execute(change.values(balance=balance))


def _transactions(connection: Connection, count: int) -> None:
    columns = (
        "transaction_number",
        "transaction_id",
        "reason",
        "subject",
        "metadata",
        "negative_allowed",
        "created_at",
    )
    rows = [(FIRST + n, f"ltx_{n}", "benchmark", f"s_{n}", "{}", 1, 0) for n in range(count)]
    insert_rows(connection, TRANSACTIONS, columns, rows)


def _entries(connection: Connection, numbers: list[int], count: int) -> dict[int, int]:
    columns = (
        "transaction_number",
        "account_number",
        "currency",
        "amount",
        "balance_before",
        "balance_after",
    )
    balances = dict.fromkeys(numbers, 0)
    rows: list[tuple[object, ...]] = []
    for index in range(count):
        pair = (numbers[index % WALLETS], -1), (numbers[(index * 7 + 1) % WALLETS], 1)
        for number, amount in pair:
            before = balances[number]
            balances[number] = before + amount
            rows.append((FIRST + index, number, "USD", amount, before, before + amount))
    insert_rows(connection, ENTRIES, columns, rows)
    return balances
