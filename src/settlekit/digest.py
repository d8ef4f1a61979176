"""The usage-event digest: a hash chain over the rows of a batch, oldest first.

Anyone who holds a batch's rows can compute it and compare it with the batch's
``usage_event_digest``. Each link hashes the one before it and a line of the row's id,
instant, price and fee, all as they are on the wire.
"""

import hashlib
from typing import Final

SEED: Final = hashlib.sha256(b"sdrp-usage-v1").digest()


def extend(
    state: bytes,
    *,
    metered_usage_id: str,
    created_at: str,
    provider_gross_amount_minor: str,
    protocol_fee_minor: str,
) -> bytes:
    """Add one row to the chain and return its new state."""
    line = f"{metered_usage_id}|{created_at}|{provider_gross_amount_minor}|{protocol_fee_minor}\n"
    return hashlib.sha256(state + line.encode()).digest()


def render(state: bytes) -> str:
    """Write a state of the chain as ``sha256:`` and hex."""
    return f"sha256:{state.hex()}"


class UsageDigest:
    """The chain as an accumulator: add rows in the order of acceptance, read ``value``."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = SEED

    def add(
        self,
        *,
        metered_usage_id: str,
        created_at: str,
        provider_gross_amount_minor: str,
        protocol_fee_minor: str,
    ) -> None:
        """Add one row, its fields as they are on the wire."""
        self._state = extend(
            self._state,
            metered_usage_id=metered_usage_id,
            created_at=created_at,
            provider_gross_amount_minor=provider_gross_amount_minor,
            protocol_fee_minor=protocol_fee_minor,
        )

    @property
    def value(self) -> str:
        """The digest of the rows so far."""
        return render(self._state)
