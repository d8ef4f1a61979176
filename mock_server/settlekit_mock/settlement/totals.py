"""A provider's receivable by bucket, kept as batches move, so that a summary adds up little."""

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.postgresql import insert as upsert

from settlekit_mock.settlement.rules.standing import Bucket
from settlekit_mock.settlement.tables import PROVIDER_TOTALS


def add_receivable(
    connection: Connection,
    *,
    provider_number: int,
    currency: str,
    band: str,
    bucket: Bucket,
    receivable: int,
) -> None:
    """Add units to a bucket, or take them out of it (negative)."""
    connection.execute(
        _ADD,
        {
            "provider_number": provider_number,
            "currency": currency,
            "band": band,
            "bucket": bucket.value,
            "receivable": receivable,
        },
    )


def provider_totals(
    connection: Connection, provider_number: int
) -> list[tuple[str, str, Bucket, int]]:
    """Return a provider's sums of closed periods: currency, band, bucket, units."""
    rows = connection.execute(_OF_PROVIDER, {"of_provider": provider_number})
    return [(row.currency, row.band, Bucket(row.bucket), row.receivable) for row in rows]


_OF_PROVIDER = select(
    PROVIDER_TOTALS.c.currency,
    PROVIDER_TOTALS.c.band,
    PROVIDER_TOTALS.c.bucket,
    PROVIDER_TOTALS.c.receivable,
).where(PROVIDER_TOTALS.c.provider_number == bindparam("of_provider"))
_NEW = upsert(PROVIDER_TOTALS)
_ADD = _NEW.on_conflict_do_update(
    index_elements=["provider_number", "currency", "band", "bucket"],
    set_={"receivable": PROVIDER_TOTALS.c.receivable + _NEW.excluded.receivable},
)
