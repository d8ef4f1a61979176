"""Challenges and webhook signatures: what one side signs the other takes, and refuses alike."""

import hashlib
import hmac
from typing import Any

import pytest
import siglume_direct_request_payment as official
from hypothesis import example, given
from hypothesis import strategies as st

from settlekit import SignatureError, challenge, webhooks
from settlekit.webhooks.signature import sign_all
from tests.official.conftest import Platform

pytestmark = pytest.mark.official

NOW = 1_770_000_000
secrets = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(str.strip)
nonces = st.text(st.characters(codec="utf-8", exclude_characters=":"), min_size=1, max_size=30)
terms = st.fixed_dictionaries(
    {
        "merchant": st.from_regex(r" ?[A-Za-z0-9][A-Za-z0-9._-]{0,95} ?", fullmatch=True),
        "amount_minor": st.integers(1, 2**53 - 1),
        "currency": st.sampled_from(["JPY", "USD", " jpy", "Usd "]),
    }
)
cadences = st.sampled_from(["monthly", "daily", "Daily "])
NOT_A_CHALLENGE = st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip)


@given(terms=terms, nonce=nonces.filter(str.strip), secret=secrets)
def test_one_time_challenges_are_the_same(terms: dict[str, Any], nonce: str, secret: str) -> None:
    """In any spelling of the terms, both sides sign the same text and take the other's."""
    theirs = official.create_direct_request_payment_challenge(secret=secret, nonce=nonce, **terms)
    ours = challenge.sign(secret=secret, nonce=nonce, **terms)
    assert ours == theirs["challenge"]
    assert official.verify_direct_request_payment_challenge(challenge=ours, secret=secret, **terms)
    assert challenge.verify(str(theirs["challenge"]), secret=secret, **terms)


@given(terms=terms, cadence=cadences, nonce=nonces.filter(str.strip), secret=secrets)
def test_recurring_challenges_are_the_same(
    terms: dict[str, Any], cadence: str, nonce: str, secret: str
) -> None:
    """The recurring scheme binds the cadence, and never passes for the one-time scheme."""
    bound = {**terms, "cadence": cadence}
    theirs = str(
        official.create_direct_request_payment_recurring_challenge(
            secret=secret, nonce=nonce, **bound
        )["challenge"]
    )
    assert challenge.sign_recurring(secret=secret, nonce=nonce, **bound) == theirs
    assert challenge.verify_recurring(theirs, secret=secret, **bound)
    assert not challenge.verify(theirs, secret=secret, **terms)
    assert not official.verify_direct_request_payment_challenge(
        challenge=theirs, secret=secret, **terms
    )


SIGNED = {"merchant": "shop", "amount_minor": 1200, "currency": "JPY", "secret": "s"}


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ({}, True),
        ({"merchant": "SHOP ", "currency": "jpy"}, True),
        ({"merchant": "shop2"}, False),
        ({"amount_minor": 1201}, False),
        ({"currency": "USD"}, False),
        ({"secret": "t"}, False),
        ({"challenge": "siglume-external-402-v1:n:" + "0" * 64}, False),
        ({"challenge": "siglume-external-402-v2:n:" + "0" * 64}, False),
    ],
    ids=str,
)
def test_both_refuse_what_was_changed(changed: dict[str, Any], taken: bool) -> None:
    """Another merchant, amount, currency, secret, scheme or signature: neither side takes it."""
    asked = {"challenge": challenge.sign(nonce="n", **SIGNED), **SIGNED, **changed}
    assert official.verify_direct_request_payment_challenge(**asked) is taken
    assert challenge.verify(asked.pop("challenge"), **asked) is taken


