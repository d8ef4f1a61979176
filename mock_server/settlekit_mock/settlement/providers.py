"""Providers: whoever sells metered, by number, with the currency their totals are shown in."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from settlekit_mock.settlement.tables import PROVIDERS


class Provider(NamedTuple):
    """A provider of metered payments."""

    provider_number: int
    provider_id: str
    billing_currency: str


def find_provider(connection: Connection, provider_id: str) -> Provider | None:
    """Return a provider, if it is known."""
    row = connection.execute(_FIND, {"with_id": provider_id}).first()
    return None if row is None else Provider(*row)


def provider_number(connection: Connection, provider_id: str) -> int:
    """Return a provider's number, giving it one the first time."""
    found = find_provider(connection, provider_id)
    if found is None:
        connection.execute(insert(PROVIDERS).values(provider_id=provider_id))
        found = find_provider(connection, provider_id)
        assert found is not None
    return found.provider_number


def set_billing_currency(connection: Connection, provider_id: str, currency: str) -> None:
    """Choose the currency that a provider's totals are shown in, unless asked otherwise."""
    number = provider_number(connection, provider_id)
    connection.execute(
        update(PROVIDERS)
        .where(PROVIDERS.c.provider_number == number)
        .values(billing_currency=currency)
    )


_FIND = select(
    PROVIDERS.c.provider_number, PROVIDERS.c.provider_id, PROVIDERS.c.billing_currency
).where(PROVIDERS.c.provider_id == bindparam("with_id"))
