"""The fast way to read a page or an object: msgspec fills the models straight from the bytes.

Amounts are read as text first and then turned into Decimals a column at a time: msgspec's
own Decimal takes exponents, NaN, underscores and other scripts' digits, and a page has
few different amounts, so that most are one look-up. What doesn't fit gives nothing here,
and goes the careful way.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cache
from itertools import count, repeat
from operator import attrgetter
from typing import Any, NoReturn, cast, get_args

import attrs
import msgspec

from settlekit._scalars import Memo, parse_decimal
from settlekit.models.base import Model, ObjectSource, PageSource, fields_of, wire_name

Setter = Callable[[Any, Any], None]

_UNFIT = (msgspec.MsgspecError, ValueError, RecursionError)

_decimals = Memo[str | None, Decimal | None](
    lambda text: None if text is None else parse_decimal(text)
)


@attrs.frozen
class Columns:
    """How a model's pages are read: its decoder, and the setters past its frozenness."""

    decoder: "msgspec.json.Decoder[Any]"
    amounts: tuple[tuple[Callable[[Any], Any], Setter], ...]
    set_source: Setter
    set_class: Setter
    #: Works out the amounts that the answer left out.
    complete: Callable[[Any], None] | None


def read_page(model: type[Model], content: bytes) -> Any | None:
    """Return an envelope with ``data.items``, ``data.next_cursor`` and ``meta``, or None."""
    columns = _columns(cast(Any, model), _page_of)
    try:
        envelope = columns.decoder.decode(content)
        _fill(columns, model, envelope.data.items, PageSource(content))
    except _UNFIT:
        return None
    return envelope


def read_object(model: type[Model], content: bytes) -> Any | None:
    """Return an envelope with ``data`` and ``meta``, or None."""
    if not _is_flat(cast(Any, model)):
        return None
    columns = _columns(cast(Any, model), _envelope_of)
    try:
        envelope = columns.decoder.decode(content)
        _fill(columns, model, (envelope.data,), ObjectSource(content))
    except _UNFIT:
        return None
    return envelope


def _fill(columns: Columns, model: type[Model], items: Sequence[Any], source: object) -> None:
    incomplete = False
    for amount_of, set_amount in columns.amounts:
        texts = tuple(map(amount_of, items))
        incomplete = incomplete or None in texts
        _do(map(set_amount, items, map(_decimals.__getitem__, texts)))
    _do(map(columns.set_class, items, repeat(model)))
    _do(map(columns.set_source, items, zip(repeat(source), count())))
    if columns.complete is not None and incomplete:
        _do(map(columns.complete, items))


@cache
def _columns(model: Any, around: Callable[[Any], Any]) -> Columns:
    amounts = [field.name for field in fields_of(model) if _is_amount(field.type)]
    return Columns(
        decoder=msgspec.json.Decoder(around(_with_amounts_as_text(model, amounts))),
        amounts=tuple((attrgetter(name), getattr(model, name).__set__) for name in amounts),
        set_source=Model.__dict__["_source"].__set__,
        set_class=object.__dict__["__class__"].__set__,
        complete=getattr(model, "__attrs_post_init__", None),
    )


def _with_amounts_as_text(model: type[Model], amounts: list[str]) -> Any:
    """Return a class of the same layout whose amounts msgspec reads as text."""
    types = {
        field.name: str if field.default is attrs.NOTHING else str | None
        for field in fields_of(model)
        if field.name in amounts
    }
    # Completed when its amounts are Decimals, not before.
    body: dict[str, Any] = {"__attrs_post_init__": _Absent()}
    return type(model.__name__, (model,), body | {"__slots__": (), "__annotations__": types})


def _page_of(item: Any) -> Any:
    fields: list[Any] = [("items", tuple[item, ...]), ("next_cursor", str | None, None)]
    return _envelope_of(msgspec.defstruct("Page", fields))


def _envelope_of(data: Any) -> Any:
    return msgspec.defstruct("Envelope", [("data", data), ("meta", Any, None)])


@cache
def _is_flat(model: Any) -> bool:
    """Say whether a model is on the wire as it is here, and holds no others.

    The amounts of one that it holds would be msgspec's to read.
    """
    return not any(
        _holds_a_model(field.type) or wire_name(field.name) != field.name
        for field in fields_of(model)
    )


def _holds_a_model(kind: Any) -> bool:
    if isinstance(kind, type) and issubclass(kind, Model):
        return True
    return any(_holds_a_model(part) for part in get_args(kind))


class _Absent:
    """An attribute that a class doesn't have, though its base does."""

    def __get__(self, _: object, owner: type) -> NoReturn:
        raise AttributeError(owner)


def _is_amount(kind: object) -> bool:
    return kind is Decimal or Decimal in get_args(kind)


def _do(actions: Iterable[None]) -> None:
    """Run through an iterator for what it does, without a loop in Python."""
    deque(actions, maxlen=0)
