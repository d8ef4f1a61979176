from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from settlekit._calls import arguments, terms
from settlekit.errors import InvalidArgument


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/ok?order=1#top",
        "HTTPS://shop.example",
        "http://localhost:3000/ok",
        "http://127.0.0.1/ok",
        "http://[::1]:8080/ok",
    ],
)
def test_urls_are_https_or_loopback(url: str) -> None:
    """https anywhere, http on this machine alone."""
    assert arguments.web_url(f" {url} ", "success_url") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "/ok",
        "http://shop.example",
        "http://localhost.shop.example",
        "ftp://localhost/",
        "javascript:alert(1)",
        "https://",
        "https://user@shop.example",
        "https://user:pass@shop.example",
        "https://:@shop.example",
        "https://shop.example:port/",
        "https://shop.example:99999/",
        "https://[::1/",
        "https://shop.example/a b",
        "https://shop.example\\@evil.example/",
        "https://shop.example/\n",
        "https://shop.example/\ud800",
        None,
        5,
    ],
)
def test_any_other_url_is_refused(url: Any) -> None:
    """The error names the field that the URL was given for."""
    value = url if url is None or isinstance(url, int) else url.replace("\n", "\nx")
    with pytest.raises(InvalidArgument) as caught:
        arguments.web_url(value, "cancel_url")
    assert caught.value.field == "cancel_url"


@given(text=st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1))
def test_an_id_is_one_segment_of_a_path(text: str) -> None:
    """No id reaches another route: slashes, queries and percent signs are encoded."""
    assume(text not in {".", ".."})
    segment = arguments.path_segment(text, "session_id")
    assert unquote(segment) == text
    assert not set("/?#\\ ") & set(segment)


@pytest.mark.parametrize("text", ["", " ", ".", "..", " .. ", "\ud800", None, 5])
def test_what_is_no_id_is_refused(text: Any) -> None:
    """Nothing, dots alone, and what can't be sent."""
    with pytest.raises(InvalidArgument) as caught:
        arguments.path_segment(text, "session_id")
    assert caught.value.field == "session_id"


@pytest.mark.parametrize("limit", [0, -1, 501, True, 1.0, "5"])
def test_a_limit_is_an_int_in_range(limit: Any) -> None:
    """From 1 to the list's most, and no bool."""
    with pytest.raises(InvalidArgument, match="limit must be a whole number from 1 to 500"):
        arguments.limit(limit, 500)


@pytest.mark.parametrize(
    ("value", "text"), [("2.5", "2.5"), (1, "1"), (Decimal("0.00000001"), "0.00000001")]
)
def test_major_units_have_eight_places(value: Any, text: str) -> None:
    """Text, ints and Decimals travel as decimal strings."""
    assert arguments.major_units(value, "threshold_usd") == text


@pytest.mark.parametrize("value", ["0", "0.0", "-1", "0.000000001", "1e3", "NaN", True, 1.5e10, ""])
def test_other_major_units_are_refused(value: Any) -> None:
    """Zero, negatives, exponents, floats in disguise and a ninth place."""
    with pytest.raises(InvalidArgument, match="threshold_usd must be a positive amount"):
        arguments.major_units(value, "threshold_usd")


def test_a_tiny_decimal_is_written_out() -> None:
    """A Decimal that prints with an exponent travels without."""
    assert arguments.major_units(Decimal("1E-8"), "threshold") == "0.00000001"


@pytest.mark.parametrize(
    "value", [datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), "2026-01-01", "yesterday"]
)
def test_an_instant_is_aware(value: Any) -> None:
    """A time without a zone is nobody's instant."""
    with pytest.raises(InvalidArgument, match="from_ must be"):
        arguments.instant(value, "from_")


def test_an_instant_travels_in_utc() -> None:
    """Any zone becomes Z with three fraction digits."""
    assert arguments.instant("2026-01-01T09:00:00+09:00", "to") == "2026-01-01T00:00:00.000Z"
    assert arguments.instant(datetime(2026, 1, 1, tzinfo=UTC), "to") == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "value",
    [
        {"a": float("nan")},
        {"a": object()},
        {"a": "\ud800"},
        {1.5: object()},
        [1],
        [],
        [("a", 1)],
        "text",
        "",
        5,
    ],
)
def test_metadata_is_an_object_of_json(value: Any) -> None:
    """What JSON can't hold never leaves."""
    with pytest.raises(InvalidArgument, match="metadata must be an object that JSON can hold"):
        arguments.metadata(value)


def test_metadata_is_copied() -> None:
    """A caller who changes theirs afterwards changes no call."""
    mine = {"order": {"id": 1}}
    sent = arguments.metadata(mine)
    mine["order"]["id"] = 2
    assert sent == {"order": {"id": 1}}


@pytest.mark.parametrize(
    ("check", "field"),
    [
        (lambda: arguments.plan_type("standard"), "plan_type"),
        (lambda: arguments.token_symbol("jpyc"), "token_symbol"),
        (lambda: arguments.optional(" ", "cursor"), "cursor"),
        (lambda: arguments.bounded("x" * 1001, "operator_note", 1000), "operator_note"),
        (lambda: arguments.seconds(float("inf"), "timeout_seconds"), "timeout_seconds"),
        (lambda: arguments.seconds(-1, "poll_seconds"), "poll_seconds"),
        (lambda: arguments.choice(None, "kind", ("refund",)), "kind"),
        (lambda: arguments.currency("EUR"), "currency"),
    ],
)
def test_every_refusal_names_its_field(check: Any, field: str) -> None:
    """A ValueError that says what to change."""
    with pytest.raises(ValueError, match=field):
        check()


@pytest.mark.parametrize("values", ["text", b"bytes", {"text": 1}, 5, True, object()])
@pytest.mark.parametrize("check", [arguments.texts, arguments.origins, terms.allowed_currencies])
def test_one_value_is_no_list(check: Any, values: Any) -> None:
    """What isn't several values is refused by the name of its field, whatever it is."""
    named = [] if check is terms.allowed_currencies else ["given"]
    with pytest.raises(InvalidArgument, match=r"given|allowed_currencies"):
        check(values, *named)


@pytest.mark.parametrize("value", ["5", None, True, -0.1, float("nan"), float("inf")])
def test_a_duration_is_a_number_of_seconds(value: Any) -> None:
    """Finite, not negative, and a number: a text or None is refused by name, too."""
    with pytest.raises(InvalidArgument, match="poll_seconds must be a finite number of seconds"):
        arguments.seconds(value, "poll_seconds")


@pytest.mark.parametrize("value", [None, "", "gift", ["refund"], 5])
def test_what_is_required_is_one_of_the_choices(value: Any) -> None:
    """None is no choice where one must be made."""
    with pytest.raises(InvalidArgument, match="kind must be refund or chargeback"):
        arguments.choice(value, "kind", ("refund", "chargeback"))
