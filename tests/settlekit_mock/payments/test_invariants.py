"""Each invariant of payments objects to what breaks it, and no other of any room does."""

from collections.abc import Callable, Iterator

import pytest

from settlekit_mock.payments.invariants import INVARIANTS
from tests.settlekit_mock.breaking import break_it
from tests.settlekit_mock.payments.standings import Run, Standings, standing

Breaking = Callable[[Run, Standings], None]


@pytest.fixture
def standings() -> Iterator[Standings]:
    with standing() as made:
        yield made


def a_hash_of_another_challenge(run: Run, at: Standings) -> None:
    run(f"UPDATE requirements SET challenge = 'x' WHERE requirement_id = '{at.waiting}'")


def spent_before_it_was_confirmed(run: Run, at: Standings) -> None:
    run(f"UPDATE requirements SET spent_at = 1 WHERE requirement_id = '{at.spent}'")


def confirmed_and_never_paid(run: Run, at: Standings) -> None:
    run(f"UPDATE requirements SET confirmed_at = 1 WHERE requirement_id = '{at.waiting}'")


def in_no_known_status(run: Run, at: Standings) -> None:
    run(f"UPDATE requirements SET status = 'lost' WHERE requirement_id = '{at.waiting}'")
    run(f"DELETE FROM due WHERE subject = '{at.waiting}'")


def a_requirement_without_an_end(run: Run, at: Standings) -> None:
    run(f"DELETE FROM due WHERE subject = '{at.waiting}'")


def a_session_that_ends_late(run: Run, at: Standings) -> None:
    run(f"UPDATE due SET at = at + 1 WHERE subject = '{at.open}'")


def a_session_that_ends_twice(run: Run, at: Standings) -> None:
    run(
        f"INSERT INTO due (at, kind, subject) SELECT at, kind, subject FROM due "
        f"WHERE subject = '{at.open}'"
    )


def an_end_of_what_is_paid(run: Run, at: Standings) -> None:
    run(f"INSERT INTO due (at, kind, subject) VALUES (9e15, 'requirement.expire', '{at.spent}')")


def a_payment_without_a_debit(run: Run, at: Standings) -> None:
    run(f"UPDATE ledger_transactions SET reason = 'x' WHERE subject = '{at.spent}'")


def a_payment_debited_twice(run: Run, at: Standings) -> None:
    run(f"UPDATE ledger_transactions SET subject = '{at.spent}' WHERE subject = '{at.confirmed}'")


def a_debit_of_another_amount(run: Run, at: Standings) -> None:
    run(f"UPDATE requirements SET amount_minor = 1201 WHERE requirement_id = '{at.spent}'")


def usage_of_two_payments(run: Run, at: Standings) -> None:
    run(
        "UPDATE requirements SET amount_minor = 100, metered_usage_id = (SELECT metered_usage_id "
        f"FROM requirements WHERE requirement_id = '{at.metered}') WHERE requirement_id = "
        f"(SELECT requirement_id FROM checkout_sessions WHERE session_id = '{at.sold_metered}')"
    )
    run(f"UPDATE checkout_sessions SET amount_minor = 100 WHERE session_id = '{at.sold_metered}'")


def usage_of_another_amount(run: Run, at: Standings) -> None:
    run(f"UPDATE requirements SET amount_minor = 101 WHERE requirement_id = '{at.metered}'")


def usage_that_never_was(run: Run, at: Standings) -> None:
    run(f"UPDATE requirements SET metered_usage_id = 'mu_x' WHERE requirement_id = '{at.metered}'")


def a_session_paid_by_another(run: Run, at: Standings) -> None:
    run(
        f"UPDATE checkout_sessions SET requirement_id = '{at.spent}' WHERE session_id = '{at.sold}'"
    )


def a_session_paid_by_nothing(run: Run, at: Standings) -> None:
    run(f"UPDATE checkout_sessions SET requirement_id = NULL WHERE session_id = '{at.sold}'")


def an_open_session_that_was_paid(run: Run, at: Standings) -> None:
    run(f"UPDATE checkout_sessions SET paid_at = 1 WHERE session_id = '{at.open}'")


def a_session_told_of_another_event(run: Run, at: Standings) -> None:
    run(
        "UPDATE checkout_sessions SET confirmed_event_id = (SELECT confirmed_event_id "
        f"FROM requirements WHERE requirement_id = '{at.spent}') WHERE session_id = '{at.sold}'"
    )


def a_receipt_of_two_payments(run: Run, at: Standings) -> None:
    run(
        "UPDATE payment_receipts SET chain_receipt_id = (SELECT chain_receipt_id FROM batches) "
        "WHERE receipt_kind = 'sdrp_direct_payment_allowance'"
    )


def a_receipt_of_another_payment(run: Run, at: Standings) -> None:
    run(
        "UPDATE payment_receipts SET chain_receipt_id = 'chain_x' "
        f"WHERE requirement_id = '{at.spent}'"
    )


