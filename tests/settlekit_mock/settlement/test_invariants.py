"""Each invariant of settlement objects to what breaks it, and no other does."""

from collections.abc import Callable, Iterator

import pytest

from settlekit_mock import MockServer
from settlekit_mock.control.check import INVARIANTS
from settlekit_mock.settlement.invariants import INVARIANTS as OURS
from tests.settlekit_mock.breaking import Run, break_it
from tests.settlekit_mock.settlement.conftest import SHOP, SLOTS, START

SETTLED, RECOVERED, WAITING, UNKNOWN, PAST_DUE = "settled", "recovered", "waiting", "lost", "late"
"""Buyers, named after what becomes of their only batch; ``open`` has none yet."""


@pytest.fixture
def broken() -> Iterator[MockServer]:
    """A world with a batch in each standing, to be broken; the usual check is not made."""
    with MockServer(seed=7, freeze_at=START) as mock:
        for buyer in (SETTLED, RECOVERED, UNKNOWN, PAST_DUE):
            mock.buyers.create(buyer_id=buyer, **SLOTS)
            mock.usage(buyer, merchant=SHOP, amount_minor=100, currency="JPY", count=3)
        mock.simulate.debit_failure(buyer=RECOVERED, times=2)
        mock.simulate.unknown_outcome(buyer=UNKNOWN)
        mock.simulate.debit_failure(buyer=PAST_DUE, times=28)
        mock.clock.advance(days=21)
        for buyer in (WAITING, "open"):
            mock.buyers.create(buyer_id=buyer, **SLOTS)
            mock.usage(buyer, merchant=SHOP, amount_minor=100, currency="JPY", count=2)
            mock.clock.advance(days=2, hours=12)
        yield mock


def objections(mock: MockServer) -> set[str]:
    """Name the invariants that object, of every room."""
    with mock.world.snapshot() as connection:
        return {found.name for invariant in INVARIANTS for found in invariant(connection)}


def batch_of(buyer: str) -> str:
    return (
        "(SELECT batch_number FROM batches b JOIN buyers u ON u.buyer_number = b.buyer_number"
        f" WHERE u.buyer_id = '{buyer}')"
    )


def period_of(buyer: str) -> str:
    return (
        "(SELECT period_number FROM periods p JOIN buyers u ON u.buyer_number = p.buyer_number"
        f" WHERE u.buyer_id = '{buyer}')"
    )


def scope_of(buyer: str) -> str:
    return (
        "(SELECT scope_number FROM scopes s JOIN buyers u ON u.buyer_number = s.buyer_number"
        f" WHERE u.buyer_id = '{buyer}')"
    )


def a_state_that_isnt_one(run: Run) -> None:
    # The history agrees with it, so that only the state itself is wrong.
    run(f"UPDATE batches SET status = 'paused' WHERE batch_number = {batch_of(WAITING)}")


def a_move_that_isnt_in_the_table(run: Run) -> None:
    run(
        "UPDATE batch_moves SET move = 'find_receipt' WHERE move = 'confirm' "
        f"AND batch_number = {batch_of(SETTLED)}"
    )


def a_29th_attempt(run: Run) -> None:
    run(
        "UPDATE attempts SET run_ordinal = 29 WHERE ordinal = 28 "
        f"AND batch_number = {batch_of(PAST_DUE)}"
    )


def an_attempt_nobody_counted(run: Run) -> None:
    run(f"UPDATE batches SET attempt_count = 4 WHERE batch_number = {batch_of(RECOVERED)}")


def an_attempt_an_hour_late(run: Run) -> None:
    run(
        "UPDATE attempts SET submitted_at = submitted_at + 3600000 WHERE ordinal = 3 "
        f"AND batch_number = {batch_of(RECOVERED)}"
    )


def a_debit_before_its_gate(run: Run) -> None:
    run(
        "UPDATE attempts SET submitted_at = submitted_at - 1 "
        f"WHERE batch_number = {batch_of(SETTLED)}"
    )


def a_debit_without_a_notice(run: Run) -> None:
    run(f"DELETE FROM notices WHERE kind = 'final_debit' AND period_number = {period_of(SETTLED)}")


def a_debit_notice_to_a_provider(run: Run) -> None:
    run(
        "UPDATE notices SET audience = 'provider' WHERE kind = 'final_debit' "
        f"AND period_number = {period_of(SETTLED)}"
    )


def a_settlement_without_a_receipt(run: Run) -> None:
    run(f"UPDATE batches SET chain_receipt_id = NULL WHERE batch_number = {batch_of(SETTLED)}")


def a_debit_made_twice(run: Run) -> None:
    run(
        "UPDATE ledger_transactions SET reason = 'batch_settled' "
        "WHERE reason = 'batch_debit_submitted' AND subject = (SELECT settlement_batch_id "
        f"FROM batches WHERE batch_number = {batch_of(SETTLED)})"
    )


def a_receivable_of_somebody_else(run: Run) -> None:
    run("UPDATE ledger_accounts SET owner_id = 'usr_other' WHERE owner_scope = 'developer'")


def a_blind_resubmission(run: Run) -> None:
    run(
        "UPDATE attempts SET resolved_at = NULL WHERE ordinal = 1 "
        f"AND batch_number = {batch_of(RECOVERED)}"
    )


