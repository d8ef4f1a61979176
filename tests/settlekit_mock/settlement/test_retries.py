"""When a debit fails: retries to the minute, recovery, and falling past due."""

from typing import Any

import pytest

from settlekit_mock import MockServer
from settlekit_mock.kernel.times import HOUR, SECOND
from tests.settlekit_mock.settlement.conftest import (
    MICRO_CLOSE,
    Buyer,
    Provider,
    Shop,
    after,
)

FIRST = after(MICRO_CLOSE, 72 * HOUR)
TOKENS = 10**8
FAILURE_FIELDS = (
    "failure_reason_code",
    "failure_reason_label",
    "failure_reason_help",
    "support_reference",
)
SHORTAGES = {
    "INSUFFICIENT_BALANCE": {"balances": {"JPYC": "99"}},
    "INSUFFICIENT_ALLOWANCE": {"allowances": {"JPYC": "99"}},
    "BUDGET_VAULT_INACTIVE": {"vault_active": False},
    "PAYOUT_CAP_EXCEEDED": {"caps": {"day": 99}},
}
PLENTY = {
    "balances": {"JPYC": "1000"},
    "allowances": {"JPYC": "1000"},
    "vault_active": True,
    "caps": {},
}


def attempts(shop: Shop) -> list[str]:
    return [at for _, at in shop.kinds("debit.submitted")]


def short(shop: Shop, **change: Any) -> None:
    """Sell for 100, and take away what the debit needs."""
    shop.sell(100)
    shop.mock.buyers.update("b1", **(change or SHORTAGES["INSUFFICIENT_BALANCE"]))


@pytest.mark.parametrize(("code", "shortage"), SHORTAGES.items())
def test_a_real_shortage_fails_the_debit(
    shop: Shop, buyer: Buyer, provider: Provider, code: str, shortage: dict[str, Any]
) -> None:
    """What the buyer lacks when the debit is due is the public reason of its failure."""
    short(shop, **shortage)
    shop.mock.clock.advance(until="debit.failed")
    batch = provider.batch()
    assert (batch["status"], batch["execution_status"]) == ("failed", "failed_retryable")
    assert batch["failure_reason_code"] == code
    assert all(batch[name] for name in FAILURE_FIELDS)
    assert (batch["attempt_count"], batch["latest_execution_attempt_status"]) == (1, "failed")
    assert (batch["next_attempt_at"], batch["chain_receipt_id"]) == (after(FIRST, 6 * HOUR), None)


@pytest.mark.both_databases
@pytest.mark.parametrize("shortage", SHORTAGES.values(), ids=list(SHORTAGES))
def test_a_shortage_that_is_mended_recovers_at_the_next_attempt(
    shop: Shop, buyer: Buyer, provider: Provider, shortage: dict[str, Any]
) -> None:
    """Once the buyer can pay, the next attempt settles, and no failure is left to see."""
    short(shop, **shortage)
    shop.mock.clock.advance(until="debit.failed")
    shop.mock.buyers.update("b1", **PLENTY)
    shop.settle()
    batch = provider.batch()
    assert (batch["status"], batch["attempt_count"]) == ("settled", 2)
    assert batch["settled_at"] == after(FIRST, 6 * HOUR + 30 * SECOND)
    assert [batch[name] for name in FAILURE_FIELDS] == [None] * 4


@pytest.mark.parametrize(
    ("lacks", "needs", "settles"),
    [("99", "100", True), ("0", "99", False), ("99.99999999", "100", True)],
)
def test_the_debit_needs_all_of_it(
    shop: Shop, buyer: Buyer, provider: Provider, lacks: str, needs: str, settles: bool
) -> None:
    """A balance of exactly the debit is enough, anything less isn't."""
    short(shop, balances={"JPYC": lacks})
    shop.mock.clock.advance(until="debit.failed")
    shop.mock.buyers.update("b1", balances={"JPYC": needs})
    shop.mock.clock.advance(hours=7)
    assert (provider.batch()["status"] == "settled") is settles


