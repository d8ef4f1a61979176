"""What strangers send: JSON and query strings, read strictly."""

import json
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlekit_mock.http.reading import BODY_LIMIT, DEEPEST, convert, read_json
from settlekit_mock.kernel.problems import Invalid, Malformed, Problem
from tests.settlekit_mock.http.conftest import Caller


class Choice(msgspec.Struct):
    """A field of few values, which may be absent too."""

    kind: Literal["drop", "keep"] | None


NESTED = '{"amount_minor":1,"metadata":{"a":%s}}'
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"nonsense",
        b'{"amount_minor":1}x',
        b'{"amount_minor":1,}',
        b"{'amount_minor':1}",
        b'{"amount_minor":NaN}',
        b'{"amount_minor":Infinity}',
        b'{"amount_minor":-Infinity}',
        b'{"amount_minor":1,"amount_minor":2}',
        b'{"amount_minor":1,"metadata":{"a":1,"a":1}}',
        b'{"amount_minor":1,"note":"\\ud800"}',
        b'{"amount_minor":1,"\\udc00":"x"}',
        b'{"amount_minor":1,"note":"a\\u0000b"}',
        b'{"amount_minor":1,"metadata":{"\\u0000":1}}',
        b'{"amount_minor":1,"note":"a\x00b"}',
        b'{"amount_minor":1,"note":"\xff"}',
        b'\xef\xbb\xbf{"amount_minor":1}',
        '{"amount_minor":1}'.encode("utf-16"),
        b"[]",
        b"[1]",
        b'"text"',
        b"1",
        b"null",
        b"[" * 500_000,
        (NESTED % ("[" * DEEPEST + "]" * DEEPEST)).encode(),
        (NESTED % ("[" * 900 + "]" * 900)).encode(),
        b'{"amount_minor":' + b"9" * 5000 + b"}",
    ],
)
def test_what_isnt_one_json_object_is_malformed(caller: Caller, data: bytes) -> None:
    """Broken, ambiguous or unprintable JSON is 400, and no route sees it."""
    assert caller.sent(data) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", "multipart/x"]
)
def test_a_body_that_says_it_isnt_json_is_malformed(caller: Caller, media_type: str) -> None:
    """JSON sent as something else is refused."""
    sent = caller.sent(b'{"amount_minor":1}', content_type=media_type)
    assert sent == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "APPLICATION/JSON; charset=utf-8", "application/problem+json", ""],
)
def test_a_body_that_is_json_is_read(caller: Caller, media_type: str) -> None:
    """JSON is JSON by any of its names, or by none."""
    assert caller.sent(b'{"amount_minor":1}', content_type=media_type)[0] == 200


@pytest.mark.parametrize(
    "value",
    ["0", "-1", "1.0", "1.5", "1e3", "true", '"1"', "null", "[]", str(2**53), "1e400", "9" * 30],
)
def test_a_field_out_of_its_range_or_type_is_invalid(caller: Caller, value: str) -> None:
    """A well-formed body with a wrong field is 422."""
    assert caller.sent(b'{"amount_minor":%s}' % value.encode()) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize("value", ["1e400", "-1e400", str(2**64), str(-(2**63) - 1)])
def test_numbers_that_nothing_could_hold_are_invalid(caller: Caller, value: str) -> None:
    """A number beyond 64 bits or the largest float is 422 wherever it stands."""
    assert caller.sent((NESTED % value).encode()) == (422, "INVALID_REQUEST")


def test_an_invalid_field_is_named(caller: Caller) -> None:
    """The refusal says which field, and what was expected."""
    response = caller.call("POST", "/v1/orders", json={"amount_minor": 0})
    told = json.loads(response.data)["error"]["message"]
    assert told == "amount_minor must be a whole number of at least 1, not 0"


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b'{"a":1,"note":"x\\u0000"}', "note must not hold"),
        (b'{"a":1,"note":["y",{"b":"\\ud800"}]}', "note must not hold"),
        (b'{"a":[1e999]}', "a holds a number that is too large"),
        (b'{"a":{"b":1%s}}' % (b"0" * 400), "a holds a number that is too large"),
        (b'{"a":%s1%s}' % (b"[" * 70, b"]" * 70), "a is nested more than"),
        (b'{"b":{"c":2},"a":{"\\u0000":1}}', "a must not hold"),
        (b'{"a\\u0000":1}', "the body must not hold"),
    ],
)
def test_what_no_field_can_hold_is_named_by_its_field(raw: bytes, named: str) -> None:
    """A refused character, number or nesting is told with the field of the body that it is in."""
    with pytest.raises(Problem, match=named):
        read_json(raw)


