"""The platform's own Python client and ours agree, both ways."""

import json
from typing import Any

import pytest
import siglume_direct_request_payment as official
from hypothesis import given
from hypothesis import strategies as st

from settlekit import challenge, webhooks
from tests.settlekit.webhooks.test_classification import SHAPES, event, fields, values

pytestmark = pytest.mark.official

NOW = 1_770_000_000
terms = st.fixed_dictionaries(
    {
        "merchant": st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True),
        "amount_minor": st.integers(1, 2**53 - 1),
        "currency": st.sampled_from(["JPY", "USD", "jpy "]),
    }
)
nonces = st.from_regex(r"[A-Za-z0-9é_-]{1,40}", fullmatch=True)


@given(terms=terms, nonce=nonces)
def test_one_time_challenges_agree(terms: dict[str, Any], nonce: str) -> None:
    """Each side signs the same text and takes the other's."""
    theirs = official.create_direct_request_payment_challenge(secret="s", nonce=nonce, **terms)
    ours = challenge.sign(secret="s", nonce=nonce, **terms)
    assert ours == theirs["challenge"]
    assert challenge.challenge_hash(ours) == theirs["challenge_hash"]
    assert official.verify_direct_request_payment_challenge(challenge=ours, secret="s", **terms)
    assert challenge.verify(theirs["challenge"], secret="s", **terms)


@given(terms=terms, nonce=nonces, cadence=st.sampled_from(["monthly", "daily"]))
def test_recurring_challenges_agree(terms: dict[str, Any], nonce: str, cadence: str) -> None:
    """The recurring scheme too, cadence and all."""
    theirs = official.create_direct_request_payment_recurring_challenge(
        secret="s", nonce=nonce, cadence=cadence, **terms
    )
    ours = challenge.sign_recurring(secret="s", nonce=nonce, cadence=cadence, **terms)
    assert ours == theirs["challenge"]
    assert challenge.verify_recurring(theirs["challenge"], secret="s", cadence=cadence, **terms)


@given(terms=terms, text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_request_hashes_agree(terms: dict[str, Any], text: str) -> None:
    """Both versions, for challenges in any script."""
    asked = {**terms, "challenge": f"x{text}"}
    assert challenge.request_hash(**asked) == official.direct_request_payment_request_hash(**asked)
    assert challenge.request_hash_v2(**asked) == (
        official.direct_request_payment_request_hash_v2(**asked)
    )


@given(body=st.binary())
def test_signatures_agree(body: bytes) -> None:
    """Each side verifies the other's header."""
    ours = webhooks.sign(body, "whsec_x", timestamp=NOW)
    theirs = official.build_webhook_signature_header("whsec_x", body, timestamp=NOW)
    assert ours == theirs
    official.verify_webhook_signature("whsec_x", body, ours, now=NOW)
    webhooks.signature.verify_signature(body, theirs, ["whsec_x"], now=lambda: NOW)


@given(
    base=st.sampled_from(sorted(SHAPES)), changes=st.dictionaries(st.sampled_from(fields), values)
)
def test_classifications_agree(base: str, changes: dict[str, Any]) -> None:
    """The same kind, and for an unknown the same reason, whatever the data."""
    data = {**SHAPES[base], **changes}
    ours = webhooks.classify(event(data))
    theirs = official.classify_direct_payment_confirmation(
        json.loads(json.dumps({"type": "direct_payment.confirmed", "data": data}))
    )
    assert ours.kind == theirs["kind"]
    assert getattr(ours, "reason", None) == theirs.get("reason")
