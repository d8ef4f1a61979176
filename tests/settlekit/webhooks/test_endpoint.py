"""The endpoint answers 2xx only after the effect held."""

import logging
import time

import pytest

from settlekit import webhooks
from settlekit.errors import InvalidArgument
from settlekit.webhooks.endpoint import Endpoint
from tests.settlekit.webhooks.deliveries import (
    BATCH,
    SECRET,
    SPENT,
    STANDARD,
    USAGE,
    body_of,
    signed,
)


class Till:
    """Handlers that count what they were told, on an inbox in memory."""

    def __init__(self, **options):
        self.told = []
        self.fault = None
        self.now = time.time()
        self.handlers = webhooks.Handlers()
        self.handlers.standard_settled(self.take)
        self.handlers.metered_batch_settled(self.take)
        self.inbox = webhooks.MemoryInbox()
        options = {"secrets": SECRET, **options}
        self.endpoint = Endpoint(self.handlers, inbox=self.inbox, now=lambda: self.now, **options)

    def take(self, told, transaction):
        if self.fault is not None:
            raise self.fault
        self.told.append((told.kind, told.event.id))

    def receive(self, data=STANDARD, secret=SECRET, **event):
        body = body_of(data, **event)
        return self.endpoint.receive(body, signed(body, secret)).status


def test_an_event_takes_effect_once():
    """However often it is delivered, each time with 204."""
    till = Till()
    assert [till.receive(), till.receive(), till.receive()] == [204, 204, 204]
    assert till.told == [("standard_settled", "evt_1")]


def test_what_is_not_proven_is_400_and_nothing_else():
    """Another secret and a body that isn't an event are refused without a word."""
    till = Till()
    body = b"{}"
    assert till.receive(secret="whsec_other") == 400
    assert till.endpoint.receive(body, None) == (400, {})
    assert till.endpoint.receive(body, signed(body)) == (400, {})
    assert till.told == []


def test_either_secret_counts_while_one_is_rotated():
    """A list of secrets, or a function that gives it at each delivery."""
    keys = ["whsec_new", SECRET]
    till = Till(secrets=lambda: keys)
    assert till.receive(secret=SECRET) == 204
    keys.remove(SECRET)
    assert till.receive(secret=SECRET) == 400
    assert till.receive(secret="whsec_new") == 204


@pytest.mark.parametrize("data", [{"readiness_probe": True}, {"mode": "readiness_probe"}])
def test_a_readiness_probe_is_answered_and_skipped(data):
    """It leaves nothing behind."""
    till = Till()
    assert till.receive({**STANDARD, **data}) == 204
    assert till.told == []
    assert till.inbox.review() == []


def test_a_body_may_not_be_too_long():
    """413 before anything is computed."""
    till = Till(max_body_bytes=10)
    assert till.receive() == 413


@pytest.mark.parametrize("fault", [webhooks.NotYet("no order yet"), ZeroDivisionError("bug")])
def test_what_failed_comes_again(fault, caplog):
    """503 while the handler fails, and one effect once it doesn't."""
    caplog.set_level(logging.CRITICAL, "settlekit.webhooks")
    till = Till()
    till.fault = fault
    body = body_of()
    answer = till.endpoint.receive(body, signed(body))
    assert (answer.status, answer.headers) == (503, {"Retry-After": "60"})
    [waiting] = till.inbox.waiting(till.now)
    assert (waiting.event_id, waiting.error) == ("evt_1", type(fault).__name__)
    till.fault = None
    assert [till.receive(), till.receive()] == [204, 204]
    assert len(till.told) == 1


def test_what_failed_can_be_recovered_without_the_sender():
    """The body is kept, so that the effect needs no further delivery."""
    till = Till()
    till.fault = webhooks.NotYet()
    assert till.receive() == 503
    till.fault = None
    assert [till.endpoint.recover(), till.endpoint.recover()] == [1, 0]
    assert till.told == [("standard_settled", "evt_1")]


@pytest.mark.parametrize(
    ("data", "event_type", "reason"),
    [
        ({**STANDARD, "chain_receipt_id": None}, None, "missing_standard_settlement_fields"),
        ({**STANDARD, "mode": "of_tomorrow"}, None, "unsupported_confirmation_mode"),
        (STANDARD, "direct_payment.refunded", "not_direct_payment_confirmed"),
        ({}, "direct_payment.spent", "not_direct_payment_confirmed"),
        (USAGE, None, "no_handler"),
        ({**STANDARD, "merchant": "another"}, None, "merchant_differs"),
    ],
)
def test_what_nobody_can_book_is_kept_for_review(data, event_type, reason):
    """Unknown, unhandled or somebody else's: no effect, 204, and a row to look at."""
    till = Till(merchant="shop")
    assert till.receive(data, event_type=event_type or "direct_payment.confirmed") == 204
    assert till.told == []
    assert [record.reason for record in till.inbox.review()] == [reason]


