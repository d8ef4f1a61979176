"""Each invariant of webhooks objects to what breaks it, and no other of any room does."""

from collections.abc import Callable, Iterator

import pytest

from settlekit_mock.webhooks.invariants import INVARIANTS
from tests.settlekit_mock.breaking import break_it
from tests.settlekit_mock.payments.standings import Run, Standings, standing

TO = "subscription_id = (SELECT subscription_id FROM webhook_subscriptions WHERE callback_url LIKE '%/{}')"
DELIVERED = f"{TO.format('good')} AND delivery_number = 2"
RETRIED = (
    "delivery_number = (SELECT MIN(delivery_number) FROM webhook_deliveries "
    f"WHERE {TO.format('bad')})"
)
OF_RETRIED = f"(SELECT delivery_id FROM webhook_deliveries WHERE {RETRIED})"
OF_DELIVERED = f"(SELECT delivery_id FROM webhook_deliveries WHERE {DELIVERED})"


@pytest.fixture
def standings() -> Iterator[Standings]:
    with standing() as made:
        yield made


def change(run: Run, what: str, where: str) -> None:
    run(f"UPDATE webhook_deliveries SET {what} WHERE {where}")


def a_body_of_another_event(run: Run) -> None:
    run(
        "UPDATE webhook_events SET body = CAST(replace(CAST(body AS TEXT), event_id, 'evt_x') "
        "AS BLOB) WHERE event_number = 1"
    )


def a_delivery_to_somebody_else(run: Run) -> None:
    change(run, "owner = 'usr_x'", DELIVERED)


def a_delivery_of_another_type(run: Run) -> None:
    change(run, "event_type = 'direct_payment.refunded'", DELIVERED)


def a_tenth_attempt(run: Run) -> None:
    count = f"(SELECT attempt_count FROM webhook_deliveries WHERE {RETRIED})"
    run(
        "INSERT INTO events (at, kind, subject, data) WITH RECURSIVE n(i) AS "
        f"(SELECT {count} UNION ALL SELECT i + 1 FROM n WHERE i < 9) "
        f"SELECT 0, 'webhook.failed', {OF_RETRIED}, '{{}}' FROM n"
    )
    change(run, "attempt_count = 10", RETRIED)


def queued_after_an_attempt(run: Run) -> None:
    change(run, "delivery_status = 'queued'", RETRIED)


def delivered_by_a_refusal(run: Run) -> None:
    change(run, "response_status = 500", DELIVERED)


def delivered_at_no_time(run: Run) -> None:
    change(run, "delivered_at = NULL", DELIVERED)


def delivered_and_tried_again(run: Run) -> None:
    change(run, "next_attempt_at = 9000000000000", DELIVERED)
    run(
        f"INSERT INTO due (at, kind, subject) VALUES (9000000000000, 'webhook.deliver', {OF_DELIVERED})"
    )


def a_retry_that_never_comes(run: Run) -> None:
    run(f"DELETE FROM due WHERE subject = {OF_RETRIED}")


def a_retry_that_comes_late(run: Run) -> None:
    run(f"UPDATE due SET at = at + 1 WHERE subject = {OF_RETRIED}")


def a_delivery_due_twice(run: Run) -> None:
    run(
        f"INSERT INTO due (at, kind, subject) SELECT at, kind, subject FROM due WHERE subject = {OF_RETRIED}"
    )


def held_by_nobody(run: Run) -> None:
    run("UPDATE webhook_subscriptions SET status = 'active'")


def an_attempt_without_an_entry(run: Run) -> None:
    change(run, "attempt_count = attempt_count + 1", RETRIED)


def an_entry_of_an_arrival_that_was_not(run: Run) -> None:
    run(f"UPDATE events SET kind = 'webhook.delivered' WHERE subject = {OF_RETRIED}")


def a_guard_taken_off(run: Run) -> None:
    run("DROP TRIGGER webhook_events_no_delete")


@pytest.mark.parametrize(
    ("breaking", "name"),
    [
        (a_body_of_another_event, "bodies_name_their_event"),
        (a_delivery_to_somebody_else, "deliveries_carry_their_event"),
        (a_delivery_of_another_type, "deliveries_carry_their_event"),
        (a_tenth_attempt, "attempts_are_within_bounds"),
        (queued_after_an_attempt, "attempts_are_within_bounds"),
        (delivered_by_a_refusal, "delivered_is_final"),
        (delivered_at_no_time, "delivered_is_final"),
        (delivered_and_tried_again, "delivered_is_final"),
        (a_retry_that_never_comes, "waiting_deliveries_are_due"),
        (a_retry_that_comes_late, "waiting_deliveries_are_due"),
        (a_delivery_due_twice, "waiting_deliveries_are_due"),
        (held_by_nobody, "held_deliveries_are_paused"),
        (an_attempt_without_an_entry, "attempts_equal_the_journal"),
        (an_entry_of_an_arrival_that_was_not, "attempts_equal_the_journal"),
        (a_guard_taken_off, "events_never_change"),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_only_the_invariant_that_was_broken_objects(
    standings: Standings, breaking: Callable[[Run], None], name: str
) -> None:
    """A database broken in one way is named by one invariant, of all the rooms' together."""
    assert standings.objections() == {}
    break_it(standings.world, breaking)
    assert set(standings.objections()) == {name}


def test_each_invariant_is_broken_here() -> None:
    """No invariant of webhooks is without its broken database."""
    (mark,) = test_only_the_invariant_that_was_broken_objects.pytestmark
    assert {name for _, name in mark.args[1]} == {check.__name__ for check in INVARIANTS}
