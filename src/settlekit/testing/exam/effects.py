"""Checks of what an event does: once, whatever happens on the way."""

import time
from functools import partial
from urllib.parse import urlsplit, urlunsplit

import httpx

from settlekit.testing.exam import events
from settlekit.testing.exam.checks import check
from settlekit.testing.exam.endpoint import Answer, is_web_url
from settlekit.testing.exam.sitting import (
    Finding,
    NotExamined,
    Sitting,
    headers_with,
    must_accept,
    must_not_fail,
)

AT_ONCE = 2
ROUNDS = 3
SLOW_SECONDS = 1.2
SLOW_PIECES = 8
PROMPT_SECONDS = 0.6
LEFT_SECONDS = 0.3
CRASH_AFTER_SECONDS = (0.0, 0.005, 0.02, 0.05, 0.1)
ONCE = (
    "Write the event's id and its effect in one database transaction (settlekit's Inbox does), "
    "and answer after it."
)


@check(
    "duplicate",
    why="Any delivery can come again: an answer got lost, an operator pressed a button.",
    fix=ONCE,
)
def duplicate(sitting: Sitting) -> None:
    """A delivery that comes twice is accepted twice and takes effect once."""
    order = sitting.order()
    body = events.body_of(events.event(events.standard_settled(order)))
    header = sitting.header(body)
    must_accept(sitting.send(body, header), "the first delivery")
    must_accept(sitting.send(body, header), "the same delivery again")
    sitting.must_be_paid_once(order, "two deliveries")


@check(
    "replay_after_success",
    why="An event can be delivered again days later, with the time of that day.",
    fix=ONCE,
)
def replay_after_success(sitting: Sitting) -> None:
    """An old event, freshly signed, changes nothing more."""
    order = sitting.order()
    told = sitting.settle(order)
    other = sitting.order()
    sitting.settle(other)
    must_accept(sitting.tell(told), "an event that took effect before")
    sitting.must_be_paid_once(order, "a replay")
    sitting.must_be_paid_once(other, "another order's replay")


@check(
    "metered_duplicate",
    why="What you deliver twice for one payment, you give away.",
    fix=ONCE,
)
def metered_duplicate(sitting: Sitting) -> None:
    """Accepted usage that is told of twice counts once."""
    order, reference = sitting.order(), sitting.order()
    told = events.event(events.usage_accepted(order))
    sitting.deliver(told)
    must_accept(sitting.tell(told), "accepted usage, told again")
    sitting.deliver(events.event(events.usage_accepted(reference)))
    if sitting.sees_effects():
        sitting.must_become(order, sitting.state(reference), "accepted usage that was told twice")


@check(
    "two_at_once",
    why="A retry can overtake the delivery that it repeats.",
    fix=ONCE,
)
def two_at_once(sitting: Sitting) -> None:
    """Two deliveries of one event at the same time take effect once."""
    for _ in range(ROUNDS):
        order = sitting.order()
        told = events.event(events.standard_settled(order))
        for answer in sitting.at_once([partial(sitting.tell, told)] * AT_ONCE):
            if answer.refused and answer.status == 400:
                raise Finding(f"one of two deliveries at once: {answer}")
        must_accept(sitting.deliver(told), "the event once more")
        sitting.must_be_paid_once(order, "two deliveries at once")


@check(
    "reordered",
    why="Deliveries can overtake each other.",
    fix="Let no handler rely on an event that came before.",
)
def reordered(sitting: Sitting) -> None:
    """direct_payment.spent before direct_payment.confirmed does no harm."""
    order = sitting.order()
    must_accept(sitting.tell(events.spent(order)), "spent before confirmed")
    sitting.must_be_unpaid(order, "only direct_payment.spent came")
    sitting.settle(order)
    sitting.must_be_paid_once(order, "spent, then confirmed")


@check(
    "sender_leaves",
    why="The platform waits ten seconds; your effect may have held although nobody heard of it.",
    fix=ONCE,
)
def sender_leaves(sitting: Sitting) -> None:
    """A sender that hangs up before the answer, and delivers again, is served once."""
    socket = sitting.socket
    order = sitting.order()
    told = events.event(events.standard_settled(order))
    body = events.body_of(told)
    socket.send_and_leave(body, headers_with(sitting.header(body)))
    time.sleep(LEFT_SECONDS)
    must_accept(sitting.deliver(told), "the delivery after one that was left")
    sitting.must_be_paid_once(order, "a delivery that was left, and another")


