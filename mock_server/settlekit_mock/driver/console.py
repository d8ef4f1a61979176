"""Read everything at once: periods, revenue, the flow of money, deliveries, accounts."""

from urllib.parse import quote, urlencode

from settlekit_mock.console.accounts import (
    LedgerAccount,
    LedgerAccounts,
    LedgerEntries,
    LedgerEntry,
)
from settlekit_mock.console.deliveries import ControlDeliveries, ControlDelivery
from settlekit_mock.console.flow import Flow
from settlekit_mock.console.periods import ControlPeriod, ControlPeriods
from settlekit_mock.console.revenue import RevenueOverTime
from settlekit_mock.control.buyers import BuyerAnswer
from settlekit_mock.driver.calls import Calls, given


class ConsoleReads:
    """What is read of the whole world at once."""

    _calls: Calls

    def periods(
        self,
        *,
        buyer: BuyerAnswer | str | None = None,
        merchant: str | None = None,
        currency: str | None = None,
        limit: int = 100,
    ) -> list[ControlPeriod]:
        """Read open periods, the one that closes first coming first; at most 1,000."""
        asked = {
            "buyer": buyer.buyer_id if isinstance(buyer, BuyerAnswer) else buyer,
            "merchant": merchant,
            "currency": currency,
            "limit": limit,
        }
        return self._calls.call(ControlPeriods, "GET", f"periods?{urlencode(given(asked))}").items

    def revenue(self, *, currency: str = "JPY", by: str | None = None) -> RevenueOverTime:
        """Read how what developers had coming stood at the end of each step.

        ``by`` is minute, hour, day, week or month; unless given, the finest with up to
        120 points.
        """
        query = urlencode(given({"currency": currency, "by": by}))
        return self._calls.call(RevenueOverTime, "GET", f"revenue?{query}")

    def flow(self, *, currency: str = "JPY") -> Flow:
        """Read what all customers promised, and where it is now."""
        return self._calls.call(Flow, "GET", f"flow?{urlencode({'currency': currency})}")


class DeliveriesDriver:
    """The webhook deliveries of all merchants."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def all(
        self,
        *,
        status: str | None = None,
        event_type: str | None = None,
        limit: int | None = None,
    ) -> list[ControlDelivery]:
        """Read deliveries with what they deliver, newest first: all, or at most ``limit``."""
        asked = {"status": status, "event_type": event_type}
        return self._calls.pages(ControlDeliveries, "deliveries", asked, size=100, limit=limit)

    def redeliver(self, delivery: ControlDelivery | str) -> ControlDelivery:
        """Deliver an event again, as its merchant would; return the new delivery."""
        delivery_id = delivery if isinstance(delivery, str) else delivery.id
        path = f"deliveries/{quote(delivery_id, safe='')}/redeliver"
        return self._calls.call(ControlDelivery, "POST", path, {})


class AccountsDriver:
    """The ledger's accounts."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def all(
        self,
        *,
        kind: str | None = None,
        owner: str | None = None,
        currency: str | None = None,
        limit: int | None = None,
    ) -> list[LedgerAccount]:
        """Read accounts, oldest first: all, or at most ``limit``."""
        asked = {"kind": kind, "owner": owner, "currency": currency}
        return self._calls.pages(LedgerAccounts, "accounts", asked, size=1000, limit=limit)

    def entries(
        self, account: LedgerAccount | str, *, limit: int | None = None
    ) -> list[LedgerEntry]:
        """Read an account's entries, newest first: all, or at most ``limit``."""
        account_id = account if isinstance(account, str) else account.account_id
        path = f"accounts/{quote(account_id, safe='')}/entries"
        return self._calls.pages(LedgerEntries, path, {}, size=1000, limit=limit)
