"""The tables of usage: apps, and each use of a model with its price and where that went."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, Text

from settlekit_mock.kernel.append_only import append_only
from settlekit_mock.kernel.tables import METADATA, Number
from settlekit_mock.operations.rules.rating import RouteMode

_MODES = tuple(mode.value for mode in RouteMode)


def _counts(*names: str) -> list[Column[int]]:
    return [
        Column(name, BigInteger, CheckConstraint(f"{name} >= 0"), nullable=False) for name in names
    ]


APPS = Table(
    "apps",
    METADATA,
    Column("app_number", Number, primary_key=True),
    Column("public_app_id", Text, nullable=False, unique=True),
    Column("developer_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("apps_of_developer", "developer_id"),
)
"""Apps that were used, and whose they are."""

USAGE_RECORDS = append_only(
    Table(
        "usage_records",
        METADATA,
        Column("record_number", Number, primary_key=True),
        Column("request_id", Text, nullable=False, unique=True),
        Column("public_app_id", Text, nullable=False),
        Column("developer_id", Text, nullable=False),
        Column("buyer_id", Text, nullable=False),
        Column("feature_key", Text, nullable=False),
        Column("route_mode", Text, CheckConstraint(f"route_mode IN {_MODES}"), nullable=False),
        Column("provider", Text, nullable=False),
        Column("model", Text, nullable=False),
        *_counts("input_tokens", "output_tokens", "cached_tokens"),
        Column("currency", Text, nullable=False),
        *_counts("upstream", "retail", "channel", "platform"),
        Column("created_at", BigInteger, nullable=False),
        CheckConstraint("retail = upstream + channel + platform"),
        Index("usage_records_of_app", "public_app_id", "record_number"),
        Index("usage_records_by_time", "currency", "created_at", "record_number"),
    )
)
"""Each use of a model: amounts in units, and ``retail`` is the sum of the other three."""
