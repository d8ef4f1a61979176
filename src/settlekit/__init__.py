"""Client library for direct payment requests and metered settlement."""

from importlib import import_module
from typing import TYPE_CHECKING

from settlekit._version import __version__
from settlekit.errors import (
    ApiError,
    AuthenticationError,
    BudgetExceeded,
    CheckoutNotReady,
    CheckoutUnavailable,
    ClientUnusable,
    ConfigurationError,
    Conflict,
    DecodeError,
    IdempotencyConflict,
    InsufficientBalance,
    InvalidArgument,
    InvalidRequest,
    NotFound,
    PayloadError,
    PaymentRequired,
    PermissionDenied,
    RateLimited,
    RequestTimeout,
    ServerError,
    SettlekitError,
    SettlementPastDue,
    SetUpIncomplete,
    SignatureError,
    TransportError,
    WaitTimeout,
)

if TYPE_CHECKING:
    from settlekit import challenge, digest, errors, models, money, webhooks
    from settlekit._async.client import AsyncClient
    from settlekit._async.pages import AsyncPage
    from settlekit._async.rows import AsyncRows, AsyncUsageRows
    from settlekit._codec import Result
    from settlekit._flow import RetryPolicy
    from settlekit._observing import AttemptEnded, AttemptStarted, RetryPlanned
    from settlekit._sync.client import Client
    from settlekit._sync.pages import Page
    from settlekit._sync.rows import Rows, UsageRows
    from settlekit.models import Response

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncPage",
    "AsyncRows",
    "AsyncUsageRows",
    "AttemptEnded",
    "AttemptStarted",
    "AuthenticationError",
    "BudgetExceeded",
    "CheckoutNotReady",
    "CheckoutUnavailable",
    "Client",
    "ClientUnusable",
    "ConfigurationError",
    "Conflict",
    "DecodeError",
    "IdempotencyConflict",
    "InsufficientBalance",
    "InvalidArgument",
    "InvalidRequest",
    "NotFound",
    "Page",
    "PayloadError",
    "PaymentRequired",
    "PermissionDenied",
    "RateLimited",
    "RequestTimeout",
    "Response",
    "Result",
    "RetryPlanned",
    "RetryPolicy",
    "Rows",
    "ServerError",
    "SetUpIncomplete",
    "SettlekitError",
    "SettlementPastDue",
    "SignatureError",
    "TransportError",
    "UsageRows",
    "WaitTimeout",
    "__version__",
    "challenge",
    "digest",
    "errors",
    "models",
    "money",
    "webhooks",
]

# Loaded when they are asked for: who signs challenges or only catches errors needs neither
# the clients nor the models.
_HOMES = {
    "AsyncClient": "settlekit._async.client",
    "AsyncPage": "settlekit._async.pages",
    "AsyncRows": "settlekit._async.rows",
    "AsyncUsageRows": "settlekit._async.rows",
    "AttemptEnded": "settlekit._observing",
    "AttemptStarted": "settlekit._observing",
    "Client": "settlekit._sync.client",
    "Page": "settlekit._sync.pages",
    "Response": "settlekit.models",
    "Result": "settlekit._codec",
    "RetryPlanned": "settlekit._observing",
    "RetryPolicy": "settlekit._flow",
    "Rows": "settlekit._sync.rows",
    "UsageRows": "settlekit._sync.rows",
}
_MODULES = {"challenge", "digest", "errors", "models", "money", "webhooks"}


if not TYPE_CHECKING:  # which would take any name for one that is here

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return import_module(f"settlekit.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module 'settlekit' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