@check(
    "slow_sender",
    why="One slow connection must not hold up all your payments.",
    fix="Serve with several threads or workers, or behind a proxy that buffers requests.",
)
def slow_sender(sitting: Sitting) -> None:
    """A sender that dribbles doesn't keep the others waiting."""
    socket = sitting.socket
    slow_order, order = sitting.order(), sitting.order()
    body = events.body_of(events.event(events.standard_settled(slow_order)))
    headers = headers_with(sitting.header(body))

    def prompt() -> Answer:
        time.sleep(SLOW_SECONDS / 6)
        return sitting.tell(events.event(events.standard_settled(order)))

    slow, quick = sitting.at_once(
        [partial(socket.send_slowly, body, headers, SLOW_SECONDS, SLOW_PIECES), prompt]
    )
    must_not_fail(slow, "a slow delivery")
    must_accept(quick, "a delivery beside a slow one")
    if quick.seconds > PROMPT_SECONDS:
        raise Finding(f"a delivery beside a slow one took {quick.seconds:.1f} s")


@check(
    "restart",
    why="What is remembered in memory alone is forgotten at every deployment.",
    fix="Remember events in the database, in the transaction of their effect.",
)
def restart(sitting: Sitting) -> None:
    """A delivery that comes again after a restart takes no second effect."""
    sitting.needs("start_checkout", "probe", "restart")
    order = sitting.order()
    told = sitting.settle(order)
    sitting.restart()
    must_accept(sitting.deliver(told), "the event after a restart")
    sitting.must_be_paid_once(order, "a delivery, a restart and a delivery")


@check(
    "crash_after_answer",
    why="After a 2xx nobody delivers again: what wasn't committed by then is lost.",
    fix=ONCE,
)
def crash_after_answer(sitting: Sitting) -> None:
    """What was answered with 2xx survives a crash."""
    sitting.needs("start_checkout", "probe", "restart")
    order = sitting.order()
    must_accept(sitting.tell(events.event(events.standard_settled(order))), "a settled payment")
    sitting.restart()
    sitting.must_be_paid_once(order, "an answer of 2xx and a crash")


@check(
    "crash_in_handler",
    why="Between the effect and the note that it was taken (or the other way round) lies a crash.",
    fix=ONCE,
)
def crash_in_handler(sitting: Sitting) -> None:
    """A crash in the middle of a delivery neither loses nor doubles its effect."""
    sitting.needs("start_checkout", "probe", "restart")
    socket = sitting.socket
    for seconds in CRASH_AFTER_SECONDS:
        order = sitting.order()
        told = events.event(events.standard_settled(order))
        body = events.body_of(told)
        socket.send_and_leave(body, headers_with(sitting.header(body)))
        time.sleep(seconds)
        sitting.restart()
        must_accept(sitting.deliver(told), "the delivery after a crash")
        sitting.must_be_paid_once(order, f"a crash {seconds * 1000:g} ms into a delivery")


@check(
    "redirect",
    why="Its address can be typed by anyone.",
    fix="Let the success page look up the order, and leave it to the webhook to pay it.",
)
def redirect(sitting: Sitting) -> None:
    """Coming back to the success page pays nothing."""
    sitting.needs("start_checkout", "probe")
    socket = sitting.socket
    order = sitting.order()
    if order.success_url is None:
        raise NotExamined(f"needs {sitting.word('start_checkout')} to tell the order's success_url")
    if not is_web_url(order.success_url):
        raise NotExamined(f"needs a success_url that is a URL, not {order.success_url!r}")
    try:
        socket.visit(_with_session(order.success_url))
    except httpx.HTTPError as error:
        raise NotExamined(
            f"needs a success_url that answers: {order.success_url}: {error}"
        ) from None
    sitting.must_be_unpaid(order, "a browser came back with nothing paid")


def _with_session(url: str) -> str:
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, f"session_id={events.new_id('chk')}")))
    return urlunsplit(parts._replace(query=query))
