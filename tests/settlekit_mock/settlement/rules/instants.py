"""Instants written as people write them."""

from datetime import UTC, datetime


def instant(text: str) -> int:
    """Read an ISO time in UTC as an instant."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000
