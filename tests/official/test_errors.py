"""How the official client understands the mock's refusals."""

from typing import Any

import pytest
import siglume_direct_request_payment as official

from tests.official.conftest import Platform
from tests.official.test_methods import RETURN_TO, SHOP, TERMS, session

pytestmark = pytest.mark.official


@pytest.mark.parametrize("switch", ["off", "gone"])
def test_checkout_that_is_switched_off_is_not_available(platform: Platform, switch: str) -> None:
    """Off (409) and gone (404) are one error to the official client, for a new session."""
    platform.driver.merchants.update("sandbox_merchant", hosted_checkout=switch)
    with pytest.raises(official.HostedCheckoutNotAvailableError):
        session(platform)


def test_an_open_session_outlives_the_switch(platform: Platform) -> None:
    """A session that was opened before can still be read."""
    opened = session(platform)
    platform.driver.merchants.update("sandbox_merchant", hosted_checkout="off")
    found = platform.merchant().get_checkout_session(opened["session_id"])
    assert found["status"] == "open"


def test_a_merchant_that_is_not_ready_is_told_what_is_missing(platform: Platform) -> None:
    """The refusal names every missing requirement, and isn't taken for a switched-off checkout."""
    platform.driver.merchants.update(
        "sandbox_merchant",
        mandate_status="approval_required",
        terms_accepted=False,
        live_mode_requested=False,
    )
    with pytest.raises(official.SiglumeApiError) as refused:
        session(platform)
    assert not isinstance(refused.value, official.HostedCheckoutNotAvailableError)
    assert (refused.value.status, refused.value.code) == (409, "HOSTED_CHECKOUT_READINESS_REQUIRED")
    missing = ["active_mandate", "terms", "live_mode"]
    assert refused.value.data["error"]["missing_requirements"] == missing
    readiness = platform.merchant().get_merchant_readiness("sandbox_merchant")
    assert (readiness["ready"], readiness["missing_requirements"]) == (False, missing)


@pytest.mark.parametrize(
    ("billing_status", "code"),
    [
        ("setup_required", "EXTERNAL_402_MERCHANT_BILLING_SETUP_REQUIRED"),
        ("past_due", "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE"),
        ("suspended", "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED"),
    ],
)
def test_billing_that_is_not_in_order_is_named(
    platform: Platform, billing_status: str, code: str
) -> None:
    """Each state of billing that forbids payments has its code."""
    platform.driver.merchants.update("sandbox_merchant", billing_status=billing_status)
    with pytest.raises(official.SiglumeApiError) as refused:
        session(platform)
    assert (refused.value.status, refused.value.code) == (409, code)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"merchant": "nobody"}, 404, "EXTERNAL_402_MERCHANT_NOT_FOUND"),
        ({"success_url": "https://elsewhere.example/x"}, 422, "INVALID_CHECKOUT_SESSION_REQUEST"),
        ({"cancel_url": "nonsense"}, 422, "INVALID_CHECKOUT_SESSION_REQUEST"),
        ({"amount_minor": 2**53 - 1}, 422, "INVALID_CHECKOUT_SESSION_REQUEST"),
    ],
)
def test_a_checkout_that_cannot_be_is_refused(
    platform: Platform, changes: dict[str, Any], status: int, code: str
) -> None:
    """Input that the official client lets through is refused with the documented code."""
    asked: dict[str, Any] = {**TERMS, "nonce": "n-1", **RETURN_TO, **changes}
    with pytest.raises(official.SiglumeApiError) as refused:
        platform.merchant().create_checkout_session(**asked)
    assert (refused.value.status, refused.value.code) == (status, code)


