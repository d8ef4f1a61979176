import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import errors
from settlekit._calls.call import Answer, Call
from settlekit._refusals import refusal, retry_after_seconds
from tests.settlekit import wire


def refused(
    status: int, body: bytes, *, hosted_checkout: bool = False, **headers: str
) -> errors.ApiError:
    call = Call(method="GET", path="/x", read=lambda a: a, hosted_checkout=hosted_checkout)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return refusal(call, Answer(status=status, headers=named, content=body), lambda: 0.0)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "X", errors.InvalidRequest),
        (401, "X", errors.AuthenticationError),
        (402, "X", errors.PaymentRequired),
        (402, "BUDGET_EXCEEDED", errors.BudgetExceeded),
        (402, "insufficient_balance", errors.InsufficientBalance),
        (403, "X", errors.PermissionDenied),
        (404, "HTTP_404", errors.NotFound),
        (404, "CHECKOUT_SESSION_NOT_FOUND", errors.NotFound),
        (409, "X", errors.Conflict),
        (409, "METERED_SETTLEMENT_PAST_DUE", errors.SettlementPastDue),
        (409, "IDEMPOTENCY_KEY_REUSED_WITH_DIFFERENT_PAYLOAD", errors.IdempotencyConflict),
        (409, "idempotency_key_reused", errors.IdempotencyConflict),
        (409, "CHECKOUT_NONCE_REUSED", errors.IdempotencyConflict),
        (409, "HOSTED_CHECKOUT_READINESS_REQUIRED", errors.CheckoutNotReady),
        (409, "FEATURE_DISABLED", errors.Conflict),
        (413, "X", errors.ApiError),
        (422, "X", errors.InvalidRequest),
        (429, "X", errors.RateLimited),
        (500, "X", errors.ServerError),
        (503, "X", errors.ServerError),
    ],
)
def test_status_and_code_choose_the_error(
    status: int, code: str, kind: type[errors.ApiError]
) -> None:
    """A caller can branch by class on what it can do about it."""
    error = refused(status, wire.refusal(code))
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, code, "req_9")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "HOSTED_CHECKOUT_NOT_ENABLED"),
        (409, "FEATURE_DISABLED"),
        (404, "HTTP_404"),
        (404, "NOT_FOUND"),
        (404, "ROUTE_NOT_FOUND"),
        (404, "FEATURE_DISABLED"),
    ],
)
def test_six_answers_mean_that_checkout_is_off(status: int, code: str) -> None:
    """On checkout's routes they are one error."""
    error = refused(status, wire.refusal(code), hosted_checkout=True)
    assert type(error) is errors.CheckoutUnavailable


def test_an_unknown_session_is_not_a_missing_feature() -> None:
    """A session that isn't there says NotFound on checkout's routes too."""
    error = refused(404, wire.refusal("CHECKOUT_SESSION_NOT_FOUND"), hosted_checkout=True)
    assert type(error) is errors.NotFound


def test_a_bare_404_on_checkouts_routes_means_that_it_is_off() -> None:
    """A server without the route says nothing readable."""
    assert type(refused(404, b"", hosted_checkout=True)) is errors.CheckoutUnavailable


def test_the_operators_errors_carry_their_own_request_id() -> None:
    """Errors without an envelope have the request id inside."""
    body = b'{"error": {"code": "forbidden", "message": "no", "request_id": "req_op"}}'
    assert refused(403, body).request_id == "req_op"


def test_headers_tell_the_request_where_the_body_does_not() -> None:
    """A proxy's page still has a request id to quote."""
    error = refused(502, b"<html>", x_request_id="req_h", x_trace_id="trace_h")
    assert (error.request_id, error.trace_id, error.data) == ("req_h", "trace_h", "<html>")
    assert (error.code, error.message) == ("HTTP_502", "Bad Gateway")


@given(status=st.integers(300, 999), body=st.binary(max_size=60))
def test_no_body_breaks_the_reading_of_a_refusal(status: int, body: bytes) -> None:
    """Whatever a broken server says, an ApiError comes of it."""
    assert refused(status, body).status == status


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 12 ", 12.0),
        ("Thu, 01 Jan 1970 00:00:30 GMT", 30.0),
        ("Mon, 01 Jan 1968 00:00:30 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("１２", None),
        ("9" * 400, math.inf),
        ("Thu, 01 Jan 1970 00:00:30 -0000", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """Anything else says nothing, and a date gone by means now."""
    assert retry_after_seconds(header, lambda: 0.0) == seconds
