"""What the shop's database says: its orders, the webhooks it took, the batches they told of."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examples.shop_parts.account import WEBHOOK_PATH
from examples.shop_parts.tables import (
    ATTEMPTS,
    WEBHOOK_EVENTS,
    Order,
    SettledBatch,
    use_sqlite_well,
)


class ShopEvent(NamedTuple):
    """A webhook that the shop took, and whether it did what its kind does."""

    event_id: str
    kind: str
    took_effect: bool


class ShopBooks:
    """Reads the shop's database, and counts the deliveries that the shop accepted."""

    def __init__(self, database: Path) -> None:
        self._engine = sa.create_engine(f"sqlite:///{database}")
        use_sqlite_well(self._engine)
        self.accepted_count = 0

    def close(self) -> None:
        """Give the database back."""
        self._engine.dispose()

    def orders(self) -> list[Order]:
        """Return all orders."""
        with Session(self._engine) as session:
            return list(session.scalars(sa.select(Order)))

    def order(self, order_id: str) -> Order | None:
        """Return an order by its number."""
        with Session(self._engine) as session:
            return session.get(Order, order_id)

    def session_of(self, order_id: str) -> str | None:
        """Return the checkout session that an order was paid in."""
        found = sa.select(ATTEMPTS.c.session_id).where(ATTEMPTS.c.order_id == order_id)
        with Session(self._engine) as session:
            return session.scalar(found.order_by(ATTEMPTS.c.number.desc()).limit(1))

    def events(self) -> list[ShopEvent]:
        """Return the webhooks that were taken."""
        columns = WEBHOOK_EVENTS.c
        with Session(self._engine) as session:
            rows = session.execute(sa.select(columns.event_id, columns.kind, columns.state)).all()
        return [ShopEvent(event_id, kind, state == "done") for event_id, kind, state in rows]

    def digests(self) -> dict[str, str]:
        """Return the digest that each batch's webhook brought."""
        with Session(self._engine) as session:
            batches = session.scalars(sa.select(SettledBatch))
            return {batch.settlement_batch_id: batch.usage_event_digest for batch in batches}

    def counting(self, shop: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """Return the shop's application, with the webhooks that it accepts counted."""

        def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            def start(status: str, headers: Any, *more: Any) -> Any:
                is_webhook = environ["PATH_INFO"] == WEBHOOK_PATH
                self.accepted_count += is_webhook and status.startswith("2")
                return start_response(status, headers, *more)

            return shop(environ, start)

        return application
