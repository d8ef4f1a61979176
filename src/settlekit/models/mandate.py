"""Mandates: what may be collected again without asking."""

import attrs

from settlekit.models.base import Model
from settlekit.models.states import MandateStatus


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Mandate(Model):
    """A permission to collect; ``max_amount_minor`` is its cap in minor units.

    A merchant's is for the plan's base fee; a buyer's names its cadence and currency too.
    """

    mandate_id: str
    status: MandateStatus
    max_amount_minor: int | None = None
    cadence: str | None = None
    currency: str | None = None
    token_symbol: str | None = None
