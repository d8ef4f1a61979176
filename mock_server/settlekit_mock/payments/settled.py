"""Where a metered payment stands: it is settled once the batch that it fell into is."""

from sqlalchemy import Connection, bindparam, select

from settlekit_mock.payments.tables import REQUIREMENTS
from settlekit_mock.settlement.tables import BATCHES, USAGE


def settled_by(connection: Connection, requirement_id: str | None) -> str | None:
    """Return the chain receipt of the batch that settled a metered payment, if one has.

    A batch that was given up settles nothing: the payment stays without a receipt.
    """
    if requirement_id is None:
        return None
    found: str | None = connection.execute(_RECEIPT, {"given": requirement_id}).scalar()
    return found


# Only a settled batch has a receipt.
_RECEIPT = (
    select(BATCHES.c.chain_receipt_id)
    .join(USAGE, USAGE.c.period_number == BATCHES.c.period_number)
    .join(REQUIREMENTS, REQUIREMENTS.c.metered_usage_id == USAGE.c.metered_usage_id)
    .where(REQUIREMENTS.c.requirement_id == bindparam("given"))
)
