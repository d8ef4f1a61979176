import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from settlekit import webhooks
from settlekit.testing import WebhookInbox

EVENT = {
    "id": "evt_1",
    "type": "direct_payment.spent",
    "api_version": "2026-06-20",
    "occurred_at": "2026-03-01T00:00:00.000Z",
    "data": {},
}


@pytest.fixture
def inbox() -> Iterator[WebhookInbox]:
    with WebhookInbox() as made:
        yield made


def deliver(inbox: WebhookInbox, secret: str | None = None, **changes: str) -> int:
    body = json.dumps({**EVENT, **changes}).encode()
    header = webhooks.sign(body, secret or inbox.secret, timestamp=_now())
    named = {webhooks.SIGNATURE_HEADER: header}
    return httpx.post(inbox.url, content=body, headers=named, trust_env=False).status_code


def _now() -> int:

    return int(time.time())


def test_what_is_proven_is_kept(inbox: WebhookInbox) -> None:
    """Events in the order they came, repeats included, with their raw bodies."""
    assert [deliver(inbox), deliver(inbox, id="evt_2"), deliver(inbox)] == [204, 204, 204]
    assert [event.id for event in inbox.events] == ["evt_1", "evt_2", "evt_1"]
    assert json.loads(inbox.deliveries[0].body) == EVENT
    inbox.clear()
    assert inbox.events == []


def test_an_inbox_says_what_it_has(inbox: WebhookInbox) -> None:
    """Its repr has its address and how many came, and no secret."""
    deliver(inbox)
    assert repr(inbox) == f"<WebhookInbox on {inbox.url}: 1 delivery>"
    assert repr(WebhookInbox()) == "<WebhookInbox: 0 deliveries>"


def test_what_is_not_proven_is_refused(inbox: WebhookInbox) -> None:
    """Another secret, or no signature at all, is 400 and leaves no event."""
    assert deliver(inbox, secret="whsec_other") == 400
    assert httpx.post(inbox.url, content=b"{}", trust_env=False).status_code == 400
    assert inbox.events == []


def test_it_can_fail_on_demand(inbox: WebhookInbox) -> None:
    """A sender that retries can be watched: what failed was seen all the same."""
    inbox.status = 500
    assert deliver(inbox) == 500
    assert [event.id for event in inbox.events] == ["evt_1"]


def test_an_application_takes_what_arrives(inbox: WebhookInbox) -> None:
    """It gets the bytes and headers as they came and answers; what is proven is kept as ever."""
    seen: list[tuple[str, str, bool]] = []

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        body, header = environ["wsgi.input"].read(), environ["HTTP_SIGLUME_SIGNATURE"]
        event = webhooks.verify(body, header, inbox.secret)
        kept_before = event in inbox.events
        seen.append((environ["HTTP_HOST"], environ["PATH_INFO"], kept_before))
        start("202 Accepted", [])
        return []

    inbox.deliver_to(application, url="https://shop.localhost/hooks")
    assert deliver(inbox) == 202
    assert seen == [("shop.localhost", "/hooks", False)]
    assert [event.id for event in inbox.events] == ["evt_1"]


def test_what_an_application_broke_on_arrived_all_the_same() -> None:
    """Its defect is the sender's to hear of, and the event is kept; so are refusals."""
    inbox = WebhookInbox()

    def application(*_: object) -> list[bytes]:
        raise RuntimeError("a defect of the shop")

    inbox.deliver_to(application, url="https://shop.localhost/hooks")
    body = json.dumps(EVENT).encode()
    for secret in (inbox.secret, "whsec_other"):
        with pytest.raises(RuntimeError, match="a defect of the shop"):
            inbox.receive(body, webhooks.sign(body, secret, timestamp=_now()))
    assert (len(inbox.events), len(inbox.refusals)) == (1, 1)


def test_waiting_returns_what_arrives_later(inbox: WebhookInbox) -> None:
    """By type or by kind, as soon as it is there."""
    late = threading.Timer(0.05, deliver, [inbox])
    late.start()
    assert inbox.wait_for(event_type="direct_payment.spent").id == "evt_1"
    assert inbox.wait_for(kind="unknown").id == "evt_1"
    late.join()


def test_nobody_waits_for_a_kind_that_there_isnt(inbox: WebhookInbox) -> None:
    """A kind with a typo in it is refused at once, with the kinds that there are."""
    with pytest.raises(ValueError, match=r"no kind 'standard_setled'; there are standard_settled"):
        inbox.wait_for(kind="standard_setled")


def test_waiting_ends_with_what_came_instead(inbox: WebhookInbox) -> None:
    """The error tells what there is."""
    deliver(inbox)
    with pytest.raises(TimeoutError, match=r"no standard_settled arrived.*spent \(unknown\)"):
        inbox.wait_for(kind="standard_settled", timeout_seconds=0.01)
