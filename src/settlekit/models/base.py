"""What every model has: where it came from, the fields it doesn't know, its wire form.

A model is a frozen, slotted attrs class with its fields named as on the wire. It keeps
the JSON that it was read from, or the bytes that hold it, so that nothing a newer server
sends is lost: ``extra`` and ``to_dict`` look there, at no cost until they are asked.
"""

import copy
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar, cast, overload

import attrs
import msgspec

T = TypeVar("T")

#: An instant: always aware, RFC 3339 on the wire.
Instant = Annotated[datetime, msgspec.Meta(tz=True)]

JsonObject = dict[str, Any]

#: The JSON that a model was read from: an object, its bytes, or its place in an answer, for
#: answers are read without making objects.
Source = JsonObject | bytes | str | tuple["PageSource | ObjectSource", int]


class OpenEnum(StrEnum):
    """A state whose list may grow: a value this version doesn't know is kept as its text."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._value_,)

    @property
    def known(self) -> bool:
        """Whether this version knows the value."""
        return self._value_ in type(self)._value2member_map_


class Headers(dict[str, str]):
    """An answer's headers by their names in small letters, to be looked up in any case."""

    __slots__ = ()

    def __missing__(self, name: str) -> str:
        small = name.lower()
        if small == name:
            raise KeyError(name)
        return self[small]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    @overload
    def get(self, name: str, default: None = None, /) -> str | None: ...
    @overload
    def get(self, name: str, default: str, /) -> str: ...
    @overload
    def get(self, name: str, default: T, /) -> str | T: ...
    def get(self, name: str, default: object = None, /) -> object:
        """Return a header, or the default where there is none."""
        return super().get(name.lower(), default)


def _in_any_case(headers: Mapping[str, str]) -> Mapping[str, str]:
    return Headers(headers)


@attrs.frozen(kw_only=True)
class Response:
    """The metadata of an answer: what to quote when something has to be looked up.

    ``headers`` are found by their names in any case.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False, converter=_in_any_case)
    elapsed: timedelta
    request_id: str | None = None
    trace_id: str | None = None


class PageSource:
    """The bytes of a page, decoded once and only when somebody asks for an item's JSON."""

    __slots__ = ("_content", "_items")

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._items: list[JsonObject] | None = None

    def item(self, index: int) -> JsonObject:
        """Return the JSON of an item."""
        if self._items is None:
            decoded: list[JsonObject] = msgspec.json.decode(self._content)["data"]["items"]
            self._items = decoded
        return self._items[index]


class ObjectSource:
    """The bytes of an answer that holds one object."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    def item(self, _: int) -> JsonObject:
        """Return the JSON of the object."""
        decoded: JsonObject = msgspec.json.decode(self._content)["data"]
        return decoded


class Model:
    """The base of all models."""

    __slots__ = ("_response", "_source")

    _source: Source
    _response: Response

    @property
    def response(self) -> Response | None:
        """The metadata of the answer that this model is the result of, if of any."""
        return getattr(self, "_response", None)

    @property
    def extra(self) -> JsonObject:
        """The fields of the wire form that this version doesn't know."""
        known = field_names(type(self))
        wire = self._wire()
        return {name: copy.deepcopy(wire[name]) for name in wire.keys() - known}

    def to_dict(self) -> JsonObject:
        """Return the wire form: as it was received, or made from the fields."""
        return copy.deepcopy(self._wire()) if hasattr(self, "_source") else wire_form(self)

    def _wire(self) -> JsonObject:
        source: Source = getattr(self, "_source", {})
        if isinstance(source, bytes | str):
            return msgspec.json.decode(source, type=JsonObject)
        return source[0].item(source[1]) if isinstance(source, tuple) else source

    def __getstate__(self) -> tuple[JsonObject, JsonObject | None, Response | None]:
        fields = {field.name: getattr(self, field.name) for field in fields_of(type(self))}
        return fields, self._wire() if hasattr(self, "_source") else None, self.response

    def __setstate__(self, state: tuple[JsonObject, JsonObject | None, Response | None]) -> None:
        fields, wire, response = state
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        if wire is not None:
            remember(self, wire)
        if response is not None:
            answer_with(self, response)


def json_object(value: object) -> JsonObject | None:
    """Return a decoded JSON object, or None for anything else."""
    return cast(JsonObject, value) if isinstance(value, dict) else None


def remember(model: Model, source: Source) -> None:
    """Keep the JSON a model was read from."""
    object.__setattr__(model, "_source", source)


def answer_with(model: Model, response: Response) -> None:
    """Keep the metadata of the answer a model is the result of."""
    object.__setattr__(model, "_response", response)


def field_names(model: type[Model]) -> frozenset[str]:
    """Return the names on the wire of the fields that this version knows."""
    return frozenset(wire_name(field.name) for field in fields_of(model))


def wire_name(field: str) -> str:
    """Return a field's name on the wire: ``from_`` is ``from`` there, which Python keeps."""
    return field.removesuffix("_")


def fields_of(model: type[Model]) -> "tuple[attrs.Attribute[Any], ...]":
    """Return the fields that this version knows."""
    return cast("tuple[attrs.Attribute[Any], ...]", attrs.fields(cast(Any, model)))


def wire_form(model: Model) -> JsonObject:
    """Make the wire form from a model's fields, for one that wasn't read from any."""
    from settlekit._codec import unstructure

    return unstructure(model)
