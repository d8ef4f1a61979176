"""One sitting of the exam: deliveries at the endpoint, and what they did to the orders."""

import secrets as random_secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import attrs

from settlekit.errors import InvalidArgument
from settlekit.testing.exam import events
from settlekit.testing.exam.endpoint import Answer, AtUrl, Endpoint
from settlekit.testing.exam.orders import Order, Probe, Restart, StartCheckout, State, read_order
from settlekit.webhooks.signature import SIGNATURE_HEADER, sign, sign_all

DELIVERIES: Final = 4
"""How often the exam delivers an event whose delivery isn't accepted; the platform does so 9 times."""

PAUSE_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 15.0
LOOKS: Final = 20
REVENUE: Final = "revenue_minor"
REVIEW: Final = "review"


class Finding(Exception):
    """The endpoint did something wrong; the text says what was seen."""


class NotAccepted(Finding):
    """The endpoint answered that it doesn't take a delivery; it may not know the order."""


class NotExamined(Exception):
    """The check can't be made with what the exam was given; the text says what is missing."""


def as_keyword(name: str) -> str:
    """Return a means' name as it is written in Python; a command has its own way."""
    return f"{name}="


@attrs.frozen(kw_only=True)
class Candidate:
    """What is examined, and by which means; ``word`` writes a means' name for who gave it."""

    endpoint: Endpoint
    secret: str
    merchant: str = "sandbox_merchant"
    start_checkout: StartCheckout | None = None
    probe: Probe | None = None
    restart: Restart | None = None
    word: Callable[[str], str] = as_keyword


@attrs.frozen
class Reference:
    """How orders look to the probe: before anything, and after one valid delivery."""

    unpaid: State
    paid: State


