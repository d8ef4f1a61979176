"""Drive a mock from Python: every control route as a named method.

The same driver serves a mock in this process and one on a socket; what differs is the
``Send`` it is given. Answers are the control routes' own classes.
"""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote, urlencode

from settlekit_mock.control.buyers import BuyerAnswer
from settlekit_mock.control.check import Checked
from settlekit_mock.control.clock import Clock
from settlekit_mock.control.explain import Explanation
from settlekit_mock.control.fate import Fate
from settlekit_mock.control.journal import Journal, JournalEntry
from settlekit_mock.control.usage import BulkUsage
from settlekit_mock.driver.actors import BuyersDriver, MerchantsDriver, TokensDriver
from settlekit_mock.driver.calls import (
    Calls,
    ControlError,
    Listen,
    Send,
    UnreadableAnswer,
    duration_text,
    given,
)
from settlekit_mock.driver.clock import ClockDriver
from settlekit_mock.driver.console import AccountsDriver, ConsoleReads, DeliveriesDriver
from settlekit_mock.driver.faults import FaultsDriver, SnapshotsDriver, WebhookFaultsDriver
from settlekit_mock.driver.payment_events import PaymentEventsDriver
from settlekit_mock.driver.settlement import (
    BatchesDriver,
    CheckoutDriver,
    NoticesDriver,
    ScenariosDriver,
    SimulateDriver,
)

END = 2**63 - 1
"""Behind every journal entry there can be."""

__all__ = ["ControlError", "Driver", "Listen", "Send", "UnreadableAnswer"]


class Driver(ConsoleReads):
    """Drives one mock server."""

    def __init__(self, send: Send, listen: Listen | None = None) -> None:
        self._calls = Calls(send, listen)
        self.clock = ClockDriver(self._calls)
        self.buyers = BuyersDriver(self._calls)
        self.merchants = MerchantsDriver(self._calls)
        self.tokens = TokensDriver(self._calls)
        self.payment_events = PaymentEventsDriver(self._calls)
        self.simulate = SimulateDriver(self._calls)
        self.batches = BatchesDriver(self._calls)
        self.deliveries = DeliveriesDriver(self._calls)
        self.accounts = AccountsDriver(self._calls)
        self.checkout = CheckoutDriver(self._calls)
        self.notices = NoticesDriver(self._calls, self.clock)
        self.scenarios = ScenariosDriver(self._calls)
        self.faults = FaultsDriver(self._calls)
        self.webhook_faults = WebhookFaultsDriver(self._calls)
        self.snapshots = SnapshotsDriver(self._calls)

    def usage(
        self,
        buyer: BuyerAnswer | str,
        *,
        merchant: str,
        amount_minor: int,
        currency: str,
        count: int = 1,
        over: timedelta | str | float | None = None,
        listing_id: str | None = None,
        capability_key: str | None = None,
        operation_key: str | None = None,
        webhooks: bool = False,
    ) -> BulkUsage:
        """Have a buyer pay a metered amount ``count`` times, at once or spread over a time.

        With ``webhooks`` the merchant is told of each accepted payment, which costs more.
        """
        body = {
            "buyer": buyer if isinstance(buyer, str) else buyer.buyer_id,
            "merchant": merchant,
            "amount_minor": amount_minor,
            "currency": currency,
            "count": count,
            "over": duration_text(over),
            "listing_id": listing_id,
            "capability_key": capability_key,
            "operation_key": operation_key,
            "webhooks": webhooks,
        }
        return self._calls.call(BulkUsage, "POST", "usage", body)

    def events(
        self,
        *,
        kind: str | None = None,
        subject: str | None = None,
        after: int = 0,
        last: int | None = None,
    ) -> Iterator[JournalEntry]:
        """Iterate over the journal, oldest first; or over its ``last`` entries, up to 1,000.

        Raises ``ValueError`` for ``after`` beside ``last``.
        """
        if last is not None:
            if after:
                raise ValueError("give after or last, not both")
            query = given({"before": END, "limit": last, "kind": kind, "subject": subject})
            yield from self._calls.call(Journal, "GET", f"events?{urlencode(query)}").items
            return
        while True:
            query = given({"limit": 1000, "after": after, "kind": kind, "subject": subject})
            page = self._calls.call(Journal, "GET", f"events?{urlencode(query)}")
            yield from page.items
            if not page.items:
                return
            after = page.next_after

    def follow(
        self,
        *,
        kind: str | None = None,
        subject: str | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> Iterator[JournalEntry]:
        """Iterate over the journal as it is written, from now on or from behind an entry.

        It ends with the server, when the world is begun anew or restored, or after
        ``limit`` entries.
        """
        query = given({"kind": kind, "subject": subject, "after": after, "limit": limit})
        yield from self._calls.told(JournalEntry, f"events/stream?{urlencode(query)}")

    def fate(self, usage_id: str) -> Fate:
        """Read what became of a payment, accepted or refused."""
        return self._calls.call(Fate, "GET", f"usage/{quote(usage_id, safe='')}/fate")

    def explain(self, subject_id: str) -> Explanation:
        """Read why the amount of a batch, a payout or a wallet is what it is."""
        return self._calls.call(Explanation, "GET", f"explain/{quote(subject_id, safe='')}")

    def check(self) -> Checked:
        """Check every invariant, now."""
        return self._calls.call(Checked, "GET", "check")

    def reset(self) -> Clock:
        """Drop everything and begin with a fresh world."""
        return self._calls.call(Clock, "POST", "reset", {})