def a_receipt_of_what_nobody_paid(run: Run, at: Standings) -> None:
    run(
        f"UPDATE payment_receipts SET requirement_id = '{at.waiting}', chain_receipt_id = NULL "
        f"WHERE requirement_id = '{at.metered}'"
    )


def an_allowance_that_was_never_sent(run: Run, at: Standings) -> None:
    run(
        "UPDATE payment_receipts SET chain_receipt_id = NULL "
        "WHERE receipt_kind = 'sdrp_direct_payment_allowance'"
    )


def a_guard_taken_off(run: Run, at: Standings) -> None:
    run("DROP TRIGGER payment_receipts_no_delete")


def a_payment_nobody_was_told_of(run: Run, at: Standings) -> None:
    run(f"UPDATE webhook_events SET about = NULL WHERE about = '{at.confirmed}'")


def a_payment_told_of_twice(run: Run, at: Standings) -> None:
    run(
        "INSERT INTO webhook_events (event_id, owner, event_type, about, occurred_at, body) "
        "SELECT 'evt_x', owner, event_type, about, occurred_at, "
        "CAST(replace(CAST(body AS TEXT), event_id, 'evt_x') AS BLOB) FROM webhook_events "
        f"WHERE about = '{at.confirmed}'"
    )


def told_of_a_use_that_was_not(run: Run, at: Standings) -> None:
    run(
        "UPDATE requirements SET status = 'confirmed', spent_at = NULL "
        f"WHERE requirement_id = '{at.spent}'"
    )


def told_of_nothing(run: Run, at: Standings) -> None:
    run(
        "INSERT INTO webhook_events (event_id, owner, event_type, about, occurred_at, body) "
        "VALUES ('evt_x', 'o', 't', 'dpr_x', 0, CAST('{\"id\":\"evt_x\",\"type\":\"t\"' AS BLOB))"
    )


def a_settlement_nobody_was_told_of(run: Run, at: Standings) -> None:
    run("UPDATE webhook_events SET about = NULL WHERE about LIKE 'msb_%'")


def test_sound_payments_have_no_violation(standings: Standings) -> None:
    """No invariant of any room objects to what agents and checkouts did by the routes."""
    assert standings.objections() == {}


@pytest.mark.parametrize(
    ("breaking", "name"),
    [
        (a_hash_of_another_challenge, "challenges_are_used_once"),
        (spent_before_it_was_confirmed, "requirements_keep_step"),
        (confirmed_and_never_paid, "requirements_keep_step"),
        (in_no_known_status, "requirements_keep_step"),
        (a_requirement_without_an_end, "waiting_payments_end_in_time"),
        (a_session_that_ends_late, "waiting_payments_end_in_time"),
        (a_session_that_ends_twice, "waiting_payments_end_in_time"),
        (an_end_of_what_is_paid, "waiting_payments_end_in_time"),
        (a_payment_without_a_debit, "standard_payments_move_once"),
        (a_payment_debited_twice, "standard_payments_move_once"),
        (a_debit_of_another_amount, "standard_payments_move_once"),
        (usage_of_two_payments, "metered_payments_accrue_once"),
        (usage_of_another_amount, "metered_payments_accrue_once"),
        (usage_that_never_was, "metered_payments_accrue_once"),
        (a_session_paid_by_another, "sessions_are_paid_once"),
        (a_session_paid_by_nothing, "sessions_are_paid_once"),
        (an_open_session_that_was_paid, "sessions_are_paid_once"),
        (a_session_told_of_another_event, "sessions_are_paid_once"),
        (a_receipt_of_two_payments, "receipts_belong_to_one_payment"),
        (a_receipt_of_another_payment, "receipts_belong_to_one_payment"),
        (a_receipt_of_what_nobody_paid, "receipts_belong_to_one_payment"),
        (an_allowance_that_was_never_sent, "receipts_belong_to_one_payment"),
        (a_guard_taken_off, "receipts_never_change"),
        (a_payment_nobody_was_told_of, "payments_are_told_once"),
        (a_payment_told_of_twice, "payments_are_told_once"),
        (told_of_a_use_that_was_not, "payments_are_told_once"),
        (told_of_nothing, "payments_are_told_once"),
        (a_settlement_nobody_was_told_of, "settlements_are_told_once"),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_only_the_invariant_that_was_broken_objects(
    standings: Standings, breaking: Breaking, name: str
) -> None:
    """A database broken in one way is named by one invariant, of all the rooms' together."""
    break_it(standings.world, lambda run: breaking(run, standings))
    assert set(standings.objections()) == {name}


def test_each_invariant_is_broken_here() -> None:
    """No invariant of payments is without its broken database."""
    (mark,) = test_only_the_invariant_that_was_broken_objects.pytestmark
    assert {name for _, name in mark.args[1]} == {check.__name__ for check in INVARIANTS}


def test_the_row_is_named(standings: Standings) -> None:
    """A violation names the requirement that is wrong."""
    break_it(standings.world, lambda run: a_payment_without_a_debit(run, standings))
    assert standings.objections() == {"standard_payments_move_once": {standings.spent}}
