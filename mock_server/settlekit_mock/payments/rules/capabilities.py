"""What becomes of a paid capability: which outcomes of its provider charge, and what is retried.

Source: docs/decisions.md, "Paid capabilities".
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class Outcome(StrEnum):
    """How the provider behind a capability ended its work."""

    SUCCESS = "2xx"
    CLIENT_ERROR = "4xx"
    SERVER_ERROR = "5xx"
    TIMEOUT = "timeout"
    CLIENT_DISCONNECT = "client_disconnect"
    FAILED_CHARGEABLE = "failed_chargeable"


class Consequence(NamedTuple):
    """What an outcome means: whether it charges, what the provider said, how the row is marked.

    ``provider_status`` is null where no answer came in time.
    """

    charged: bool
    provider_status: int | None
    usage_outcome: str | None = None


CONSEQUENCES: Final[Mapping[Outcome, Consequence]] = MappingProxyType(
    {
        Outcome.SUCCESS: Consequence(charged=True, provider_status=200),
        Outcome.CLIENT_ERROR: Consequence(charged=False, provider_status=400),
        Outcome.SERVER_ERROR: Consequence(charged=False, provider_status=500),
        Outcome.TIMEOUT: Consequence(charged=False, provider_status=None),
        Outcome.CLIENT_DISCONNECT: Consequence(charged=True, provider_status=200),
        # The provider took the work on (202) before it was seen to fail.
        Outcome.FAILED_CHARGEABLE: Consequence(
            charged=True, provider_status=202, usage_outcome=Outcome.FAILED_CHARGEABLE.value
        ),
    }
)
"""The whole table. An outcome that charged stands; one that didn't may be tried again."""
