"""One effect, always: under concurrent deliveries, database errors and kill -9, on each store."""

import logging
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from settlekit.webhooks.classification import interpret
from settlekit.webhooks.events import read_event
from settlekit.webhooks.inbox import State, record_of
from tests.settlekit.webhooks import shops
from tests.settlekit.webhooks.deliveries import SECRET, USAGE, body_of, signed

AT_ONCE = 32
ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """A database of the test's own, by URL."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql_url")
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture(params=["sqlalchemy", "async", "django"])
def shop(request, database):
    """A shop whose one handler books an order, on each store."""
    made = shops.open_shop(request.param, database, lease_seconds=0.5)
    made.create_tables()
    yield made
    made.close()


def test_a_thousandth_delivery_finds_one_effect(shop):
    """Delivered again and again, the event is booked once."""
    assert [shop.receive() for _ in range(3)] == [204, 204, 204]
    assert shop.bookings() == ["evt_1"]


def test_deliveries_at_once_take_effect_once(shop):
    """Thirty-two at the same moment: one is booked, each other is done or told to come again."""
    statuses = shop.receive_at_once(AT_ONCE)
    assert set(statuses) <= {204, 503}
    assert shop.bookings() == ["evt_1"]
    time.sleep(0.6)  # a claim that its delivery couldn't give back has lapsed
    assert shop.receive() == 204
    assert shop.bookings() == ["evt_1"]


def test_events_at_once_all_take_effect(shop):
    """Different events don't get into each other's way for good."""
    shop.receive_at_once(8, same=False)
    time.sleep(0.6)
    for number in range(8):
        assert shop.receive(f"evt_{number}") == 204
    assert sorted(shop.bookings()) == [f"evt_{number}" for number in range(8)]


def test_a_failing_handler_leaves_nothing(shop, caplog):
    """What it wrote before it failed is undone, and the next delivery books once."""
    caplog.set_level(logging.CRITICAL, "settlekit.webhooks")
    shop.fail_after_effect = True
    assert shop.receive() == 503
    assert shop.bookings() == []
    shop.fail_after_effect = False
    assert shop.receive() == 204
    assert shop.bookings() == ["evt_1"]


def test_a_database_that_fails_loses_nothing(shop, caplog):
    """Without its table the inbox answers 503, and with it again the event is booked."""
    caplog.set_level(logging.CRITICAL, "settlekit.webhooks")
    shop.rename_table("settlekit_webhook_events", "gone")
    assert shop.receive() == 503
    shop.rename_table("gone", "settlekit_webhook_events")
    shop.rename_table("bookings", "gone")
    assert shop.receive() == 503
    shop.rename_table("gone", "bookings")
    assert shop.receive() == 204
    assert shop.bookings() == ["evt_1"]


def test_who_lost_its_claim_writes_nothing(shop):
    """A slow handler's claim that lapsed and went to another one can't be used any more."""
    record = record_of(interpret(read_event(body_of())), body_of(), time.time(), None)
    now = time.time()
    assert shop.claim(record, "slow", now) is None
    assert shop.claim(record, "early", now) is State.RECEIVED
    assert shop.claim(record, "fast", now + 1) is None
    assert shop.take("evt_1", "slow") is False
    assert shop.bookings() == []
    assert shop.take("evt_1", "fast") is True
    assert shop.take("evt_1", "fast") is False
    assert shop.bookings() == ["evt_1"]


def test_what_nobody_handles_is_reviewed_and_taken_later(shop):
    """A row for each, with its reason; reopened and recovered it stays until it has a handler."""
    body = body_of(USAGE)
    assert shop.deliver(body, signed(body)) == 204
    [record] = shop.inbox_says("review")
    assert (record.event_id, record.reason, record.body) == ("evt_1", "no_handler", body.decode())
    assert shop.inbox_says("reopen", "evt_1") is True
    assert shop.inbox_says("reopen", "evt_1") is False
    assert [each.event_id for each in shop.inbox_says("waiting", time.time())] == ["evt_1"]
    assert shop.recover() == 0
    assert shop.inbox_says("resolve", "evt_1") is True
    assert shop.inbox_says("review") == []


def test_a_handler_can_send_its_event_to_review(shop):
    """Its writes are undone, it isn't run again by itself, and it is once somebody reopens it."""
    shop.reason_for_review = "the amount isn't the order's"
    assert shop.receive() == 204
    assert shop.bookings() == []
    [record] = shop.inbox_says("review")
    assert (record.event_id, record.state) == ("evt_1", State.REVIEW)
    assert (record.reason, record.body) == ("the amount isn't the order's", body_of().decode())
    shop.reason_for_review = None
    assert (shop.receive(), shop.recover(), shop.bookings()) == (204, 0, [])
    assert shop.inbox_says("reopen", "evt_1") is True
    assert (shop.recover(), shop.bookings()) == (1, ["evt_1"])
    assert shop.inbox_says("review") == []


@pytest.mark.parametrize("reason", ["", "x" * 9000, "日本\x00\ud800\nlines"])
def test_any_reason_for_review_is_kept(shop, reason):
    """However long or strange, it doesn't keep the event from the person who reviews."""
    shop.reason_for_review = reason
    assert shop.receive() == 204
    [record] = shop.inbox_says("review")
    assert record.reason == reason[:255].translate(dict.fromkeys([0, 0xD800, 10], "\ufffd"))
    assert shop.inbox_says("resolve", "evt_1") is True
    assert (shop.receive(), shop.bookings(), shop.inbox_says("review")) == (204, [], [])


def test_who_lost_its_claim_sends_nothing_to_review(shop):
    """An event that another delivery holds, or has done, stays where it is."""
    record = record_of(interpret(read_event(body_of())), body_of(), time.time(), None)
    now = time.time()
    shop.claim(record, "slow", now)
    shop.claim(record, "fast", now + 1)
    assert shop.inbox_says("keep", "evt_1", "slow", "late") is False
    assert shop.take("evt_1", "fast") is True
    assert shop.inbox_says("keep", "evt_1", "fast", "late") is False
    assert shop.inbox_says("review") == []


@pytest.mark.parametrize("kind", ["sqlalchemy", "async", "django"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_kill_9_in_the_handler_leaves_one_effect(kind, moment, database):
    """Killed before or after it wrote, within its transaction: nothing is booked until recovered."""
    shop = shops.open_shop(kind, database, lease_seconds=0.2)
    shop.create_tables()
    body = body_of()
    command = [sys.executable, "-m", "tests.settlekit.webhooks.killed", kind, database, moment]
    done = subprocess.run([*command, signed(body)], input=body, cwd=ROOT, check=False, timeout=30)
    assert done.returncode == -signal.SIGKILL
    assert shop.bookings() == []
    time.sleep(0.25)
    assert shop.recover() == 1
    assert shop.bookings() == ["evt_1"]
    assert shop.receive() == 204
    assert shop.bookings() == ["evt_1"]
    shop.close()


def test_the_secret_is_nowhere_in_the_table(shop):
    """What the inbox keeps is the event alone."""
    shop.receive()
    assert SECRET not in str(shop.rows("settlekit_webhook_events"))


@pytest.mark.parametrize("module", ["sqlalchemy", "flask", "fastapi", "django"])
def test_a_missing_framework_is_named(module):
    """The error says what to install."""
    code = f"import sys; sys.modules[{module!r}] = None; import settlekit.webhooks.{module}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert f"pip install 'settlekit[{module}]'" in done.stderr
