"""The doctor names what went wrong, and no secret."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import webhooks
from settlekit.webhooks.signature import sign_all

NOW = 1_770_000_000
SECRET = "whsec_0123456789abcdef"
OTHER = "whsec_fedcba9876543210"
BODY = '{"id":"evt_1","note":"納品 é","b":1,"a":[1,2]}'.encode()
GOOD = webhooks.sign(BODY, SECRET, timestamp=NOW)
STAMP, HEX = GOOD.removeprefix("t=").split(",v1=")


def explain(body=BODY, header=GOOD, secrets=(SECRET,), **options):
    return webhooks.explain(body, header, secrets=secrets, now=lambda: NOW, **options)


def test_a_good_delivery_has_nothing_to_explain():
    """It holds, and nothing is odd."""
    assert explain() == webhooks.Explanation(verified=True, findings=())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (json.dumps(json.loads(BODY)).encode(), "rewritten_json"),
        (json.dumps(json.loads(BODY), ensure_ascii=False, indent=2).encode(), "rewritten_json"),
        (BODY + b"\n", "newline"),
        (BODY + b"\r\n", "newline"),
        (b"\xef\xbb\xbf" + BODY, "bom"),
        (BODY.decode().encode("utf-16"), "charset"),
        (BODY.decode("latin-1").encode(), "charset"),
        (json.loads(BODY), "parsed_body"),
        (None, "parsed_body"),
    ],
)
def test_what_befell_the_body_is_named(body, code):
    """Written again, in another charset, with a line end or a mark that wasn't there."""
    found = explain(body)
    assert (found.verified, found.codes) == (False, [code])


def test_a_lost_newline_is_named():
    """What the sender signed had one."""
    assert explain(header=webhooks.sign(BODY + b"\n", SECRET, timestamp=NOW)).codes == ["newline"]


def test_the_first_difference_is_shown_when_the_original_is_known():
    """Byte and surroundings, and that the meaning is the same."""
    sent, arrived = BODY, json.dumps(json.loads(BODY), ensure_ascii=False).encode()
    found = explain(arrived, original=sent)
    assert found.codes == ["rewritten_json", "known_secret"]
    assert 'first differs at byte 6: \'{"id":"evt_1","not\' was sent' in str(found)
    assert explain(sent.replace(b"1", b"2"), original=sent).codes[0] == "other_body"
    cut = explain(sent[:-4], original=sent)
    assert cut.codes[0] == "truncated_body"
    assert f"{len(sent) - 4} of {len(sent)} bytes arrived" in str(cut)


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        (None, ["missing_header"]),
        (" ", ["missing_header"]),
        (GOOD[:-20], ["truncated_header"]),
        (f"t={STAMP}", ["no_signature"]),
        (f"v1={HEX}", ["no_timestamp"]),
        (f"{GOOD}, {GOOD}", ["doubled_header"]),
        (f"t={STAMP},v1={HEX.upper()}", ["upper_case"]),
        (webhooks.sign(BODY, SECRET, timestamp=NOW * 1000), ["milliseconds"]),
        (webhooks.sign(BODY, SECRET, timestamp=NOW - 301), ["clock_skew"]),
        (webhooks.sign(BODY, SECRET, timestamp=NOW + 4000), ["clock_skew"]),
        (webhooks.sign(BODY, OTHER, timestamp=NOW), ["no_explanation"]),
    ],
)
def test_what_befell_the_header_is_named(header, codes):
    """Missing, cut, doubled, in capitals, or of another time."""
    found = explain(header=header)
    assert set(codes) <= set(found.codes)
    assert not found.verified


def test_clock_skew_is_told_in_seconds():
    """And on which side."""
    assert "301 seconds ago" in str(
        explain(header=webhooks.sign(BODY, SECRET, timestamp=NOW - 301))
    )
    ahead = explain(header=webhooks.sign(BODY, SECRET, timestamp=NOW + 4000))
    assert "4000 seconds ahead" in str(ahead)


@pytest.mark.parametrize(
    "signer", [OTHER, "whsec_sandbox_local"], ids=["another of yours", "the mock's"]
)
def test_a_known_secret_that_matches_is_named_by_its_hint(signer):
    """By label and last four characters."""
    found = explain(
        header=webhooks.sign(BODY, signer, timestamp=NOW), known={"the staging secret": OTHER}
    )
    assert found.codes == ["other_secret"]
    assert f"…{signer[-4:]}" in str(found)
    assert signer not in str(found)


def test_white_space_in_a_secret_is_named():
    """A copied secret with a space or quotes in it."""
    for spoiled in (f'"{SECRET}"', SECRET[:8] + "\n" + SECRET[8:], f"\ufeff{SECRET}"):
        found = explain(secrets=[spoiled])
        assert found.codes[0] == "secret_white_space"
        assert "known_secret" in found.codes


def test_no_secret_is_told():
    """Whatever is wrong, neither a secret nor a signature that would hold is in the text."""
    both = sign_all(BODY, [OTHER, SECRET], timestamp=NOW - 999)
    for body in (BODY, BODY + b"\n", b"x"):
        said = repr(explain(body, both, [SECRET, "short"], known={"old": OTHER}))
        assert not [each for each in (SECRET, OTHER, "short'", HEX) if each in said]


@given(
    body=st.binary() | st.text() | st.none() | st.integers(),
    header=st.none() | st.text(),
    secrets=st.lists(st.text(), max_size=2),
)
def test_whatever_is_given_is_explained(body, header, secrets):
    """It raises nothing, and never says that a stranger's signature holds."""
    found = explain(body, header, secrets)
    assert not found.verified
    assert found.findings
