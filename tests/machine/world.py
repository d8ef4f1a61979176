"""A mock beside its model, compared after every step."""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, NamedTuple, cast

from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import Connection, TextClause, text
from werkzeug.test import Client, TestResponse

from settlekit_mock.control.check import check_all
from tests.machine.draws import MINOR_IN_MAJOR, TOKENS
from tests.machine.model import Model
from tests.machine.opening import Opened
from tests.machine.quick import Quick
from tests.machine.records import FINAL
from tests.machine.seen import seen_in

ALL_SUMMARIES_EVERY = 10
"""Steps between two looks at every summary; a provider's is looked at when it should change."""


_NEWS = text("SELECT seq, at, kind, subject, data FROM events WHERE seq > :seen ORDER BY seq")


class Entry(NamedTuple):
    """One journal entry as the model reads it."""

    seq: int
    at: int
    kind: str
    subject: str
    data: dict[str, Any]


class World(RuleBasedStateMachine):
    """A mock beside its model, compared after every step."""

    seen_by_all: ClassVar[Counter[str]] = Counter()
    """What all runs of a class came across."""
    opened: ClassVar[Opened]
    """The mock that all runs of a class have, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.opened.set_back()
        self.mock = self.opened.mock
        self.tokens = self.opened.tokens
        self.client = Client(self.mock.app)
        self.seen = 0
        self.sessions = 0
        self.now = 0
        self.steps = 0
        self.summed_up: dict[tuple[str, str], dict[str, Decimal]] = {}
        self.model = Model(self.opened.owners)
        self.catch_up()

    def teardown(self) -> None:
        # Where a step has failed, that is what is told.
        if sys.exception() is None:
            self.add_up(self.tokens)
            with self.mock.world.snapshot() as connection:
                assert check_all(connection) == []
        self.count()

    def count(self) -> None:
        with self.mock.world.snapshot() as connection:
            self.seen_by_all.update(seen_in(connection))

    def catch_up(self) -> None:
        """Let the model read what happened since, up to the clock's time."""
        with self.mock.world.snapshot() as connection:
            rows = connection.execute(_NEWS, {"seen": self.seen}).all()
        entries = [Entry(*row[:4], json.loads(row[4])) for row in rows]
        self.seen = entries[-1].seq if entries else self.seen
        self.now = self.mock.world.now()
        self.model.read(entries)

    def ask(self, path: str, token: str | None = None, **body: object) -> TestResponse:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.client.post(path, json=body, headers=headers)

    # -- after every step ----------------------------------------------------------------------

    @invariant()
    def nothing_is_late(self) -> None:
        assert self.model.overdue(self.now) == []

    @invariant()
    def every_invariant_holds(self) -> None:
        with self.mock.world.snapshot() as connection:
            assert check_all(cast(Connection, Quick(connection))) == []

    @invariant()
    def wallets_hold_what_was_earned(self) -> None:
        held = self.rows(
            "SELECT CASE owner_scope WHEN 'platform' THEN 'platform' ELSE owner_id END, currency, "
            "balance FROM ledger_accounts WHERE kind = 'wallet' "
            "AND owner_scope IN ('platform', 'developer')"
        )
        same(
            {(owner, of): minor(units, of) for owner, of, units in held if units},
            {key: amount for key, amount in self.model.wallets.items() if amount},
        )

    @invariant()
    def buyers_hold_what_they_did_not_pay(self) -> None:
        held = self.rows(
            "SELECT b.buyer_id, f.currency, a.balance, f.allowance, f.reserved FROM funds f "
            "JOIN buyers b ON b.buyer_number = f.buyer_number "
            "JOIN ledger_accounts a ON a.account_number = f.chain_account "
            "WHERE b.buyer_id <> 'sandbox_buyer'"
        )
        same(
            {tuple(row[:2]): tuple(minor(units, row[1]) for units in row[2:]) for row in held},
            {
                (buyer.buyer_id, currency): (
                    buyer.balance[currency],
                    buyer.allowance[currency],
                    self.model.reserved(buyer.buyer_id, currency),
                )
                for buyer in self.model.buyers.values()
                for currency in TOKENS
            },
        )

    @invariant()
    def batches_stand_where_they_should(self) -> None:
        rows = self.rows(
            "SELECT settlement_batch_id, status, execution_status, attempt_count, run_attempts "
            "FROM batches"
        )
        same(
            {row[0]: tuple(row[1:]) for row in rows},
            {
                batch.batch_id: (batch.status, batch.execution, batch.attempts, batch.run)
                for batch in self.model.batches.values()
            },
        )

    @invariant()
    def summaries_add_up(self) -> None:
        self.steps += 1
        expected = {
            (owner, currency): self.model.totals(owner, currency)
            for owner in self.tokens
            for currency in TOKENS
        }
        every = self.steps % ALL_SUMMARIES_EVERY == 0
        self.add_up(
            {key[0] for key in expected if every or expected[key] != self.summed_up.get(key)}
        )
        self.summed_up = expected

    def add_up(self, owners: Iterable[str]) -> None:
        """Hold the summaries of some to what they should say."""
        for owner in owners:
            token = self.tokens[owner]
            answer = self.client.get(
                "/v1/sdrp/metered/provider/summary", headers={"Authorization": f"Bearer {token}"}
            )
            assert answer.status_code == 200, answer.text
            told = answer.json["data"]["totals_by_token"]
            for currency, symbol in TOKENS.items():
                got = {
                    name.removesuffix("_provider_receivable_minor"): Decimal(amount)
                    for name, amount in told.get(symbol, {}).items()
                }
                expected = self.model.totals(owner, currency)
                same(got, expected if got or any(expected.values()) else {})

    def pass_time(self, span: int) -> None:
        """Let time pass."""
        self.mock.clock.advance(by=span / 1000)
        self.catch_up()

    def live_through(self, past: str, buyer: str) -> None:
        """Let a buyer's first payments become something before the run begins."""

    def unsettled(self) -> list[str]:
        """Return the batches that are still owed."""
        return [one.batch_id for one in self.model.batches.values() if one.status not in FINAL]

    def rows(self, query: str) -> list[Any]:
        with self.mock.world.snapshot() as connection:
            return Quick(connection).execute(_query(query))


@cache
def _query(query: str) -> TextClause:
    return text(query)


def same(got: dict[Any, Any], expected: dict[Any, Any]) -> None:
    """Hold two tables to be equal, and name what isn't."""
    names = [name for name in got.keys() | expected.keys() if got.get(name) != expected.get(name)]
    wrong = {name: {"got": got.get(name), "expected": expected.get(name)} for name in names}
    assert not wrong, wrong


def minor(units: int, currency: str) -> Decimal:
    """Turn units of the database into minor units."""
    return Decimal(units) * MINOR_IN_MAJOR[currency] / 10**8


def tokens(amounts: dict[str, int]) -> dict[str, str]:
    """Name amounts by their token."""
    return {TOKENS[currency]: str(amount) for currency, amount in amounts.items()}
