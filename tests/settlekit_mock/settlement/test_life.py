"""The whole life of a batch, micro and nano, as both sides read it."""

from typing import Any, NamedTuple

import pytest

from settlekit_mock import MockServer
from settlekit_mock.kernel.times import DAY, HOUR, SECOND
from tests.settlekit_mock.settlement.conftest import (
    MICRO_CLOSE,
    NANO_CLOSE,
    START,
    Buyer,
    Provider,
    Shop,
    after,
)


class Band(NamedTuple):
    plan_type: str
    cadence: str
    amount_minor: int
    fee: str
    receivable: str
    period_start: str
    close_at: str


MICRO = Band("micro", "weekly", 100, "2", "98", "2026-02-25T10:30:00.000Z", MICRO_CLOSE)
NANO = Band("nano", "monthly", 5, "0.2", "4.8", "2026-02-15T06:15:00.000Z", NANO_CLOSE)
BOTH = pytest.mark.parametrize("band", [MICRO, NANO], ids=["micro", "nano"])
GATE = 72 * HOUR
FINAL = GATE + 30 * SECOND


@BOTH
def test_usage_accrues_in_an_open_period(
    shop: Shop, buyer: Buyer, provider: Provider, band: Band
) -> None:
    """What was sold stands in a period that closes at the buyer's slot."""
    shop.sell(band.amount_minor)
    (period,) = provider.summary()["open_periods"]
    assert period == {
        "plan_type": band.plan_type,
        "settlement_cadence": band.cadence,
        "currency": "JPY",
        "token_symbol": "JPYC",
        "period_start": band.period_start,
        "period_end": band.close_at,
        "close_at": band.close_at,
        "expected_scheduled_debit_at": after(band.close_at, GATE),
        "settlement_trigger": "scheduled_close",
        "settlement_threshold_minor": "10000",
        "threshold_reached_at": None,
        "provider_gross_amount_minor": str(band.amount_minor),
        "provider_usage_amount_minor": str(band.amount_minor),
        "gross_buyer_debit_minor": str(band.amount_minor),
        "buyer_debit_minor": str(band.amount_minor),
        "protocol_fee_minor": band.fee,
        "provider_receivable_minor": band.receivable,
        "rounding_delta_minor": "0",
        "total_unsettled_exposure_minor": str(band.amount_minor),
    }
    assert buyer.summary()["open_periods"] == [period]


SCHEDULED = {"status": "ready", "execution_status": "scheduled", "notice_status": "delivered"}
STATES = [
    (0, SCHEDULED | {"attempt_count": 0, "latest_execution_attempt_status": None}),
    (GATE - 1, SCHEDULED | {"attempt_count": 0}),
    (GATE, {"status": "submitted", "execution_status": "submitted", "attempt_count": 1}),
    (FINAL - 1, {"status": "submitted", "execution_status": "submitted", "settled_at": None}),
    (FINAL, {"status": "settled", "execution_status": "settled", "attempt_count": 1}),
    (FINAL + 400 * DAY, {"status": "settled", "latest_execution_attempt_status": "succeeded"}),
]


@BOTH
@pytest.mark.parametrize(("elapsed", "expected"), STATES)
def test_a_batch_lives_by_the_clock(
    shop: Shop, buyer: Buyer, provider: Provider, band: Band, elapsed: int, expected: dict[str, Any]
) -> None:
    """Closed at its slot, debited exactly 72 h later, settled 30 s after that, and never again."""
    shop.sell(band.amount_minor)
    shop.mock.clock.advance(to=after(band.close_at, elapsed))
    batch = provider.batch()
    assert {name: batch[name] for name in expected} == expected


@BOTH
def test_nothing_closes_before_its_slot(
    shop: Shop, buyer: Buyer, provider: Provider, band: Band
) -> None:
    """A millisecond before the slot the period is open still."""
    shop.sell(band.amount_minor)
    shop.mock.clock.advance(to=after(band.close_at, -1))
    assert (provider.batches(), len(provider.summary()["open_periods"])) == ([], 1)


