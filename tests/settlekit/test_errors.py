import builtins
import pickle

import pytest

import settlekit
from settlekit import errors

EXAMPLES = [
    errors.SettlekitError("x"),
    errors.ConfigurationError("x"),
    errors.InvalidArgument("nonce", "is required"),
    errors.WaitTimeout("late", {"status": "open"}),
    errors.TransportError("x"),
    errors.RequestTimeout("x"),
    errors.ApiError(418, "TEAPOT", "short and stout", "req", "trace", {"a": 1}, None, 2.5),
    errors.RateLimited(429, "SLOW", "slower", retry_after=3.0),
    errors.BudgetExceeded(402, "BUDGET_EXCEEDED", "no"),
    errors.DecodeError(("not text @ $.a", "not text @ $.b")),
    errors.SignatureError("stale", "too old"),
    errors.PayloadError("x"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_survive_pickling(error: Exception) -> None:
    """An error that crosses a process keeps its class, text and data."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (errors.InvalidArgument, (ValueError,)),
        (errors.WaitTimeout, (TimeoutError,)),
        (errors.RequestTimeout, (errors.TransportError,)),
        (errors.SettlementPastDue, (errors.Conflict, errors.ApiError)),
        (errors.IdempotencyConflict, (errors.Conflict,)),
        (errors.CheckoutNotReady, (errors.Conflict,)),
        (errors.CheckoutUnavailable, (errors.ApiError,)),
        (errors.BudgetExceeded, (errors.PaymentRequired,)),
        (errors.InsufficientBalance, (errors.PaymentRequired,)),
    ],
)
def test_errors_are_what_callers_catch(
    error: type[Exception], parents: tuple[type[Exception], ...]
) -> None:
    """Each error has the parents that its page promises."""
    assert issubclass(error, (errors.SettlekitError, *parents))


def test_every_error_is_public() -> None:
    """Every class of the tree can be imported from the package."""
    tree = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, Exception)]
    assert [e.__name__ for e in tree if getattr(settlekit, e.__name__, None) is not e] == []


def test_no_error_shadows_a_builtin() -> None:
    """``from settlekit import *`` hides no builtin."""
    assert [name for name in settlekit.__all__ if hasattr(builtins, name)] == []


def test_an_api_error_says_what_to_quote() -> None:
    """Its text has status, code, message and the request id."""
    error = errors.ApiError(409, "CODE", "why", "req_1")
    assert str(error) == "409 CODE: why (request req_1)"