def test_a_value_that_isnt_among_the_few_is_answered_with_them() -> None:
    """The refusal of a field of few values lists them, so that nobody has to look them up."""
    with pytest.raises(Invalid, match=r"kind must be drop or keep, not 'x'$"):
        convert({"kind": "x"}, Choice)
    with pytest.raises(Invalid, match=r"kind is missing$"):
        convert({}, Choice)


@pytest.mark.parametrize("data", [b"", b"  \n", b"{}"])
def test_an_empty_body_is_an_empty_object(caller: Caller, data: bytes) -> None:
    """What is missing is missing, not malformed; a route without required fields takes it."""
    assert caller.sent(data) == (422, "INVALID_REQUEST")
    assert caller.sent(data, "/v1/nothing")[0] == 200


def test_fields_that_nobody_knows_are_ignored_unless_the_route_is_strict(caller: Caller) -> None:
    """An unknown field is left out of a body, and refused by the control and operator's routes."""
    data = b'{"amount_minor":1,"surprise":2}'
    assert (caller.sent(data)[0], caller.sent(data, "/v1/strict")[0]) == (200, 422)


@pytest.mark.parametrize("depth", [1, DEEPEST - 2])
def test_nesting_within_bounds_is_kept(caller: Caller, depth: int) -> None:
    """Metadata comes back as it was sent."""
    data = NESTED % ("[" * depth + "]" * depth)
    status, seen = caller.sent(data.encode())
    assert (status, seen["metadata"]) == (200, json.loads(data)["metadata"])


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_every_writable_object_is_read_as_it_was_written(given_object: dict[str, Any]) -> None:
    """JSON within bounds is read exactly, an escaped backslash before u0000 included."""
    assert read_json(json.dumps(given_object).encode()) == given_object


def test_an_escaped_backslash_is_no_nul() -> None:
    """Only the character U+0000 is refused, not the text that describes it."""
    assert read_json(rb'{"a":"\\u0000"}') == {"a": r"\u0000"}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_an_object_or_a_refusal(raw: bytes) -> None:
    """Whatever bytes come, the reader answers an object or a documented problem."""
    try:
        found: object = read_json(raw)
    except Problem as problem:
        found = type(problem)
    assert isinstance(found, dict) or found in (Malformed, Invalid)


@pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)])
def test_a_body_holds_a_mebibyte(caller: Caller, size: int, status: int) -> None:
    """A body of exactly 1 MiB is read, one byte more is 413."""
    data = b'{"amount_minor":1}'
    assert caller.sent(data.ljust(size))[0] == status


URL_ENCODED = ("application/x-www-form-urlencoded", b"amount_minor=1&note=%b")
MULTIPART = (
    "multipart/form-data; boundary=x",
    (
        b'--x\r\nContent-Disposition: form-data; name="amount_minor"\r\n\r\n1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n%b\r\n--x--\r\n'
    ),
)


@pytest.mark.parametrize(
    ("form", "size", "status"),
    [
        (URL_ENCODED, 10, 200),
        (URL_ENCODED, BODY_LIMIT, 413),
        (MULTIPART, 10, 200),
        (MULTIPART, 700_000, 413),
        (MULTIPART, BODY_LIMIT, 413),
    ],
)
def test_a_long_form_is_too_large(
    caller: Caller, form: tuple[str, bytes], size: int, status: int
) -> None:
    """A form, or a field of it, that is longer than its reader holds is 413, not a defect."""
    media_type, template = form
    sent = caller.sent(template % (b"x" * size), "/v1/form", content_type=media_type)
    assert sent[0] == status


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("limit=1", 200),
        ("limit=500", 200),
        ("limit=", 200),
        ("surprise=1", 200),
        ("limit=0", 422),
        ("limit=501", 422),
        ("limit=ten", 422),
        ("limit=1.5", 422),
        ("limit=%EF%BC%91", 422),
        ("limit=1_0", 422),
        ("limit=+1", 422),
        ("limit=1&limit=1", 422),
        ("surprise=1&surprise=2", 422),
        ("status=%00", 422),
        ("status=%FF", 422),
    ],
)
def test_query_strings_are_read_strictly(caller: Caller, query: str, status: int) -> None:
    """A parameter comes once and in its range; an empty one is absent, an unknown one ignored."""
    assert caller.call("GET", f"/v1/search?{query}").status_code == status


def test_an_empty_parameter_takes_the_default(caller: Caller) -> None:
    """``?limit=&status=`` says nothing."""
    _, seen = caller.got("/v1/search?limit=&status=")
    assert (seen["limit"], seen["status"]) == (50, None)
