"""How models are read from decoded JSON and written back: the codec's configuration.

Stricter than Python's constructors (text isn't made from numbers, money never from a
float), and lenient where the wire may be: fields this version doesn't know are kept, and
null in a field with a default is the same as its absence.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from settlekit._scalars import parse_decimal, parse_instant, write_instant
from settlekit.models.base import (
    JsonObject,
    Model,
    OpenEnum,
    fields_of,
    json_object,
    remember,
    wire_name,
)
from settlekit.money import format_minor


class Misfit(ValueError):
    """A value that doesn't fit its field."""


@cache
def converter() -> Converter:
    """Return the one converter of this process."""
    made = Converter()
    for kind in (str, int, bool):
        made.register_structure_hook(kind, _exactly(kind))
    made.register_structure_hook(Decimal, _read_decimal)
    made.register_structure_hook(datetime, _read_instant)
    # States are str too: without a hook of their own they would be read as that.
    made.register_structure_hook(OpenEnum, _read_state)
    made.register_structure_hook_func(_is_tuple, lambda value, kind: _read_tuple(made, value, kind))
    made.register_structure_hook_factory(_is_subclass(Model), partial(_model_reader, made))
    made.register_unstructure_hook(Decimal, format_minor)
    made.register_unstructure_hook(datetime, write_instant)
    made.register_unstructure_hook(OpenEnum, str)
    made.register_unstructure_hook_factory(_is_subclass(Model), partial(_model_writer, made))
    return made


def explain(problem: BaseException, _: type | None) -> str:
    """Say what is wrong with a value in the words of the wire."""
    if isinstance(problem, KeyError):
        return f"missing field {problem.args[0]}"
    if isinstance(problem, AttributeError):  # how a mapping's hook meets another type
        return "not an object"
    return str(problem)


def _read_decimal(value: object, _: object) -> Decimal:
    if type(value) is int:
        return Decimal(value)
    if not isinstance(value, str):
        raise Misfit("not a decimal string")
    return parse_decimal(value)


def _read_instant(value: object, _: object) -> datetime:
    if not isinstance(value, str):
        raise Misfit("not an RFC 3339 instant")
    return parse_instant(value)


def _exactly(kind: type) -> Callable[[object, Any], Any]:
    names = {str: "text", int: "a whole number", bool: "true or false"}

    def read(value: object, _: object) -> object:
        if type(value) is not kind:
            raise Misfit(f"not {names[kind]}")
        return value

    return read


def _read_state(value: object, kind: type[OpenEnum]) -> OpenEnum:
    if not isinstance(value, str):
        raise Misfit("not text")
    return kind(value)


def _read_tuple(made: Converter, value: object, kind: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise Misfit("not a list")
    listed: Any = list.__class_getitem__(get_args(kind)[0])
    return tuple(made.structure(value, listed))


def _model_reader(made: Converter, model: type[Model]) -> Callable[[object, Any], Model]:
    read = make_dict_structure_fn(model, made, **_renamed(model))
    defaulted = _defaulted(model)

    def reader(value: object, _: object) -> Model:
        wire = json_object(value)
        if wire is None:
            raise Misfit("not an object")
        fields = {k: v for k, v in wire.items() if v is not None or k not in defaulted}
        result = read(fields, model)
        remember(result, wire)
        return result

    return reader


def _model_writer(made: Converter, model: type[Model]) -> Callable[[Model], JsonObject]:
    write = make_dict_unstructure_fn(model, made, **_renamed(model))
    return lambda value: {k: v for k, v in write(value).items() if v is not None}


def _defaulted(model: type[Model]) -> frozenset[str]:
    return frozenset(wire_name(f.name) for f in fields_of(model) if f.default is not attrs.NOTHING)


def _renamed(model: type[Model]) -> dict[str, Any]:
    names = (field.name for field in fields_of(model))
    return {name: override(rename=wire_name(name)) for name in names if wire_name(name) != name}


def _is_subclass(base: type) -> Callable[[Any], bool]:
    return lambda asked: isinstance(asked, type) and issubclass(asked, base)


def _is_tuple(asked: object) -> bool:
    return get_origin(asked) is tuple
