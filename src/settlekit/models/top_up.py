"""Top-ups: credits that a buyer pays for with a card."""

from decimal import Decimal

import attrs

from settlekit.models.base import Model
from settlekit.models.states import TopUpStatus


@attrs.frozen(kw_only=True, getstate_setstate=False)
class TopUp(Model):
    """A top-up to be paid at ``checkout_url``; ``amount_usd`` is in whole cents."""

    checkout_session_id: str
    checkout_url: str
    status: TopUpStatus
    amount_usd: Decimal
    wallet_id: str | None = None
