"""Client library for direct payment requests and metered settlement."""

from settlekit import challenge, digest, errors, models, money, webhooks
from settlekit._async.client import AsyncClient
from settlekit._async.pages import AsyncPage
from settlekit._codec import Result
from settlekit._flow import RetryPolicy
from settlekit._sync.client import Client
from settlekit._sync.pages import Page
from settlekit._version import __version__
from settlekit.errors import (
    ApiError,
    AuthenticationError,
    BudgetExceeded,
    CheckoutNotReady,
    CheckoutUnavailable,
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
    SignatureError,
    TransportError,
    WaitTimeout,
)
from settlekit.models import Response

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncPage",
    "AuthenticationError",
    "BudgetExceeded",
    "CheckoutNotReady",
    "CheckoutUnavailable",
    "Client",
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
    "RetryPolicy",
    "ServerError",
    "SettlekitError",
    "SettlementPastDue",
    "SignatureError",
    "TransportError",
    "WaitTimeout",
    "__version__",
    "challenge",
    "digest",
    "errors",
    "models",
    "money",
    "webhooks",
]