def test_a_nonce_with_other_input_is_refused(platform: Platform) -> None:
    """The same nonce and input answer the same session; other input is a conflict."""
    first = session(platform)
    assert session(platform)["session_id"] == first["session_id"]
    with pytest.raises(official.SiglumeApiError, match="nonce") as refused:
        platform.merchant().create_checkout_session(
            **{**TERMS, "amount_minor": 1300}, nonce="n-1", **RETURN_TO
        )
    assert refused.value.code == "CHECKOUT_NONCE_REUSED"


def test_an_expired_session_stays_readable(platform: Platform) -> None:
    """After thirty minutes of the clock a session is expired and can't be paid."""
    opened = session(platform)
    platform.driver.clock.advance(minutes=30)
    found = platform.merchant().get_checkout_session(opened["session_id"])
    assert found["status"] == "expired"
    assert platform.confirm(opened["session_id"]).status_code == 409


def test_what_is_not_there_is_not_found(platform: Platform) -> None:
    """Unknown sessions, merchants and batches are 404 with their own codes."""
    merchant, provider = platform.merchant(), platform.person("provider")
    for code, ask in (
        ("CHECKOUT_SESSION_NOT_FOUND", lambda: merchant.get_checkout_session("chk_nope")),
        ("EXTERNAL_402_MERCHANT_NOT_FOUND", lambda: merchant.get_merchant("nobody")),
        ("SETTLEMENT_BATCH_NOT_FOUND", lambda: provider.get_provider_settlement_batch("msb_nope")),
    ):
        with pytest.raises(official.SiglumeApiError) as refused:
            ask()
        assert (refused.value.status, refused.value.code) == (404, code)


def test_another_persons_things_do_not_exist(platform: Platform) -> None:
    """A second merchant sees neither the first one's account nor its sessions."""
    opened = session(platform)
    other = platform.driver.merchants.create("other_shop")
    assert other.token is not None
    stranger = platform.merchant(other.token)
    for ask in (
        lambda: stranger.get_checkout_session(opened["session_id"]),
        lambda: stranger.get_merchant("sandbox_merchant"),
        lambda: stranger.rotate_challenge_secret("sandbox_merchant"),
    ):
        with pytest.raises(official.SiglumeApiError) as refused:
            ask()
        assert refused.value.status == 404
    with pytest.raises(official.SiglumeApiError) as refused:
        stranger.setup_merchant(**{**SHOP, "merchant": "sandbox_merchant"})
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("token", "status"),
    [("unknown", 401), ("cli_key", 401), ("sandbox_buyer_token", 403)],
)
def test_a_wrong_token_is_refused(platform: Platform, token: str, status: int) -> None:
    """Unknown tokens and keys of commands are 401, a buyer's token is 403."""
    with pytest.raises(official.SiglumeApiError) as refused:
        platform.merchant(token).get_merchant("sandbox_merchant")
    assert refused.value.status == status


@pytest.mark.parametrize(
    "query", [{"cursor": "broken"}, {"limit": 501}, {"status": "nonsense"}], ids=str
)
def test_a_query_that_cannot_be_is_invalid(platform: Platform, query: dict[str, Any]) -> None:
    """Broken cursors, limits beyond the largest and unknown statuses are 422."""
    with pytest.raises(official.SiglumeApiError) as refused:
        platform.person("provider").list_provider_usage_events(**query)
    assert refused.value.status == 422


def test_a_pause_is_refused_with_its_code(platform: Platform) -> None:
    """A micro checkout in a scope that is paused is METERED_SETTLEMENT_PAST_DUE."""
    platform.driver.usage(
        "sandbox_buyer",
        merchant="sandbox_merchant",
        amount_minor=500,
        currency="JPY",
        count=20,
    )
    opened = platform.merchant().create_checkout_session(
        **{**TERMS, "amount_minor": 100}, nonce="n-1", **RETURN_TO
    )
    refused = platform.confirm(opened["session_id"])
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "METERED_SETTLEMENT_PAST_DUE"
    found = platform.merchant().get_checkout_session(opened["session_id"])
    assert found["status"] == "open"
    assert platform.receiver.got == []
