"""The inbox in memory keeps what the inboxes on databases keep, while its process lives."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from settlekit import webhooks
from settlekit.webhooks.classification import interpret
from settlekit.webhooks.endpoint import Endpoint
from settlekit.webhooks.events import read_event
from settlekit.webhooks.inbox import State, record_of
from tests.settlekit.webhooks.deliveries import SECRET, body_of, signed

AT_ONCE = 32


class Shop:
    """A shop that books in memory."""

    def __init__(self, *, lease_seconds: float = 60) -> None:
        self.booked: list[str] = []
        self.seconds = 0.0
        self.inbox = webhooks.MemoryInbox(lease_seconds=lease_seconds)
        handlers: webhooks.Handlers[Any] = webhooks.Handlers()
        handlers.standard_settled(self.book)
        self.endpoint = Endpoint(handlers, secrets=SECRET, inbox=self.inbox)

    def book(self, told: Any, _: Any) -> None:
        time.sleep(self.seconds)
        self.booked.append(told.event.id)

    def receive(self, body: bytes = body_of()) -> int:
        return self.endpoint.receive(body, signed(body)).status


def test_deliveries_at_once_take_effect_once() -> None:
    """Thirty-two at the same moment: one is booked, each other is done or told to come again."""
    shop, start = Shop(), threading.Barrier(AT_ONCE)

    def deliver(_: int) -> int:
        start.wait(10)
        return shop.receive()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        statuses = set(threads.map(deliver, range(AT_ONCE)))
    assert statuses <= {204, 503}
    assert shop.receive() == 204
    assert shop.booked == ["evt_1"]


def test_a_handler_slower_than_its_lease_books_once() -> None:
    """Its claim doesn't lapse while it is at work, whoever comes meanwhile."""
    shop = Shop(lease_seconds=0.01)
    shop.seconds = 0.1
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(shop.receive)
        time.sleep(0.05)
        assert shop.receive() == 503
        assert shop.endpoint.recover() == 0
        assert first.result(5) == 204
    assert shop.booked == ["evt_1"]


def test_a_claim_is_used_once() -> None:
    """Neither a claim that was lost nor one that was used takes another effect, or a review."""
    inbox, taken = webhooks.MemoryInbox(lease_seconds=1), list[str]()
    record = record_of(interpret(read_event(body_of())), body_of(), 0, None)
    assert inbox.claim(record, "slow", 0) is None
    assert inbox.claim(record, "early", 0.5) is State.RECEIVED
    assert inbox.claim(record, "fast", 2) is None
    assert inbox.keep("evt_1", "slow", "late") is False
    uses = [
        inbox.take("evt_1", claim, State.DONE, lambda _, name=claim: taken.append(name))
        for claim in ("slow", "fast", "fast")
    ]
    assert (uses, taken) == ([False, True, False], ["fast"])
    assert inbox.keep("evt_1", "fast", "late") is False
    assert inbox.review() == []
