"""Say in plain words what is wrong with a field: msgspec's own words are for programmers."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, cast

import msgspec.inspect as shapes

from settlekit_mock.kernel.discretion import SECRET

_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_SIGNS: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_UNITS: Final = {"str": "character", "array": "entry", "object": "entry"}
_WHERE: Final = re.compile(r"(?P<what>.*?) - at `\$(?P<path>.*)`", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_KIND: Final = re.compile(r"Expected `([a-z |]+)`(?:, got `\w+`)?")
_BOUND: Final = re.compile(r"Expected `(int|float)` (>=|<=|>|<) (\S+)")
_PATTERN: Final = re.compile(r"Expected `str` matching regex '(.*)'", re.DOTALL)
_LENGTH: Final = re.compile(r"Expected `(str|array|object)` of length (>=|<=) (\d+)")
_FIELD: Final = re.compile(r"Object (?:missing required|contains unknown) field `(.*)`", re.DOTALL)
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_LONGEST_SEEN: Final = 40
_NOTHING: Final = object()


def in_plain_words(message: str, values: Mapping[str, Any], into: Any) -> str:
    """Turn "Expected `int` >= 1 - at `$.a`" into "a must be a whole number of at least 1, not 0".

    Text that was sent is never repeated but where one of few values was wanted.
    """
    found = _WHERE.fullmatch(message)
    what, path = (found["what"], found["path"]) if found else (message, "")
    steps = [name or index for name, index in _STEP.findall(path)]
    known = _FIELD.fullmatch(what)
    if known is not None:
        return _about_field(known[1], steps, into, missing="missing" in what)
    name = path.removesuffix("[...]").removeprefix(".") or "the body"
    return f"{name} {_must(what, _value(values, steps), _shape(into, steps), name)}"


def _about_field(name: str, steps: Sequence[str], into: Any, *, missing: bool) -> str:
    whole = ".".join([*steps, name])
    if missing:
        return f"{whole} is missing"
    bodies = [each for each in _parts(_shape(into, steps)) if isinstance(each, shapes.StructType)]
    known = ", ".join(field.encode_name for body in bodies for field in body.fields)
    return f"there is no field {whole[:_LONGEST_SEEN]!r}; there are {known}"


def _must(what: str, value: Any, shape: Any, name: str) -> str:
    if choices := _choices(shape):
        shown = "" if value is _NOTHING else f", not {repr(value)[:_LONGEST_SEEN]}"
        return f"must be {_one_of(choices)}{shown}"
    if bound := _BOUND.fullmatch(what):
        kind = f"{_KINDS[bound[1]]} of {_SIGNS[bound[2]]} {bound[3].removesuffix('.0')}"
        return f"must be {kind}{_not(value, name)}"
    if length := _LENGTH.fullmatch(what):
        unit = _UNITS[length[1]] if length[3] == "1" else _plural(_UNITS[length[1]])
        size = f", not of {len(value)}" if value is not _NOTHING else ""
        return f"must be {_KINDS[length[1]]} of {_SIGNS[length[2]]} {length[3]} {unit}{size}"
    if kinds := _KIND.fullmatch(what):
        words = [_KINDS.get(kind, kind) for kind in kinds[1].split(" | ")]
        return f"must be {_one_of(words)}{_not(value, name)}"
    if pattern := _PATTERN.fullmatch(what):
        return f"must be {_described_as(shape) or f'text that matches {pattern[1]}'}"
    return f"is invalid: {what[:1].lower()}{what[1:].replace('`', '')}"


def _described_as(shape: Any) -> str:
    """Return what a text's shape says of itself, as a part of a sentence."""
    described = (_description(part) for part in _parts(shape))
    return " or ".join(f"{one[:1].lower()}{one[1:].rstrip('.')}" for one in described if one)


def _description(part: Any) -> str:
    known = cast(dict[str, str], getattr(part, "extra_json_schema", None) or {})
    return known.get("description", "")


def _not(value: Any, name: str) -> str:
    return "" if value is _NOTHING else f", not {_seen(value, secret=bool(SECRET.search(name)))}"


def _seen(value: Any, *, secret: bool) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return value if _NUMBER.fullmatch(value) and not secret else "text"
    if isinstance(value, int | float):
        return "a number" if secret else repr(value)[:_LONGEST_SEEN]
    return "a list" if isinstance(value, list) else "an object"


def _value(values: Any, steps: Sequence[str]) -> Any:
    """Return what was sent there, or nothing where that can't be told."""
    for step in steps:
        try:
            values = values[int(step) if isinstance(values, list) else step]
        except (LookupError, ValueError, TypeError):
            return _NOTHING
    return values


def _shape(into: Any, steps: Sequence[str]) -> Any:
    shape: Any = _described(into)
    for step in steps:
        inner = [_within(part, step) for part in _parts(shape)]
        shape = next((each for each in inner if each is not None), None)
    return shape


@cache
def _described(into: Any) -> shapes.Type:
    return shapes.type_info(into)


def _parts(shape: Any) -> Sequence[Any]:
    return shape.types if isinstance(shape, shapes.UnionType) else (shape,)


def _within(shape: Any, step: str) -> Any:
    if isinstance(shape, shapes.StructType):
        return next((each.type for each in shape.fields if each.encode_name == step), None)
    return getattr(shape, "item_type", None) or getattr(shape, "value_type", None)


def _choices(shape: Any) -> list[str]:
    found: list[str] = []
    for part in _parts(shape):
        if isinstance(part, shapes.LiteralType):
            found += [str(value) for value in part.values]
        elif isinstance(part, shapes.EnumType):
            found += [str(cast(Any, one).value) for one in part.cls]
    return found


def _one_of(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _plural(unit: str) -> str:
    return "entries" if unit == "entry" else f"{unit}s"
