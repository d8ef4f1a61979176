"""The words of the wire: bases of request and answer classes, and their field types."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from settlekit_mock.kernel.discretion import discreet_repr
from settlekit_mock.kernel.money import units_from_major
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import from_text

Timestamp = Annotated[
    str,
    Meta(
        description="RFC 3339 in UTC with three fraction digits.",
        extra_json_schema={"format": "date-time"},
    ),
]
MinorText = Annotated[
    str,
    Meta(
        description="A decimal string of minor units, no exponent, no trailing zeros.",
        extra_json_schema={"pattern": r"^-?\d+(\.\d+)?$"},
    ),
]
MajorText = Annotated[
    str,
    Meta(
        description="A decimal string of major units with eight places.",
        extra_json_schema={"pattern": r"^-?\d+\.\d{8}$"},
    ),
]
Currency = Literal["JPY", "USD"]
Token = Literal["JPYC", "USDC"]
AmountMinor = Annotated[int, Meta(ge=1, le=2**53 - 1, description="Minor units.")]
ShortText = Annotated[str, Meta(min_length=1, max_length=255)]
NoteText = Annotated[str, Meta(min_length=1, max_length=1000)]
UrlText = Annotated[str, Meta(min_length=1, max_length=2048)]
AmountText = Annotated[
    str,
    Meta(
        max_length=32,
        description="A decimal string of major units, greater than zero, up to eight places.",
    ),
]
Metadata = dict[str, Any]
"""A caller's own JSON object, kept and given back as it came."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what a route answers; tokens and secrets stay out of its repr."""

    def __repr__(self) -> str:
        return discreet_repr(self)


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what a route takes; fields it doesn't know are ignored, secrets not in its repr."""

    def __repr__(self) -> str:
        return discreet_repr(self)


class StrictBody(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what an operator's or control route takes: an unknown field is refused."""


class Listing(Answer, frozen=True, kw_only=True):
    """Base of a page of a list: the items, and where the next page begins."""

    next_cursor: str | None


def instant(text: str, field: str) -> int:
    """Read a time field, or refuse the call naming the field."""
    try:
        return from_text(text)
    except ValueError as error:
        raise Invalid(f"{field}: {error}") from error


def positive_units(text: str, field: str) -> int:
    """Read an amount field in major units, or refuse the call naming the field."""
    try:
        return units_from_major(text)
    except ValueError as error:
        raise Invalid(f"{field}: {error}") from error
