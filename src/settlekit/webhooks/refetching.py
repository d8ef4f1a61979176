"""The current state behind an event, so that late and reordered events do no harm."""

from typing import TYPE_CHECKING, Any, overload

from settlekit.errors import InvalidArgument
from settlekit.webhooks.classification import MeteredBatchSettled, Told

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from settlekit import AsyncClient, Client
    from settlekit.models import CheckoutSession, SettlementBatch


@overload
def refetch(client: "Client", told: MeteredBatchSettled) -> "SettlementBatch": ...
@overload
def refetch(client: "AsyncClient", told: MeteredBatchSettled) -> "Awaitable[SettlementBatch]": ...
@overload
def refetch(client: "Client", told: Told, *, session_id: str) -> "CheckoutSession": ...
@overload
def refetch(
    client: "AsyncClient", told: Told, *, session_id: str
) -> "Awaitable[CheckoutSession]": ...


def refetch(client: "Client | AsyncClient", told: Told, *, session_id: str | None = None) -> Any:
    """Ask the API how what an event tells of stands now: its batch, or its checkout session.

    An event says how things stood when it was made. A payment's event doesn't name its session:
    the order that has its ``challenge_hash`` does. Ask outside the handler's transaction, which a
    network call would hold open. Raises InvalidArgument for another event without a session.
    """
    if isinstance(told, MeteredBatchSettled):
        return client.provider_statements.settlement_batch(told.settlement_batch_id)
    if session_id is None:
        raise InvalidArgument("session_id", f"is needed for {told.kind}: the order has it")
    return client.checkout_sessions.get(session_id)
