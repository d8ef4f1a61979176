"""A customer's balance as the operator sets it, and what the customer has paid.

Here amounts are whole US cents; a balance may be negative.
"""

import attrs

from settlekit.models.base import Instant, Model


@attrs.frozen(kw_only=True, getstate_setstate=False)
class BalanceChange(Model):
    """A customer's balance before and after it was set, in cents."""

    sid: str
    prev_balance: int
    new_balance: int
    lifetime_paid_cents: int | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class PaymentEvent(Model):
    """A payment in the payment provider's books; ``currency`` is what was paid in."""

    external_ref: str
    amount_cents: int
    currency: str | None = None
    provider: str | None = None
    created_at: Instant | None = None


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Billing(Model):
    """A customer's balance and payments, in cents; setting the balance changes no payment."""

    sid: str
    credit_balance_cents: int
    lifetime_paid_cents: int
    payment_events: tuple[PaymentEvent, ...] = ()
