"""Every payment has a fate, and every amount is explained: over small worlds of any kind."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from settlekit_mock import MockServer
from settlekit_mock.control.explain import Explanation
from settlekit_mock.driver import ControlError
from settlekit_mock.settlement.tables import BATCHES
from tests.machine.runs import RUNS

BUYERS = ("b1", "b2")
SHOPS = ("sandbox_merchant", "corner")

Act = Callable[[MockServer], object]


def pay(buyer: str, shop: str, price: tuple[int, str], count: int) -> Act:
    amount_minor, currency = price
    return lambda mock: mock.usage(
        buyer, merchant=shop, amount_minor=amount_minor, currency=currency, count=count
    )


def empty(buyer: str, left: str) -> Act:
    return lambda mock: mock.buyers.update(buyer, balances={"JPYC": left, "USDC": left})


def fail_debits(times: int) -> Act:
    return lambda mock: mock.simulate.debit_failure(times=times)


def lose_outcome() -> Act:
    return lambda mock: mock.simulate.unknown_outcome()


def wait(days: int) -> Act:
    return lambda mock: mock.clock.advance(days=days)


def find_receipts() -> Act:
    def act(mock: MockServer) -> None:
        for batch_id in batches(mock, "submitted_reconcile_required"):
            mock.batches.resolve(batch_id, outcome="settled")

    return act


def write_off() -> Act:
    def act(mock: MockServer) -> None:
        for batch_id in batches(mock, "past_due"):
            mock.batches.give_up(batch_id, status="written_off", reason_code="gone")

    return act


def pay_out(currency: str, steps: tuple[str, ...]) -> Act:
    def act(mock: MockServer) -> None:
        for payout in operate(mock, "run-mock", threshold="1", currency=currency)["items"]:
            for step in steps:
                operate(mock, f"{payout['id']}/{step}")

    return act


def operate(mock: MockServer, path: str, **body: object) -> Any:
    """Call an operator's route, and return its answer."""
    answer = Client(mock.app).post(
        f"/v1/admin/payouts/{path}",
        json=body,
        headers={"Authorization": f"Bearer {mock.token('admin')}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json


def batches(mock: MockServer, execution_status: str | None = None) -> list[str]:
    with mock.world.snapshot() as connection:
        return [
            row.settlement_batch_id
            for row in connection.execute(BATCHES.select())
            if execution_status in (None, row.execution_status)
        ]


PRICES = st.sampled_from([(100, "JPY"), (500, "JPY"), (7, "JPY"), (3, "USD"), (300, "USD")])
ACTS = st.one_of(
    st.builds(pay, st.sampled_from(BUYERS), st.sampled_from(SHOPS), PRICES, st.integers(1, 30)),
    st.builds(wait, st.sampled_from([0, 3, 8, 12, 40])),
    st.builds(empty, st.sampled_from(BUYERS), st.sampled_from(["0", "250", "100000"])),
    st.builds(fail_debits, st.sampled_from([1, 28])),
    st.builds(lose_outcome),
    st.builds(find_receipts),
    st.builds(write_off),
    st.builds(
        pay_out,
        st.sampled_from(["JPY", "USD"]),
        st.sampled_from(
            [(), ("approve",), ("approve", "mark-paid"), ("approve", "fail"), ("cancel",)]
        ),
    ),
)


def world(acts: list[Act]) -> MockServer:
    mock = MockServer(seed=7)
    mock.merchants.create(SHOPS[1], allowed_currencies=["JPY", "USD"])
    for buyer in BUYERS:
        mock.buyers.create(buyer_id=buyer)
    for act in acts:
        act(mock)
    return mock


def leaves(found: Explanation) -> Iterator[Explanation]:
    if not found.parts:
        yield found
    for part in found.parts:
        yield from leaves(part)


def nodes(found: Explanation) -> Iterator[Explanation]:
    yield found
    for part in found.parts:
        yield from nodes(part)


def explained(mock: MockServer, subject_id: str) -> Explanation:
    """Return an explanation, held to its own sums and to one currency."""
    found = mock.explain(subject_id)
    assert sum(Decimal(leaf.amount) for leaf in leaves(found)) == Decimal(found.amount)
    for node in nodes(found):
        assert node.currency == found.currency
        if node.parts:
            assert sum(Decimal(part.amount) for part in node.parts) == Decimal(node.amount)
    return found


@settings(RUNS, max_examples=30)
@given(st.lists(ACTS, max_size=12))
def test_every_payment_has_a_fate(acts: list[Act]) -> None:
    """Accepted or refused, each payment says what became of it, as its batch has it."""
    with world(acts) as mock:
        for entry in mock.events(kind="payment.refused"):
            fate = mock.fate(entry.subject)
            assert (fate.accepted, fate.status, fate.batch) == (False, "refused", None)
            assert (fate.code, fate.reason) == (entry.data["code"], entry.data["reason"])
            assert fate.at == entry.at
        settled = {entry.subject: entry.at for entry in mock.events(kind="batch.settled")}
        for entry in mock.events(kind="payment.accepted"):
            fate = mock.fate(entry.subject)
            assert (fate.accepted, fate.code, fate.buyer) == (True, None, entry.data["buyer"])
            assert fate.period is not None
            assert fate.period.period_id == entry.data["period"]
            assert (fate.batch is None) == (fate.period.closed_at is None)
            batch_id = fate.batch and fate.batch.settlement_batch_id
            assert (fate.status == "settled") == (batch_id in settled)
            assert (fate.wallet_id is not None) == (batch_id in settled)


@settings(RUNS, max_examples=30)
@given(st.lists(ACTS, max_size=12))
def test_every_amount_is_explained(acts: list[Act]) -> None:
    """The leaves of a batch, a wallet or a payout add up to what statements say of it."""
    with world(acts) as mock:
        for batch_id in batches(mock):
            found = explained(mock, batch_id)
            accepted = [part.id for part in found.parts]
            assert accepted == [
                entry.subject
                for entry in mock.events(kind="payment.accepted")
                if (batch := mock.fate(entry.subject).batch) is not None
                and batch.settlement_batch_id == batch_id
            ]
        with mock.client("admin") as admin:
            for wallet in admin.operations.reconcile_ledger().items:
                held = (
                    wallet.wallet_balance_usd if wallet.currency is None else wallet.wallet_balance
                )
                assert Decimal(explained(mock, wallet.wallet_id).amount) == held
            for payout in admin.operations.payouts():
                amount = payout.amount_usd if payout.currency is None else payout.amount
                assert Decimal(explained(mock, payout.id).amount) == amount


AT_ONE_INSTANT = [
    pay("b1", "corner", (100, "JPY"), 2),
    wait(12),
    pay("b2", "corner", (100, "JPY"), 2),
    lose_outcome(),
    wait(12),
    pay_out("JPY", ("approve", "mark-paid")),
    find_receipts(),
    pay_out("JPY", ()),
]
"""Two equal settlements, and a payout of each, the last three at one instant."""


@example(AT_ONE_INSTANT)
@settings(RUNS, max_examples=30)
@given(st.lists(ACTS, max_size=12))
def test_a_payments_payout_holds_its_money(acts: list[Act]) -> None:
    """The payout named in a fate is explained by the very settlement that the fate names."""
    with world(acts) as mock:
        named = {
            (fate.payout.payout_id, fate.batch.settlement_batch_id)
            for entry in mock.events(kind="payment.accepted")
            if (fate := mock.fate(entry.subject)).payout is not None and fate.batch is not None
        }
        for payout_id, batch_id in named:
            because = [part.because for part in explained(mock, payout_id).parts]
            assert any(f"batch_settled of {batch_id} " in one for one in because)


def test_what_isnt_there_has_neither_fate_nor_explanation() -> None:
    """An unknown payment or amount is 404."""
    with MockServer(seed=7) as mock:
        for ask in (mock.fate, mock.explain):
            with pytest.raises(ControlError) as refused:
                ask("mu_none")
            assert refused.value.status == 404