class Sitting:
    """Delivers, compares, and raises ``Finding`` where something is wrong."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate
        self._reference: Reference | None = None
        self.merchant = candidate.merchant
        self.made_up = False
        """Whether the last order is one that the shop doesn't know."""
        self.is_unseen = False
        """Whether a check asked for an effect, of what was accepted, that can't be read."""
        self._was_accepted = False

    def begin(self) -> None:
        """Begin a check: nothing was accepted yet."""
        self.is_unseen = self._was_accepted = False

    # Orders

    def order(self) -> Order:
        """Open an order; without ``start_checkout`` one that the shop doesn't know."""
        start = self._candidate.start_checkout
        self.made_up = start is None
        if start is not None:
            order = read_order(start())
            self.merchant = order.merchant
            return order
        return Order(
            key=events.new_id("order"),
            challenge_hash=f"sha256:{random_secrets.token_hex(32)}",
            amount_minor=1200,
            currency="JPY",
            merchant=self.merchant,
        )

    @property
    def knows_orders(self) -> bool:
        """Whether the state of orders can be read."""
        return self._candidate.start_checkout is not None and self._candidate.probe is not None

    def sees_effects(self) -> bool:
        """Say whether an effect can be graded; what was accepted may have had one unseen."""
        self.is_unseen |= not self.knows_orders and self._was_accepted
        return self.knows_orders

    def state(self, order: Order) -> State:
        """Return what the probe says of an order."""
        assert self._candidate.probe is not None
        return self._candidate.probe(order.key)

    def books(self, name: str) -> Any:
        """Return a figure of the shop's own books, once it rests; or don't examine it."""
        figure = self._figure(name)
        for _ in range(LOOKS):
            time.sleep(PAUSE_SECONDS)
            if (again := self._figure(name)) == figure:
                break
            figure = again
        return figure

    def _figure(self, name: str) -> Any:
        probe = self._candidate.probe
        found: State = probe(None) if probe is not None else None
        try:
            return found[name]
        except (LookupError, TypeError):
            means = self.word("probe")
            raise NotExamined(f"needs {means} to tell {name!r} of the shop's books") from None

    @property
    def reference(self) -> Reference:
        """How an unpaid and a paid order look; learned from two orders, which must agree."""
        if self._reference is None:
            first, second = self._learn(), self._learn()
            if first != second:
                raise InvalidArgument(
                    "probe",
                    "says different things of two orders that were treated alike "
                    f"({first!r}, {second!r}): leave ids and times out of its answer",
                )
            self._reference = first
        return self._reference

    def _learn(self) -> Reference:
        order = self.order()
        unpaid = self.state(order)
        self.settle(order)
        return Reference(unpaid, self._in_time(order, lambda state: bool(state != unpaid)))

    def _in_time(self, order: Order, wanted: Callable[[State], bool]) -> State:
        """Return the state of an order once it is as wanted, or as it is after a second.

        A shop that answers before it is done fails a check of that, and not all the others.
        """
        for _ in range(LOOKS):
            if wanted(state := self.state(order)):
                return state
            time.sleep(PAUSE_SECONDS)
        return self.state(order)

    def must_be_unpaid(self, order: Order, because: str) -> None:
        """Raise unless the order is as it was opened."""
        if self.sees_effects() and (state := self.state(order)) != self.reference.unpaid:
            raise Finding(f"{because}, and the order changed to {state!r}")

    def must_be_paid_once(self, order: Order, after: str) -> None:
        """Raise unless the order is as one valid delivery leaves it."""
        if self.sees_effects():
            self.must_become(order, self.reference.paid, after)

    def must_become(self, order: Order, wanted: State, after: str) -> None:
        """Raise unless the order soon is as wanted."""
        state = self._in_time(order, lambda state: bool(state == wanted))
        if state != wanted:
            raise Finding(f"after {after} the order is {state!r}, and should be {wanted!r}")

    # Deliveries

    def header(self, body: bytes, *, seconds: int = 0, secret: str | None = None) -> str:
        """Sign a body as of so many seconds from now."""
        key = self._candidate.secret if secret is None else secret
        return sign(body, key, timestamp=int(time.time()) + seconds)

    def header_of(self, body: bytes, secrets: list[str | None]) -> str:
        """Sign a body with several secrets, in this order; None is the endpoint's own."""
        keys = [self._candidate.secret if secret is None else secret for secret in secrets]
        return sign_all(body, keys, timestamp=int(time.time()))

    def send(self, body: bytes, header: str | None) -> Answer:
        """Deliver a body with this signature, or with none."""
        answer = self._candidate.endpoint.send(body, headers_with(header))
        self._was_accepted = answer.accepted
        return answer

    def tell(self, told: events.Data) -> Answer:
        """Deliver an event once, well signed."""
        body = events.body_of(told)
        return self.send(body, self.header(body))

    def deliver(self, told: events.Data) -> Answer:
        """Deliver an event as the platform does: again, freshly signed, until it is accepted.

        An endpoint that asks for time is given it, up to a lease's usual length.
        """
        answer = self.tell(told)
        for _ in range(DELIVERIES - 1):
            if answer.accepted:
                break
            time.sleep(min(max(PAUSE_SECONDS, answer.retry_after), LONGEST_WAIT_SECONDS))
            answer = self.tell(told)
        return answer

    def settle(self, order: Order) -> events.Data:
        """Deliver the valid event that pays an order; return it."""
        told = events.event(events.standard_settled(order))
        self.deliver(told)
        return told

    def at_once(self, sends: list[Callable[[], Answer]]) -> list[Answer]:
        """Deliver at the same time."""
        with ThreadPoolExecutor(len(sends)) as threads:
            return [sent.result() for sent in [threads.submit(send) for send in sends]]

    # Means

    def word(self, name: str) -> str:
        """Return a means' name as whoever sits the exam writes it."""
        return self._candidate.word(name)

    @property
    def secret(self) -> str:
        """The endpoint's secret."""
        return self._candidate.secret

    @property
    def socket(self) -> AtUrl:
        """The endpoint's URL, or don't examine what needs a socket."""
        if not isinstance(self._candidate.endpoint, AtUrl):
            raise NotExamined("needs a URL: an application in this process has no socket")
        return self._candidate.endpoint

    def restart(self) -> None:
        """Restart the shop."""
        assert self._candidate.restart is not None
        self._candidate.restart()

    def needs(self, *names: str) -> None:
        """Don't examine without these callables."""
        missing = [self.word(name) for name in names if getattr(self._candidate, name) is None]
        if missing:
            raise NotExamined(f"needs {', '.join(missing)}")


def headers_with(header: str | None) -> dict[str, str]:
    """Return the headers of a delivery."""
    signed = {} if header is None else {SIGNATURE_HEADER: header}
    return {"Content-Type": "application/json", "X-Siglume-Environment": "sandbox", **signed}


def must_accept(answer: Answer, what: str) -> None:
    """Raise unless the delivery was accepted."""
    if not answer.accepted:
        raise _unaccepted(answer, f"{what}: {answer}, and should be accepted with a 2xx")


def must_refuse(answer: Answer, what: str) -> None:
    """Raise unless the delivery was refused with a 4xx."""
    if not answer.refused:
        raise Finding(f"{what}: {answer}, and should be refused with 400")


def must_not_fail(answer: Answer, what: str) -> None:
    """Raise where the endpoint broke instead of answering."""
    if answer.status is None or answer.status >= 500:
        raise _unaccepted(answer, f"{what}: {answer}, and should be answered, with 2xx or 400")


def _unaccepted(answer: Answer, seen: str) -> Finding:
    return Finding(seen) if answer.status is None else NotAccepted(seen)
