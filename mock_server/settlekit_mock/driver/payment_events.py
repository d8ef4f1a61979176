"""Record payments of either provider."""

from settlekit_mock.control.payment_events import PaymentEvent
from settlekit_mock.driver.calls import Calls


class PaymentEventsDriver:
    """The payments by which buyers bought credits."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self, sid: str, *, external_ref: str, amount_cents: int, currency: str, provider: str
    ) -> PaymentEvent:
        """Record that a buyer paid; ``amount_cents`` is its worth in US cents, and is credited."""
        body = {
            "sid": sid,
            "external_ref": external_ref,
            "amount_cents": amount_cents,
            "currency": currency,
            "provider": provider,
        }
        return self._calls.call(PaymentEvent, "POST", "payment-events", body)
