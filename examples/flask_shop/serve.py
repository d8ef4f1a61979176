"""Run the shop: ``python examples/flask_shop/serve.py``, then open the address it prints.

Without ``SIGLUME_MERCHANT_AUTH_TOKEN`` it brings a mock of the platform along, on the real
clock. With it, it sells through the platform that the ``SIGLUME_…`` variables name.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.flask_shop.app import create_app
from examples.shop_parts.account import Account
from examples.shop_parts.catalogue import CATALOGUE, Product
from examples.shop_parts.serving import serve
from examples.shop_parts.tables import Base, use_sqlite_well
from settlekit import Client


@contextmanager
def open_shop(
    account: Account, database: Path, catalogue: Sequence[Product] = CATALOGUE
) -> Iterator[Flask]:
    """Make the shop on a database file."""
    engine = sa.create_engine(f"sqlite:///{database}")
    use_sqlite_well(engine)
    Base.metadata.create_all(engine)
    with Client(token=account.token, base_url=account.api_base) as client:
        yield create_app(client, account, engine, catalogue)
    engine.dispose()


if __name__ == "__main__":
    sys.exit(serve(open_shop))
