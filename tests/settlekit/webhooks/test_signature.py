import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import webhooks
from settlekit.errors import InvalidArgument, PayloadError, SignatureError
from settlekit.webhooks.signature import sign_all, verify_signature

NOW = 1_770_000_000
BODY = b'{"id":"evt_1"}'
SECRET = "whsec_one"
GOOD = webhooks.sign(BODY, SECRET, timestamp=NOW)
HEX = GOOD.partition("v1=")[2]


def check(
    body: bytes | str = BODY,
    header: str | None = GOOD,
    secrets: list[str] | None = None,
    *,
    now: float = NOW,
    tolerance_seconds: float = 300,
) -> None:
    verify_signature(
        body, header, secrets or [SECRET], tolerance_seconds=tolerance_seconds, now=lambda: now
    )


def test_a_signature_is_an_hmac_over_time_and_body() -> None:
    """The header is what anyone computes by hand."""
    signed = hmac.new(SECRET.encode(), f"{NOW}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert f"t={NOW},v1={signed}" == GOOD


@given(body=st.binary(), secret=st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"])))
def test_what_is_signed_verifies(body: bytes, secret: str) -> None:
    """Any bytes, any secret, as bytes; and no other body passes."""
    secret = secret or "s"
    header = webhooks.sign(body, secret, timestamp=NOW)
    check(body, header, [secret])
    with pytest.raises(SignatureError) as caught:
        check(body + b" ", header, [secret])
    assert caught.value.reason == "mismatch"


def test_text_and_bytes_are_the_same_body() -> None:
    """A framework may give the raw body either way."""
    check("é".encode(), webhooks.sign("é", SECRET, timestamp=NOW))


@pytest.mark.parametrize("now", [NOW - 300, NOW, NOW + 300])
def test_the_tolerance_has_two_sides(now: float) -> None:
    """A signature may be five minutes old, or five minutes ahead."""
    check(now=now)


@pytest.mark.parametrize("now", [NOW - 301, NOW + 301, NOW + 10**9])
def test_beyond_the_tolerance_is_stale(now: float) -> None:
    """Neither older nor newer signatures pass, however good they are."""
    with pytest.raises(SignatureError) as caught:
        check(now=now)
    assert caught.value.reason == "stale"


def test_a_rotating_secret_signs_twice() -> None:
    """Either secret alone verifies a header with both, and both verify a header with either."""
    both = sign_all(BODY, ["whsec_new", SECRET], timestamp=NOW)
    check(header=both)
    check(header=both, secrets=["whsec_new"])
    check(secrets=["whsec_new", SECRET])
    assert both.endswith(HEX)


@pytest.mark.parametrize(
    "header",
    [
        f" t={NOW} , v1={HEX} ",
        f"v1={HEX},t={NOW}",
        f"t={NOW},v0=abc,v1={HEX}",
        f"t={NOW},v1={'0' * 64},v1={HEX}",
        f"t={NOW},v1=nonsense,v1={HEX},",
    ],
)
def test_a_header_may_be_untidy(header: str) -> None:
    """Order, spaces and schemes of a later day don't matter."""
    check(header=header)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "missing"),
        ("", "missing"),
        (" ", "malformed"),
        ("garbage", "malformed"),
        (f"v1={HEX}", "malformed"),
        (f"t={NOW}", "malformed"),
        (f"t={NOW},v1=", "malformed"),
        (f"t={NOW},v1={HEX[:-1]}", "malformed"),
        (f"t={NOW},v1={HEX.upper()}", "malformed"),
        (f"t={NOW},v1={HEX[:-1]}é", "malformed"),
        (f"t={NOW},t={NOW},v1={HEX}", "malformed"),
        (f"t=,v1={HEX}", "malformed"),
        (f"t=-{NOW},v1={HEX}", "malformed"),
        (f"t={NOW}.0,v1={HEX}", "malformed"),
        (f"t={'９' * 10},v1={HEX}", "malformed"),
        (f"t={'9' * 400},v1={HEX}", "malformed"),
        (f"t=1_770_000_000,v1={HEX}", "malformed"),
        (f"t={NOW - 1},v1={HEX}", "mismatch"),
        (f"t=0{NOW},v1={HEX}", "mismatch"),
        (f"t={NOW},v1={'0' * 64}", "mismatch"),
    ],
)
def test_a_bad_header_says_why(header: str | None, reason: str) -> None:
    """Missing, malformed or mismatch: an operator can tell them apart."""
    with pytest.raises(SignatureError) as caught:
        check(header=header)
    assert caught.value.reason == reason


def test_no_error_shows_a_secret_or_a_signature() -> None:
    """What fails can be logged."""
    with pytest.raises(SignatureError) as caught:
        check(secrets=["whsec_canary"])
    assert "whsec_canary" not in repr(caught.value)
    assert HEX not in repr(caught.value)


@given(header=st.text(), body=st.binary() | st.text())
def test_a_stranger_gets_only_our_errors(header: str, body: bytes | str) -> None:
    """Whatever header and body, a SignatureError, or a PayloadError for what is no text."""
    with pytest.raises((SignatureError, PayloadError)):
        check(body, header)


@pytest.mark.parametrize("secrets", [[], [""], [SECRET, " "], "whsec_one"])
def test_secrets_are_a_list_without_holes(secrets: object) -> None:
    """An empty secret would let anyone sign."""
    with pytest.raises(InvalidArgument, match="secrets must"):
        verify_signature(BODY, GOOD, secrets)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [{"id": "evt_1"}, None, 5, ["x"]])
def test_a_parsed_body_is_refused(body: object) -> None:
    """It isn't what was signed, even if it looks the same."""
    with pytest.raises(TypeError, match="raw body"):
        check(body)  # type: ignore[arg-type]
