"""Apps and the developers they belong to: a merchant's listing, or what was used first."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.operations.usage_tables import APPS
from settlekit_mock.payments.tables import MERCHANTS, all_merchants, merchants_of


class App(NamedTuple):
    """An app and its developer."""

    public_app_id: str
    developer_id: str


def find_app(connection: Connection, public_app_id: str) -> App | None:
    """Return an app that was used before, or a merchant's listing."""
    given = {"named": public_app_id}
    row = connection.execute(_NAMED, given).first() or connection.execute(_LISTED, given).first()
    return None if row is None else App(*row)


def app_owner(connection: Connection, public_app_id: str, developer_id: str | None) -> str:
    """Return whose an app is; a new one is the given developer's, or the first one's.

    Raises ``NotFound`` for an unknown developer.
    """
    if developer_id is not None and not merchants_of(connection, developer_id):
        raise NotFound(f"no developer {developer_id}")
    found = find_app(connection, public_app_id)
    if found is not None:
        return found.developer_id
    return developer_id or all_merchants(connection)[0].merchant_user_id


def register_app(tx: Transaction, public_app_id: str, developer_id: str) -> None:
    """Keep an app that is used for the first time."""
    if tx.connection.execute(_NAMED, {"named": public_app_id}).first() is None:
        row: dict[str, object] = {
            "public_app_id": public_app_id,
            "developer_id": developer_id,
            "created_at": tx.now,
        }
        tx.connection.execute(_INSERT, row)


def all_apps(connection: Connection) -> list[App]:
    """Return every app, newest first: those that were used, then listings that never were."""
    used = [App(*row) for row in connection.execute(_NEWEST)]
    known = {app.public_app_id for app in used}
    listed = [
        App(merchant.listing_id, merchant.merchant_user_id)
        for merchant in reversed(all_merchants(connection))
    ]
    return [*used, *(app for app in listed if app.public_app_id not in known)]


_INSERT = insert(APPS)
_APP = select(APPS.c.public_app_id, APPS.c.developer_id)
_NAMED = _APP.where(APPS.c.public_app_id == bindparam("named"))
_NEWEST = _APP.order_by(APPS.c.app_number.desc())
_LISTED = select(MERCHANTS.c.listing_id, MERCHANTS.c.merchant_user_id).where(
    MERCHANTS.c.listing_id == bindparam("named")
)
