"""The fast way to read a page: msgspec fills the models straight from the bytes.

Amounts are read as text first and then turned into Decimals a column at a time: msgspec's
own Decimal takes exponents, NaN, underscores and other scripts' digits, and a page has
few different amounts, so that most are one look-up. What doesn't fit gives no page here,
and goes the careful way.
"""

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from itertools import count, repeat
from operator import attrgetter
from typing import Any, cast, get_args

import attrs
import msgspec

from settlekit._scalars import Memo, parse_decimal
from settlekit.models.base import Model, PageSource, fields_of

Setter = Callable[[Any, Any], None]

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
    complete: Callable[[Any], None] | None


def read_page(model: type[Model], content: bytes) -> Any | None:
    """Return an envelope with ``data.items``, ``data.next_cursor`` and ``meta``, or None."""
    columns = _columns(cast(Any, model))
    try:
        envelope = columns.decoder.decode(content)
        items = envelope.data.items
        for amount_of, set_amount in columns.amounts:
            _do(map(set_amount, items, map(_decimals.__getitem__, map(amount_of, items))))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    _do(map(columns.set_class, items, repeat(model)))
    _do(map(columns.set_source, items, zip(repeat(PageSource(content)), count())))
    if columns.complete is not None:
        _do(map(columns.complete, items))
    return envelope


@cache
def _columns(model: Any) -> Columns:
    amounts = [field.name for field in fields_of(model) if _is_amount(field.type)]
    return Columns(
        decoder=_decoder(_with_amounts_as_text(model, amounts)),
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
    body: dict[str, Any] = {"__attrs_post_init__": _nothing}
    return type(model.__name__, (model,), body | {"__slots__": (), "__annotations__": types})


def _decoder(item: Any) -> "msgspec.json.Decoder[Any]":
    fields: list[Any] = [("items", tuple[item, ...]), ("next_cursor", str | None, None)]
    page = msgspec.defstruct("Page", fields)
    return msgspec.json.Decoder(
        msgspec.defstruct("Envelope", [("data", page), ("meta", Any, None)])
    )


def _nothing(_: object) -> None:
    pass


def _is_amount(kind: object) -> bool:
    return kind is Decimal or Decimal in get_args(kind)


def _do(actions: Iterable[None]) -> None:
    """Run through an iterator for what it does, without a loop in Python."""
    deque(actions, maxlen=0)