@BOTH
def test_a_settled_batch_says_all_of_itself(
    shop: Shop, buyer: Buyer, provider: Provider, band: Band
) -> None:
    """Every field of a settled batch has its value; the buyer's has two more."""
    shop.sell(band.amount_minor)
    shop.mock.clock.advance(to=after(band.close_at, FINAL))
    batch, (own,) = provider.batch(), buyer.batches()
    drawn = ("settlement_batch_id", "chain_receipt_id", "usage_event_digest", "buyer_period_ref")
    prefixes = [batch[name][: len(prefix)] for name, prefix in zip(drawn, PREFIXES, strict=True)]
    assert prefixes == PREFIXES
    assert {name: value for name, value in batch.items() if name not in drawn} == {
        "plan_type": band.plan_type,
        "settlement_cadence": band.cadence,
        "currency": "JPY",
        "token_symbol": "JPYC",
        "status": "settled",
        "notice_status": "delivered",
        "period_start": band.period_start,
        "period_end": band.close_at,
        "close_at": band.close_at,
        "settlement_trigger": "scheduled_close",
        "settlement_threshold_minor": "10000",
        "threshold_reached_at": None,
        "total_unsettled_exposure_minor": "0",
        "expected_scheduled_debit_at": after(band.close_at, GATE),
        "scheduled_debit_at": after(band.close_at, GATE),
        "not_before_attempt_at": after(band.close_at, GATE),
        "execution_status": "settled",
        "latest_execution_attempt_status": "succeeded",
        "attempt_count": 1,
        "next_attempt_at": None,
        "settled_at": after(band.close_at, FINAL),
        "provider_gross_amount_minor": str(band.amount_minor),
        "provider_usage_amount_minor": str(band.amount_minor),
        "gross_buyer_debit_minor": str(band.amount_minor),
        "buyer_debit_minor": str(band.amount_minor),
        "protocol_fee_minor": band.fee,
        "provider_receivable_minor": band.receivable,
        "rounding_delta_minor": "0",
        "settled_provider_receivable_minor": band.receivable,
        "unsettled_provider_receivable_minor": "0",
        "past_due_provider_receivable_minor": "0",
        "terminal_provider_receivable_minor": "0",
        "uncollectible_provider_receivable_minor": "0",
        "written_off_provider_receivable_minor": "0",
        "terminal_status": None,
        "terminal_marked_at": None,
        "terminal_reason_code": None,
        "failure_reason_code": None,
        "failure_reason_label": None,
        "failure_reason_help": None,
        "support_reference": None,
    }
    more = {"estimated_buyer_debit_minor": str(band.amount_minor), "past_due_block_reason": None}
    assert own == batch | more


PREFIXES = ["msb_", "chain_", "sha256:", "bpr_"]


@BOTH
def test_usage_follows_its_batch(shop: Shop, buyer: Buyer, provider: Provider, band: Band) -> None:
    """A usage event is pending until its batch settles, and names the batch once there is one."""
    accepted = shop.sell(band.amount_minor)
    (pending,) = provider.usage()
    shop.mock.clock.advance(to=after(band.close_at, FINAL))
    (settled,) = provider.usage()
    assert (pending["status"], pending["settlement_batch_id"]) == ("pending_settlement", None)
    assert settled == pending | {
        "status": "settled",
        "settlement_batch_id": provider.batch()["settlement_batch_id"],
    }
    assert (settled["metered_usage_id"], settled["created_at"]) == (accepted.first_usage_id, START)


def test_both_sides_read_the_same_usage(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """A buyer's usage event is the provider's without what the provider alone reads."""
    shop.sell(100)
    (sold,), (bought,) = provider.usage(), buyer.usage()
    assert {name: sold.pop(name) for name in ("provider_receivable_minor", "buyer_period_ref")}
    assert bought == sold


def test_the_steps_of_a_life_are_journalled(shop: Shop, buyer: Buyer) -> None:
    """The journal tells close, notice, debit and settlement at the times they were due."""
    shop.sell(100)
    shop.settle()
    assert shop.kinds(
        "period.closed", "notice.recorded", "debit.submitted", "batch.settled", "debit.failed"
    ) == [
        ("period.closed", MICRO_CLOSE),
        ("notice.recorded", MICRO_CLOSE),
        ("debit.submitted", after(MICRO_CLOSE, GATE)),
        ("batch.settled", after(MICRO_CLOSE, FINAL)),
    ]


def test_settled_money_is_where_it_belongs(shop: Shop, buyer: Buyer, mock: MockServer) -> None:
    """The buyer is debited the gross, the provider gets gross less fee, the platform the fee."""
    shop.sell(100, 3)
    before = mock.buyers.get("b1")
    shop.settle()
    settled = mock.buyers.get("b1")
    assert (before.balances.JPYC, before.reserved.JPYC) == ("1000000", "300")
    assert (settled.balances.JPYC, settled.allowances.JPYC) == ("999700", "999700")
    assert settled.reserved.JPYC == "0"
    assert wallets(mock) == {"developer": 294 * 10**8, "platform": 6 * 10**8}


def wallets(mock: MockServer) -> dict[str, int]:
    query = "SELECT owner_scope, balance FROM ledger_accounts WHERE kind = 'wallet' AND currency = 'JPY'"
    with mock.world.snapshot() as connection:
        return {row.owner_scope: row.balance for row in connection.exec_driver_sql(query)}


def test_a_period_without_usage_makes_no_batch(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """Slots that come while nothing is sold leave nothing behind."""
    shop.sell(100)
    shop.settle(days=300)
    assert len(provider.batches()) == 1


def test_each_period_settles_by_itself(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """Usage of the next week stands in the next period, and settles a week later."""
    shop.sell(100)
    shop.mock.clock.advance(to=MICRO_CLOSE)
    shop.sell(200)
    shop.settle()
    newer, older = provider.batches()
    assert (older["buyer_debit_minor"], newer["buyer_debit_minor"]) == ("100", "200")
    assert (newer["period_start"], older["period_end"]) == (MICRO_CLOSE, MICRO_CLOSE)
    assert newer["settled_at"] == after(older["settled_at"], 7 * DAY)
