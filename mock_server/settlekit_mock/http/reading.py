"""Read what a stranger sends: JSON bodies and query strings, strictly."""

import json
import math
import re
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
import msgspec.inspect
from werkzeug.datastructures import MultiDict

from settlekit_mock.http.plain_words import in_plain_words
from settlekit_mock.kernel.problems import Invalid, Malformed, Problem

BODY_LIMIT = 1024 * 1024
"""Bytes; a longer body is answered 413."""

DEEPEST = 64
"""Objects and lists within each other, at most: what is read must be written again."""
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_DIGITS = re.compile(r"-?[0-9]{1,20}")
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1

T = TypeVar("T")


def read_json(raw: bytes) -> dict[str, Any]:
    """Read a JSON object; an empty body is an empty object.

    Raises ``Malformed`` for anything that isn't one JSON object in UTF-8, for NaN and
    infinities, for a key given twice, for text that no encoding can carry and for U+0000;
    ``Invalid`` for numbers that no field could hold.
    """
    if not raw.strip():
        return {}
    try:
        found = json.loads(
            raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique_keys
        )
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Malformed(f"the body isn't JSON: {reason}") from error
    if not isinstance(found, dict):
        raise Malformed("the body must be a JSON object")
    read = cast(dict[str, Any], found)
    try:
        _check(read, DEEPEST)
    except _Unfit as unfit:
        where = _path_to(unfit.value, read) or "the body"
        raise unfit.refused(f"{where} {unfit.problem}") from unfit
    return read


class _Unfit(Exception):
    """A value that can't be kept or written again."""

    def __init__(self, value: Any, problem: str, refused: type[Problem] = Malformed) -> None:
        super().__init__(problem)
        self.value = value
        self.problem = problem
        self.refused = refused


def _check(value: Any, deeper: int) -> None:
    """Refuse what couldn't be kept or written again."""
    if isinstance(value, str):
        if _UNWRITABLE.search(value):
            raise _Unfit(value, "must not hold U+0000 or half of a surrogate pair")
    elif isinstance(value, dict | list):
        if not deeper:
            raise _Unfit(value, f"is nested more than {DEEPEST} deep")
        for inner in _inside(value):
            _check(inner, deeper - 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _Unfit(value, "holds a number that is too large", Invalid)
    elif isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        raise _Unfit(value, "holds a number that is too large", Invalid)


def _inside(value: Any) -> list[Any]:
    read = cast(dict[str, Any] | list[Any], value)
    return [*read, *read.values()] if isinstance(read, dict) else read


def _path_to(unfit: object, found: dict[str, Any]) -> str:
    """Name the field of the body that holds a value; nothing where it is a key."""
    for name, value in found.items():
        if _holds(value, unfit):
            return name if name.isprintable() else ""
    return ""


def _holds(holder: Any, unfit: object) -> bool:
    if holder is unfit:
        return True
    inner = _inside(holder) if isinstance(holder, dict | list) else []
    return any(_holds(each, unfit) for each in inner)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} isn't a JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} comes twice")
    return found


def convert(values: dict[str, Any], into: type[T], *, from_text: bool = False) -> T:
    """Turn read values into a request class, or raise ``Invalid`` naming the field."""
    try:
        return msgspec.convert(values, into, strict=not from_text)
    except msgspec.ValidationError as error:
        raise Invalid(in_plain_words(str(error), values, into)) from error


def read_query(arguments: MultiDict[str, str], into: type[T]) -> T:
    """Read a query string into a request class.

    Raises ``Invalid`` for a parameter given twice or not valid; an empty one counts as
    absent.
    """
    values: dict[str, str] = {}
    for name, given in arguments.lists():
        if len(given) > 1:
            raise Invalid(f"{name}: give this parameter once")
        if "\x00" in given[0] or "�" in given[0]:
            raise Invalid(f"{name}: must be text in UTF-8")
        if given[0]:
            values[name] = given[0]
    shape: Any = into
    for name in _whole_numbers(shape) & values.keys():
        # Lax reading takes 7.0 and 1e2 for whole numbers.
        if not _DIGITS.fullmatch(values[name]):
            raise Invalid(f"{name} must be a whole number")
    return convert(values, into, from_text=True)


@cache
def _whole_numbers(into: Any) -> frozenset[str]:
    described = msgspec.inspect.type_info(into)
    assert isinstance(described, msgspec.inspect.StructType)
    return frozenset(
        field.encode_name for field in described.fields if _takes_whole_numbers(field.type)
    )


def _takes_whole_numbers(described: msgspec.inspect.Type) -> bool:
    if isinstance(described, msgspec.inspect.UnionType):
        return any(_takes_whole_numbers(one) for one in described.types)
    return isinstance(described, msgspec.inspect.IntType)