def test_attempts_come_every_six_hours_and_twenty_eight_in_all(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """The first attempt is at the gate, each next exactly 6 h later, and the 28th is the last."""
    short(shop)
    shop.settle()
    assert attempts(shop) == [after(FIRST, number * 6 * HOUR) for number in range(28)]
    batch = provider.batch()
    assert (batch["status"], batch["execution_status"]) == ("past_due", "past_due")
    assert (batch["attempt_count"], batch["next_attempt_at"]) == (28, None)
    assert shop.kinds("batch.past_due") == [
        ("batch.past_due", after(FIRST, 27 * 6 * HOUR + 30 * SECOND))
    ]


@pytest.mark.parametrize("failures", [1, 2, 27])
def test_any_attempt_can_be_the_one_that_settles(
    shop: Shop, buyer: Buyer, provider: Provider, failures: int
) -> None:
    """After some failures, the 27th included, a debit that goes through settles for good."""
    shop.sell(100)
    shop.mock.simulate.debit_failure(buyer="b1", times=failures)
    shop.settle()
    batch = provider.batch()
    assert (batch["status"], batch["attempt_count"]) == ("settled", failures + 1)
    assert batch["settled_at"] == after(FIRST, failures * 6 * HOUR + 30 * SECOND)


@pytest.mark.parametrize(
    ("elapsed", "status", "execution_status"),
    [
        (30 * SECOND, "failed", "failed_retryable"),
        (6 * HOUR - 1, "failed", "failed_retryable"),
        (6 * HOUR, "submitted", "retrying"),
        (6 * HOUR + 30 * SECOND - 1, "submitted", "retrying"),
        (6 * HOUR + 30 * SECOND, "failed", "failed_retryable"),
    ],
)
def test_a_further_attempt_is_retrying(
    shop: Shop, buyer: Buyer, provider: Provider, elapsed: int, status: str, execution_status: str
) -> None:
    """Between its submission and its answer a further attempt is submitted and retrying."""
    short(shop)
    shop.mock.clock.advance(to=after(FIRST, elapsed))
    batch = provider.batch()
    assert (batch["status"], batch["execution_status"]) == (status, execution_status)


@pytest.mark.parametrize("elapsed", [30 * SECOND, 6 * HOUR, 28 * 6 * HOUR])
def test_a_scope_is_paused_while_a_batch_of_it_is_unpaid(
    shop: Shop, buyer: Buyer, elapsed: int
) -> None:
    """Failed, retrying and past due: nothing accrues, and the buyer reads why."""
    short(shop)
    shop.mock.clock.advance(to=after(FIRST, elapsed))
    assert shop.sell(100).refused == {"METERED_SETTLEMENT_PAST_DUE": 1}
    (block,) = buyer.summary()["past_due_blocks"]
    assert block["past_due_block_reason"] == "METERED_SETTLEMENT_PAST_DUE"
    assert (block["total_unsettled_exposure_minor"], block["failure_reason_code"]) == (
        "100",
        "INSUFFICIENT_BALANCE",
    )
    assert block["past_due_provider_receivable_minor"] == "98"
    assert buyer.batches()[0]["past_due_block_reason"] == "METERED_SETTLEMENT_PAST_DUE"


@pytest.mark.parametrize("elapsed", [0, 29 * SECOND])
def test_a_first_attempt_under_way_pauses_nothing(shop: Shop, buyer: Buyer, elapsed: int) -> None:
    """Until the chain has refused it, a submitted debit blocks nobody."""
    short(shop)
    shop.mock.clock.advance(to=after(FIRST, elapsed))
    assert buyer.summary()["past_due_blocks"] == []


def test_a_failed_debit_takes_nothing(shop: Shop, buyer: Buyer, mock: MockServer) -> None:
    """While its debits fail, the buyer keeps tokens and allowance, and the reservation stays."""
    short(shop)
    shop.settle()
    left = mock.buyers.get("b1")
    assert (left.balances.JPYC, left.allowances.JPYC, left.reserved.JPYC) == (
        "99",
        "1000000",
        "100",
    )


def test_a_debit_under_way_isnt_reserved_twice(shop: Shop, buyer: Buyer, mock: MockServer) -> None:
    """What is being debited has left the balance, so the rest can be spent meanwhile."""
    mock.buyers.update("b1", balances={"JPYC": "500"})
    shop.sell(300)
    mock.clock.advance(to=FIRST)
    assert shop.sell(200).refused == {}
    assert buyer.summary()["balance_sufficiency"]["sufficient"]


def test_each_failure_has_its_own_reference(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """Two attempts of one batch are told apart by support."""
    short(shop)
    shop.mock.clock.advance(until="debit.failed")
    first = provider.batch()["support_reference"]
    shop.mock.clock.advance(until="debit.failed")
    assert provider.batch()["support_reference"] != first
    assert buyer.batches()[0]["support_reference"] == provider.batch()["support_reference"]


def test_both_sides_are_told_of_failures(shop: Shop, buyer: Buyer, mock: MockServer) -> None:
    """Each failure and the fall past due is a notice to buyer and provider."""
    short(shop)
    shop.settle()
    told = mock.notices.all()
    kinds = [(notice.audience, notice.kind) for notice in told]
    assert kinds.count(("buyer", "debit_failed")) == kinds.count(("provider", "debit_failed")) == 27
    assert kinds.count(("buyer", "past_due")) == kinds.count(("provider", "past_due")) == 1
    assert ("provider", "final_debit") not in kinds
