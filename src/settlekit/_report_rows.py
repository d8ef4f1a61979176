"""Rows of the operator's reports: how their cells are read, by name.

A report of US dollars has columns ending in ``_usd``; one of another currency has the same
without the ending, beside ``currency``.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar, cast, get_args

import attrs

from settlekit._csv import RowFormat
from settlekit._scalars import parse_decimal, parse_instant

T = TypeVar("T")

USD: Final = "_usd"


def report_rows(kind: type[T], currency: str | None) -> RowFormat[T]:
    """Return the format of a report, in US dollars unless another currency is asked for."""
    make = cast("Callable[..., T]", kind)
    fields = attrs.fields(cast(Any, kind))
    in_dollars = currency in {None, "USD"}
    amounts = {field.name for field in fields if field.name.endswith(USD)}
    bare = {"currency", *(name.removesuffix(USD) for name in amounts)}
    absent = bare if in_dollars else amounts
    columns = tuple(field.name for field in fields if field.name not in absent)
    readers = [_reader(field.type) for field in fields if field.name in columns]

    def parse(cells: list[str]) -> T:
        read = [reader(cell) for reader, cell in zip(readers, cells, strict=True)]
        return make(**dict(zip(columns, read, strict=True)))

    return RowFormat(columns=columns, parse=parse)


def _reader(declared: Any) -> Callable[[str], Any]:
    kinds = get_args(declared) or (declared,)
    read = cast("Callable[[str], Any]", _READERS.get(kinds[0]) or kinds[0])
    if type(None) in kinds:
        return lambda cell: read(cell) if cell else None
    return read


def _count(cell: str) -> int:
    value = parse_decimal(cell)
    if value != value.to_integral_value():
        raise ValueError(f"not a whole number: {cell[:40]!r}")
    return int(value)


_READERS: Final[dict[Any, Callable[[str], Any]]] = {
    Decimal: parse_decimal,
    datetime: parse_instant,
    int: _count,
    str: str,
}
