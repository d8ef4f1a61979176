"""Which calls a fault's pattern fits, and which patterns are none."""

import time

import pytest

from settlekit_mock.http.faults import Match, read_match
from settlekit_mock.kernel.problems import Invalid


@pytest.mark.parametrize(
    ("match", "method", "path", "fits"),
    [
        ("POST /v1/orders", "POST", "/v1/orders", True),
        ("POST /v1/orders", "GET", "/v1/orders", False),
        ("POST /v1/orders", "POST", "/v1/orders/7", False),
        ("POST /v1/orders*", "POST", "/v1/orders/7", True),
        ("* /v1/orders", "DELETE", "/v1/orders", True),
        ("* /*", "GET", "/anything/at/all", True),
        ("GET /v1/*/rows", "GET", "/v1/a/b/rows", True),
        ("GET /v1/*/rows", "GET", "/v1/rows", False),
        ("GET /v1/a?", "GET", "/v1/ab", False),
        ("GET /v1/[a]", "GET", "/v1/a", False),
        ("GET /v1/[a]", "GET", "/v1/[a]", True),
    ],
)
def test_a_pattern_fits_by_its_stars_alone(match: str, method: str, path: str, fits: bool) -> None:
    """A star is any text; every other character of a pattern is itself."""
    assert read_match(match).fits(method, path) is fits


@pytest.mark.parametrize(
    "text",
    ["", "/v1", "GET", "GET v1", "get /v1", "FETCH /v1", "GET  /v1", "GET /v1 /v2", "GET /v1\n"],
)
def test_a_pattern_that_cant_be_read_is_refused(text: str) -> None:
    """A pattern is a method, a space and a path; whatever else is refused."""
    with pytest.raises(Invalid, match="match: must be"):
        read_match(text)


@pytest.mark.parametrize("text", ["* /_mock", "GET /_mock/*", "DELETE /_mock*"])
def test_a_pattern_of_control_routes_is_refused(text: str) -> None:
    """Faults can't be asked for control routes."""
    with pytest.raises(Invalid, match="never touch"):
        read_match(text)


def test_many_stars_take_no_time() -> None:
    """A pattern of many stars is held against a long path at once."""
    began = time.monotonic()
    assert not Match("GET", "/" + "a*" * 60 + "b").fits("GET", "/" + "a" * 5_000)
    assert time.monotonic() - began < 1