@given(terms=terms, text=NOT_A_CHALLENGE)
def test_request_hashes_are_the_same(terms: dict[str, Any], text: str) -> None:
    """Challenge hash and both versions of the request hash agree, in any script."""
    asked = {**terms, "challenge": text}
    theirs = official.direct_request_payment_request_hash(**asked)
    assert challenge.request_hash(**asked) == theirs
    theirs = official.direct_request_payment_request_hash_v2(**asked)
    assert challenge.request_hash_v2(**asked) == theirs
    theirs = official.direct_request_payment_challenge_hash(text)
    assert challenge.challenge_hash(text) == theirs


def accepts(body: bytes, header: str, secret: str, now: int) -> tuple[bool, bool]:
    """Say whether our verification, and the official one, take a header."""
    try:
        webhooks.signature.verify_signature(body, header, [secret], now=lambda: now)
        ours = True
    except SignatureError:
        ours = False
    try:
        official.verify_webhook_signature(secret, body, header, now=now)
        theirs = True
    except official.SiglumeWebhookSignatureError:
        theirs = False
    return ours, theirs


@given(body=st.binary(), secret=secrets, late=st.integers(-400, 400))
@example(body=b"{}", secret="s", late=300)
@example(body=b"{}", secret="s", late=301)
@example(body=b"{}", secret="s", late=-300)
@example(body=b"{}", secret="s", late=-301)
def test_headers_are_the_same_and_age_alike(body: bytes, secret: str, late: int) -> None:
    """Both sides make the same header, and take it for 300 seconds either way."""
    header = webhooks.sign(body, secret, timestamp=NOW)
    assert header == official.build_webhook_signature_header(secret, body, timestamp=NOW)
    fresh = abs(late) <= 300
    assert accepts(body, header, secret, NOW + late) == (fresh, fresh)


@given(body=st.binary(), other=st.binary(), secret=secrets)
def test_another_body_is_refused_by_both(body: bytes, other: bytes, secret: str) -> None:
    """A header proves the one body it was made for."""
    header = webhooks.sign(body, secret, timestamp=NOW)
    same = body == other
    assert accepts(other, header, secret, NOW) == (same, same)


@given(body=st.binary())
def test_during_a_rotation_old_and_new_verify(body: bytes) -> None:
    """With two signatures ours takes either secret; the official one takes the last, the old."""
    header = sign_all(body, ["new", "old"], timestamp=NOW)
    assert accepts(body, header, "new", NOW) == (True, False)
    assert accepts(body, header, "old", NOW) == (True, True)
    assert accepts(body, header, "another", NOW) == (False, False)


def test_the_header_is_the_documented_one() -> None:
    """A header is t=<seconds>,v1=<HMAC-SHA256 of seconds, dot and body>, by hand."""
    proof = hmac.new(b"whsec_x", b"1770000000.{}", hashlib.sha256).hexdigest()
    assert webhooks.sign(b"{}", "whsec_x", timestamp=NOW) == f"t=1770000000,v1={proof}"


def test_a_merchant_that_rotates_late_misses_nothing(platform: Platform) -> None:
    """For 24 hours deliveries verify with the old secret too; afterwards with the new alone."""
    merchant = platform.merchant()
    (subscription,) = merchant.list_webhook_subscriptions()
    rotated = platform.post(f"/market/webhooks/subscriptions/{subscription['id']}/rotate-secret")
    new = rotated.json()["data"]["signing_secret"]
    probe = {"event_type": "direct_payment.confirmed"}
    merchant.queue_webhook_test_delivery(**probe)
    platform.driver.clock.advance(hours=24)
    merchant.queue_webhook_test_delivery(**probe)

    during, after = platform.receiver.got
    assert during.signature.count("v1=") == 2
    official.verify_direct_request_payment_webhook(platform.secret, during.body, during.signature)
    assert webhooks.verify(during.body, during.signature, new).id == during.event["id"]
    assert after.signature.count("v1=") == 1
    official.verify_direct_request_payment_webhook(new, after.body, after.signature)
    with pytest.raises(official.SiglumeWebhookSignatureError):
        official.verify_direct_request_payment_webhook(platform.secret, after.body, after.signature)