def money_left_in_clearing(run: Run) -> None:
    # From one chain account into a settled batch's clearing, entries and all.
    clearing = (
        "(SELECT account_number FROM ledger_accounts WHERE kind = 'clearing' AND owner_id = "
        "(SELECT settlement_batch_id FROM batches "
        f"WHERE batch_number = {batch_of(SETTLED)}))"
    )
    chain = (
        "(SELECT account_number FROM ledger_accounts WHERE kind = 'chain' "
        f"AND owner_id = '{SETTLED}' AND currency = 'JPY')"
    )
    run(
        "INSERT INTO ledger_transactions (transaction_id, reason, subject, metadata, "
        "negative_allowed, created_at) VALUES ('ltx_x', 'x', 'x', '{}', 0, 0)"
    )
    for account, amount in ((clearing, 5), (chain, -5)):
        run(
            "INSERT INTO ledger_entries (transaction_number, account_number, currency, amount, "
            "balance_before, balance_after) SELECT (SELECT MAX(transaction_number) FROM "
            f"ledger_transactions), account_number, 'JPY', {amount}, balance, balance + {amount} "
            f"FROM ledger_accounts WHERE account_number = {account}"
        )
        run(
            f"UPDATE ledger_accounts SET balance = balance + {amount} "
            f"WHERE account_number = {account}"
        )


def a_row_nobody_added(run: Run) -> None:
    run(
        f"UPDATE periods SET usage_count = usage_count + 1 WHERE period_number = {period_of('open')}"
    )


def a_row_changed_after_the_fact(run: Run) -> None:
    run(f"UPDATE usage SET created_at = created_at + 1 WHERE period_number = {period_of(SETTLED)}")


def an_exposure_that_was_forgotten(run: Run) -> None:
    run(f"UPDATE scopes SET exposure = exposure + 1 WHERE scope_number = {scope_of('open')}")


def a_pause_that_was_forgotten(run: Run) -> None:
    run(f"UPDATE scopes SET paused_batches = 0 WHERE scope_number = {scope_of(PAST_DUE)}")


def a_reservation_ended_twice(run: Run) -> None:
    run(
        "UPDATE funds SET reserved = reserved - 1 WHERE currency = 'JPY' AND buyer_number = "
        "(SELECT buyer_number FROM buyers WHERE buyer_id = 'open')"
    )


def a_bucket_off_by_one(run: Run) -> None:
    run("UPDATE provider_totals SET receivable = receivable + 1 WHERE bucket = 'settled'")


def a_guard_taken_off(run: Run) -> None:
    run("DROP TRIGGER usage_no_update")


BREAKS = {
    "batch_moves_follow_the_table": a_move_that_isnt_in_the_table,
    "runs_have_28_attempts": a_29th_attempt,
    "attempts_are_six_hours_apart": an_attempt_an_hour_late,
    "attempts_wait_for_the_gate": a_debit_before_its_gate,
    "notices_come_before_ready": a_debit_without_a_notice,
    "providers_get_no_debit_notice": a_debit_notice_to_a_provider,
    "batches_settle_once": a_settlement_without_a_receipt,
    "buyers_are_debited_once": a_debit_made_twice,
    "settled_batches_pay_whom_they_owe": a_receivable_of_somebody_else,
    "unknown_outcomes_wait": a_blind_resubmission,
    "clearing_is_empty": money_left_in_clearing,
    "periods_equal_their_usage": a_row_nobody_added,
    "digests_equal_their_usage": a_row_changed_after_the_fact,
    "exposure_equals_its_definition": an_exposure_that_was_forgotten,
    "pauses_equal_their_batches": a_pause_that_was_forgotten,
    "reservations_end_once": a_reservation_ended_twice,
    "buckets_add_up": a_bucket_off_by_one,
    "usage_never_changes": a_guard_taken_off,
}


def test_a_sound_world_has_no_objection(broken: MockServer) -> None:
    """Nobody objects to a world in which every standing of a batch came about by itself."""
    statuses = {
        batch.status for batch in broken.client("provider").provider_statements.settlement_batches()
    }
    assert statuses == {"settled", "submitted", "past_due", "ready"}
    assert objections(broken) == set()


def test_every_invariant_has_its_break() -> None:
    """No invariant goes untested."""
    named = {invariant.__name__ for invariant in OURS}
    assert set(BREAKS) | {"batch_states_are_known"} == named


def test_a_state_that_isnt_one_is_named(broken: MockServer) -> None:
    """A batch in no state of the table is found out; its history can't agree with it either."""
    break_it(broken.world, a_state_that_isnt_one)
    named = {"batch_states_are_known", "batch_moves_follow_the_table"}
    with broken.world.snapshot() as connection:
        found = {one.name for invariant in OURS[:2] for one in invariant(connection)}
    assert found == named


@pytest.mark.parametrize(("name", "breaking"), BREAKS.items(), ids=BREAKS)
def test_only_the_broken_invariant_objects(
    broken: MockServer, name: str, breaking: Callable[[Run], None]
) -> None:
    """A broken rule is named by its own invariant, and by no other."""
    break_it(broken.world, breaking)
    assert objections(broken) == {name}


def test_a_miscounted_attempt_is_named(broken: MockServer) -> None:
    """A batch that counts more attempts than it made is found out."""
    break_it(broken.world, an_attempt_nobody_counted)
    assert "runs_have_28_attempts" in objections(broken)
