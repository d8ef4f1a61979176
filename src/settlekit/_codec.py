"""JSON ⇄ models, in one place.

cattrs says how a model is read and written, msgspec does the bytes. Pages, webhooks and
objects that hold no others are hot: there msgspec fills the models straight from the bytes,
and only what it refuses goes the slow way, which gives the verdict and the reasons
("problem @ $.path").
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar, cast

import attrs
import msgspec

from settlekit._calls.call import Answer
from settlekit._pages import read_object, read_page
from settlekit._redaction import masked_repr
from settlekit.errors import DecodeError
from settlekit.models.base import JsonObject, Model, Response, answer_with, json_object

T = TypeVar("T")
M = TypeVar("M", bound=Model)

# A body that isn't JSON fails in many ways, deep nesting among them.
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


@attrs.frozen(kw_only=True)
class Listing(Generic[T]):
    """One page as it was read: its items, and where the next one starts."""

    items: tuple[T, ...]
    next_cursor: str | None
    response: Response


@attrs.frozen(kw_only=True)
class Result:
    """The answer of a call that isn't wrapped: its decoded data and its metadata."""

    data: Any = attrs.field(repr=masked_repr)
    response: Response


def one(model: type[M]) -> Callable[[Answer], M]:
    """Return a reader of an answer that holds one object."""
    return partial(_read_one, model)


def listing(model: type[M]) -> Callable[[Answer], Listing[M]]:
    """Return a reader of an answer that holds a page of objects."""
    return partial(_read_listing, model)


def anything(answer: Answer) -> Result:
    """Read an answer of any shape."""
    if not answer.content:
        return Result(data=None, response=answer.metadata())
    payload, response, _ = _unwrap(answer)
    return Result(data=payload, response=response)


def decode(content: bytes | str) -> Any:
    """Decode JSON, or raise DecodeError."""
    try:
        return msgspec.json.decode(content)
    except _UNREADABLE as error:
        raise DecodeError((f"not JSON: {error} @ $",)) from error


def encode(body: Mapping[str, Any]) -> bytes:
    """Encode a request's body; NaN and infinities become null, as JSON has neither."""
    return msgspec.json.encode(body)


def structure(model: type[M], payload: object, path: str = "$") -> M:
    """Read a model from decoded JSON, or raise DecodeError with every problem found."""
    from cattrs import transform_error

    from settlekit._converter import converter, explain

    try:
        return converter().structure(payload, model)
    except Exception as error:
        raise DecodeError(tuple(transform_error(error, path, explain))) from error


def unstructure(model: Model) -> JsonObject:
    """Write a model in its wire form; fields that are None are left out."""
    from settlekit._converter import converter

    return cast(JsonObject, converter().unstructure(model))


def _read_one(model: type[M], answer: Answer) -> M:
    envelope = read_object(model, answer.content)
    if envelope is None:
        return _read_any(model, answer)
    result: M = envelope.data
    answer_with(result, answer.metadata(envelope.meta))
    return result


def _read_any(model: type[M], answer: Answer) -> M:
    payload, response, path = _unwrap(answer)
    with _blaming(lambda: response):
        result = structure(model, payload, path)
    answer_with(result, response)
    return result


def _read_listing(model: type[M], answer: Answer) -> Listing[M]:
    return _read_page(model, answer) or _read_any_listing(model, answer)


def _read_page(model: type[M], answer: Answer) -> Listing[M] | None:
    envelope = read_page(model, answer.content)
    if envelope is None:
        return None
    return Listing(
        items=envelope.data.items,
        next_cursor=envelope.data.next_cursor,
        response=answer.metadata(envelope.meta),
    )


def _read_any_listing(model: type[M], answer: Answer) -> Listing[M]:
    payload, response, path = _unwrap(answer)
    with _blaming(lambda: response):
        page = json_object(payload)
        where = path if page is None else f"{path}.items"
        rows = payload if page is None else page.get("items")
        cursor = None if page is None else page.get("next_cursor")
        if not isinstance(rows, list):
            raise DecodeError((f"not a list @ {where}",))
        if not isinstance(cursor, str | None):
            raise DecodeError((f"not text @ {path}.next_cursor",))
        items = [
            structure(model, row, f"{where}[{index}]")
            for index, row in enumerate(cast("list[object]", rows))
        ]
    return Listing(items=tuple(items), next_cursor=cursor, response=response)


def _unwrap(answer: Answer) -> tuple[Any, Response, str]:
    with _blaming(answer.metadata):
        body = decode(answer.content)
    envelope = json_object(body)
    if envelope is not None and "data" in envelope:
        return envelope["data"], answer.metadata(envelope.get("meta")), "$.data"
    return body, answer.metadata(), "$"


class _blaming:  # noqa: N801  (reads as a statement)
    """Put the answer's metadata into the DecodeError of what is read inside."""

    def __init__(self, response: Callable[[], Response]) -> None:
        self._response = response

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DecodeError) and error.response is None:
            raise DecodeError(error.problems, self._response()) from error.__cause__