def test_a_handler_can_send_its_event_to_review():
    """204 and its reason beside it; the handler runs again only once it is reopened."""
    till = Till()
    till.fault = webhooks.NeedsReview("no order has this challenge")
    assert [till.receive(), till.receive(), till.endpoint.recover()] == [204, 204, 0]
    [record] = till.inbox.review()
    assert (record.reason, record.attempts) == ("no order has this challenge", 1)
    assert till.inbox.reopen("evt_1")
    assert till.endpoint.recover() == 0
    [record] = till.inbox.review()
    assert (record.reason, record.attempts) == ("no order has this challenge", 2)
    till.fault = None
    assert till.inbox.reopen("evt_1")
    assert till.endpoint.recover() == 1
    assert till.told == [("standard_settled", "evt_1")]


def test_a_handler_of_unknown_events_can_say_why_they_wait():
    """Its reason takes the place of ours."""
    till = Till()

    @till.handlers.unknown
    def refuse(told, transaction):
        raise webhooks.NeedsReview("a kind of tomorrow")

    assert till.receive({}) == 204
    assert [record.reason for record in till.inbox.review()] == ["a kind of tomorrow"]


def test_a_review_without_a_reason_says_that_it_was_asked_for():
    """The bare class will do: what is rare must not fail on its own words."""
    till = Till()
    till.fault = webhooks.NeedsReview
    assert till.receive() == 204
    assert [record.reason for record in till.inbox.review()] == ["needs_review"]


def test_an_event_that_could_not_be_kept_for_review_comes_again(monkeypatch, caplog):
    """A note that isn't written is no note: 503, and the next delivery asks the handler again."""
    caplog.set_level(logging.CRITICAL, "settlekit.webhooks")
    till = Till()
    till.fault = webhooks.NeedsReview("why")
    with monkeypatch.context() as broken:
        broken.setattr(till.inbox, "keep", lambda *_: 1 / 0)
        assert till.receive() == 503
    assert till.inbox.review() == []
    assert till.receive() == 204
    assert [record.reason for record in till.inbox.review()] == ["why"]


def test_a_review_after_the_lease_is_somebody_elses(monkeypatch):
    """Where the claim was lost meanwhile the sender is told to come again."""
    till = Till()
    till.fault = webhooks.NeedsReview("late")
    monkeypatch.setattr(till.inbox, "keep", lambda *_: False)
    assert till.receive() == 503


def test_a_reviewed_event_can_be_resolved_or_taken_again():
    """Resolved it is gone; reopened it takes effect once its handler is there."""
    till = Till()
    till.receive(USAGE)
    till.receive(USAGE, event_id="evt_2")
    assert till.inbox.resolve("evt_1")
    assert not till.inbox.resolve("evt_1")
    till.handlers.metered_usage_accepted(till.take)
    assert till.inbox.reopen("evt_2")
    assert till.endpoint.recover() == 1
    assert till.told == [("metered_usage_accepted", "evt_2")]
    assert till.inbox.review() == []


def test_every_kind_has_its_handler():
    """What each is told is typed; spent without a handler has no effect and needs no review."""
    till = Till()
    assert till.receive(SPENT, event_type="direct_payment.spent", event_id="evt_0") == 204
    assert (till.told, till.inbox.review()) == ([], [])
    till.handlers.metered_usage_accepted(till.take)
    till.handlers.spent(till.take)
    till.handlers.unknown(till.take)
    till.receive(BATCH, event_id="evt_1")
    till.receive(USAGE, event_id="evt_2")
    till.receive(SPENT, event_type="direct_payment.spent", event_id="evt_3")
    till.receive({}, event_id="evt_4")
    kinds = ["metered_batch_settled", "metered_usage_accepted", "spent", "unknown"]
    assert [kind for kind, _ in till.told] == kinds
    assert [record.event_id for record in till.inbox.review()] == ["evt_4"]


def test_an_event_in_other_hands_comes_again():
    """While one delivery is at work, another one of the same event is told to wait."""
    till = Till()
    seen = []

    def look(told, transaction):
        seen.append(till.receive())

    till.handlers.spent(look)
    till.handlers._handlers["standard_settled"] = look
    assert till.receive() == 204
    assert seen == [503]


def test_a_claim_lapses():
    """What a process that died had claimed is taken after the lease, and not before."""
    till = Till()
    till.fault = SystemExit()
    with pytest.raises(SystemExit):
        till.receive()
    till.fault = None
    assert till.receive() == 503
    till.now += 61
    assert till.receive() == 204
    assert len(till.told) == 1


@pytest.mark.parametrize("secrets", ["", [], [" "], ["good", ""]])
def test_a_missing_secret_is_found_at_the_start(secrets):
    """Not with the first event."""
    with pytest.raises(InvalidArgument, match="secrets"):
        Endpoint(webhooks.Handlers(), secrets=secrets, inbox=webhooks.MemoryInbox())


def test_handlers_must_fit_their_inbox():
    """A coroutine that nobody awaits would lose its effect."""
    handlers = webhooks.Handlers()

    @handlers.spent
    async def lost(told, transaction):
        raise AssertionError("never called")

    with pytest.raises(InvalidArgument, match="that of spent must be def"):
        Endpoint(handlers, secrets=SECRET, inbox=webhooks.MemoryInbox())
    with pytest.raises(InvalidArgument, match="has one for spent already"):
        handlers.spent(lost)
