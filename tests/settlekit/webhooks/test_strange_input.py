"""Whatever a stranger sends, nothing foreign comes out and nothing is accepted."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import webhooks
from settlekit.errors import InvalidArgument, PayloadError, SignatureError
from tests.settlekit.webhooks.deliveries import SECRET, body_of

NOW = 1_770_000_000
BODY = body_of()
GOOD = webhooks.sign(BODY, SECRET, timestamp=NOW)
PIECES = ["t=", "v1=", ",", str(NOW), GOOD.partition("v1=")[2], "=", " ", "９", "\x00", "v0=ab"]


@pytest.mark.parametrize("tolerance", [math.nan, math.inf, -math.inf, -1, "300", True, None])
def test_a_tolerance_is_a_finite_number(tolerance):
    """With NaN or infinity nothing would ever be stale."""
    with pytest.raises(InvalidArgument, match="tolerance_seconds"):
        webhooks.verify(BODY, GOOD, SECRET, tolerance_seconds=tolerance, now=lambda: NOW)


@pytest.mark.parametrize("header", [GOOD.encode(), 5, [GOOD], {"t": 1}])
def test_a_header_is_text(header):
    """Bytes of a header are to be decoded, and the error says how."""
    with pytest.raises(InvalidArgument, match="header must be text: decode"):
        webhooks.verify(BODY, header, SECRET, now=lambda: NOW)


@pytest.mark.parametrize("secrets", [["\ud800"], [b"whsec"], [None], [5], {"a": "b"}, b"x", 5])
def test_secrets_are_text(secrets):
    """Half a surrogate, bytes and other things are no secrets."""
    with pytest.raises(InvalidArgument, match="secrets"):
        webhooks.verify(BODY, GOOD, secrets=secrets, now=lambda: NOW)


@pytest.mark.parametrize("body", [bytearray(BODY), memoryview(BODY)])
def test_other_kinds_of_raw_bytes_will_do(body):
    """Servers hand them out too."""
    assert webhooks.verify(body, GOOD, SECRET, now=lambda: NOW).id == "evt_1"


@pytest.mark.parametrize("framework", ["Flask", "FastAPI", "Django"])
def test_a_parsed_body_is_told_what_to_do(framework):
    """In each framework's own words."""
    with pytest.raises(TypeError, match=framework):
        webhooks.verify({"id": "evt_1"}, GOOD, SECRET)


@given(body=st.binary() | st.text(), header=st.lists(st.sampled_from(PIECES)).map("".join))
def test_only_two_errors_come_out(body, header):
    """Headers made of what good ones are made of are refused or malformed, and bodies too."""
    with pytest.raises((SignatureError, PayloadError)):
        webhooks.verify(body, header, SECRET, now=lambda: NOW)


def mutated(draw: random.Random) -> tuple[bytes, str]:
    """Change one thing of a good delivery: a byte of the body, or a character of the header."""
    body, header = bytearray(BODY), list(GOOD)
    how = draw.randrange(6)
    at = draw.randrange(len(body))
    place = draw.randrange(len(header))
    if how == 0:
        body[at] ^= draw.randrange(1, 256)
    elif how == 1:
        del body[at : at + draw.randrange(1, 9)]
    elif how == 2:
        body[at:at] = draw.randbytes(draw.randrange(1, 9))
    elif how == 3:
        header[place] = _another(header[place], draw)
    elif how == 4:
        # A whole signature without what follows it would still be one.
        del header[draw.randrange(len(header) - 1) :]
    else:
        header[place:place] = draw.choice("0123456789abcdef")
    return bytes(body), "".join(header)


def _another(character: str, draw: random.Random) -> str:
    others = [each for each in "0123456789abcdef,=tv xX" if each != character]
    return draw.choice(others)


def accepted(count: int, seed: int) -> list[tuple[bytes, str]]:
    """Verify many mutated deliveries, and return those that passed."""
    draw, passed = random.Random(seed), []
    for _ in range(count):
        body, header = mutated(draw)
        try:
            webhooks.verify(body, header, SECRET, tolerance_seconds=10**16, now=lambda: NOW)
        except (SignatureError, PayloadError):
            continue
        passed.append((body, header))
    return passed


def test_no_mutated_delivery_is_accepted():
    """Ten thousand with one thing changed."""
    assert accepted(10_000, seed=1) == []


@pytest.mark.soak
def test_no_mutated_delivery_of_a_million_is_accepted():
    """A million with one thing changed."""
    assert accepted(1_000_000, seed=2) == []
