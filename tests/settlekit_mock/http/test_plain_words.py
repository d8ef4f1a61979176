"""What a refused field is answered with: a sentence that needs no programmer."""

import re
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from settlekit_mock.app import ROUTES
from settlekit_mock.http.reading import convert
from settlekit_mock.kernel.problems import Invalid


class Slot(msgspec.Struct, forbid_unknown_fields=True):
    """A body within a body."""

    hour: Annotated[int, Meta(ge=0, le=23)]
    names: Annotated[list[Literal["JPY", "USD"]], Meta(max_length=2)] = []


class Terms(msgspec.Struct, forbid_unknown_fields=True):
    """A body with a field of each kind."""

    amount_minor: Annotated[int, Meta(ge=1)] = 1
    rate: Annotated[float, Meta(le=1.0)] = 1.0
    note: Annotated[str, Meta(min_length=1, max_length=3)] = "n"
    token: str = ""
    by: str | float | None = None
    slot: Slot | None = None
    slots: list[Slot] = []
    caps: dict[str, int] = {}
    alone: bool = False
    tag: Annotated[str, Meta(pattern="^[a-z]+$", description="Small letters.")] | None = None
    code: Annotated[str, Meta(pattern="^[0-9]+$")] = "1"


@pytest.mark.parametrize(
    ("given_fields", "told"),
    [
        ({"amount_minor": 0}, "amount_minor must be a whole number of at least 1, not 0"),
        ({"amount_minor": 1.5}, "amount_minor must be a whole number, not 1.5"),
        ({"amount_minor": "1x"}, "amount_minor must be a whole number, not text"),
        ({"amount_minor": None}, "amount_minor must be a whole number, not null"),
        ({"amount_minor": True}, "amount_minor must be a whole number, not true"),
        ({"rate": 2}, "rate must be a number of at most 1, not 2"),
        ({"note": ""}, "note must be text of at least 1 character, not of 0"),
        ({"note": "secret words"}, "note must be text of at most 3 characters, not of 12"),
        ({"token": 4711}, "token must be text, not a number"),
        ({"by": []}, "by must be a number, text or null, not a list"),
        ({"alone": "yes"}, "alone must be true or false, not text"),
        ({"tag": "A"}, "tag must be small letters"),
        ({"code": "x"}, "code must be text that matches ^[0-9]+$"),
        ({"slot": {}}, "slot.hour is missing"),
        ({"slot": {"hour": 24}}, "slot.hour must be a whole number of at most 23, not 24"),
        ({"slot": {"hours": 1}}, "there is no field 'slot.hours'; there are hour, names"),
        ({"slot": {"hour": 1, "names": ["EUR"]}}, "slot.names[0] must be JPY or USD, not 'EUR'"),
        (
            {"slots": [{"hour": 1}, {"hour": 1, "names": ["JPY"] * 3}]},
            "slots[1].names must be a list of at most 2 entries, not of 3",
        ),
        ({"caps": {"a": "b"}}, "caps must be a whole number"),
        ({"slot": 3}, "slot must be an object or null, not 3"),
    ],
)
def test_a_refusal_is_a_sentence(given_fields: dict[str, Any], told: str) -> None:
    """It names the field, what must be there, and what was; text that was sent isn't repeated."""
    with pytest.raises(Invalid) as refused:
        convert(given_fields, Terms)
    assert refused.value.message == told


def test_a_parameters_number_is_shown() -> None:
    """In a query every value comes as text; a number out of its range is shown all the same."""
    with pytest.raises(Invalid, match=r"at least 1, not 0$"):
        convert({"amount_minor": "0"}, Terms, from_text=True)


SHAPES = [route.body for route in ROUTES if route.body is not None]
FIELDS = sorted({name for shape in SHAPES for name in shape.__struct_fields__})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-1, 1) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=4,
)
WORDS = re.compile(r"\S+ (must be |is missing$)|there is no field '")


@given(st.sampled_from(SHAPES), st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4))
def test_every_routes_refusal_is_a_sentence(shape: Any, fields: dict[str, Any]) -> None:
    """Whatever any route refuses, it says so in words, and never in those of a type checker."""
    told = refusal_of(fields, shape)
    assert told is None or (WORDS.match(told) and "`" not in told)


def refusal_of(fields: dict[str, Any], shape: Any) -> str | None:
    try:
        convert(fields, shape)
    except Invalid as refused:
        return refused.message
    return None
