"""The wire of every route: what leaves, what comes back, and what a newer server may add."""

import json
from decimal import Decimal
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlekit import AsyncClient, Client, DecodeError, _codec, models
from settlekit.models.base import Model, OpenEnum, field_names, fields_of, wire_name
from settlekit.testing import golden
from tests.settlekit.golden.calling import (
    COMPOSED,
    ORIGIN,
    call_async,
    call_sync,
    items_of,
    methods,
    models_of,
    payload,
    read,
)

NAMES = golden.names()
IN_JSON = [name for name in NAMES if golden.load(name).response.text is None]
IN_CSV = [name for name in NAMES if name not in IN_JSON]

newer = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text("abc é", max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("xyz", max_size=3), inner),
    max_leaves=4,
)


def nested(model: Model) -> list[Model]:
    """Return a model and all models in it."""
    found = [model]
    for field in fields_of(type(model)):
        value = getattr(model, field.name)
        inner = value if isinstance(value, tuple) else (value,)
        found += [each for one in inner if isinstance(one, Model) for each in nested(one)]
    return found


def states(model: Model) -> list[str]:
    """Return the wire names of a model's fields that are states and have a value."""
    return [
        wire_name(field.name)
        for field in fields_of(type(model))
        if isinstance(getattr(model, field.name), OpenEnum)
    ]


def optional(model: type[Model]) -> list[str]:
    """Return the wire names of a model's fields that an answer may leave out."""
    return [wire_name(f.name) for f in fields_of(model) if f.default is not attrs.NOTHING]


def test_every_method_has_its_file() -> None:
    """Each method of both clients that is a route of its own, and no file beside."""
    sync = Client(token="tok", base_url=ORIGIN)
    assert methods(sync) == methods(AsyncClient(token="tok", base_url=ORIGIN))
    assert methods(sync) - COMPOSED == set(NAMES)


@pytest.mark.parametrize("call", [call_sync, call_async], ids=["sync", "async"])
@pytest.mark.parametrize("name", NAMES)
def test_what_leaves(name: str, call: Any) -> None:
    """Method, path, query, headers and body are the golden file's."""
    file = golden.load(name)
    _, server = call(name, file.response)
    request = server.requests[0]
    url = f"{ORIGIN}/v1" if file.root == "api" else ORIGIN
    assert (request.method, str(request.url).partition("?")[0]) == (
        file.request.method,
        f"{url}{file.request.path}",
    )
    assert dict(request.url.params) == file.request.query
    named = ("authorization", "accept", "content-type", "x-admin-secret")
    sent = {name: request.headers[name] for name in named if name in request.headers}
    assert sent == file.request.headers
    assert json.loads(request.content or b"null") == file.request.body


@pytest.mark.parametrize("call", [call_sync, call_async], ids=["sync", "async"])
@pytest.mark.parametrize("name", IN_JSON)
def test_what_comes_back(name: str, call: Any) -> None:
    """The wire form is given back to the letter, and no field of it is unknown."""
    response = golden.load(name).response
    result, _ = call(name, response)
    found = models_of(result)
    assert found
    assert [model.to_dict() for model in found] == items_of(payload(response))
    assert [each.extra for model in found for each in nested(model) if each.extra] == []
    assert result.response.status == response.status


@pytest.mark.parametrize("name", IN_JSON)
def test_a_model_without_a_source_writes_the_same(name: str) -> None:
    """Made from its fields alone, a model's wire form says what it was read from, but nulls."""
    for model in read(name, payload(golden.load(name).response)):
        fresh = attrs.evolve(model)
        assert _codec.structure(type(model), fresh.to_dict()) == model


@pytest.mark.parametrize("name", IN_CSV)
def test_rows_come_back(name: str) -> None:
    """Each line of a file is a row, whose cells are typed."""
    text = golden.load(name).response.text or ""
    header, *lines = text.splitlines()
    rows, _ = call_sync(name, golden.load(name).response)
    assert len(rows) == len(lines) > 0
    first = attrs.asdict(rows[0], recurse=False)
    assert [first[column] is not None for column in header.split(",")] == [
        cell != "" for cell in lines[0].split(",")
    ]
    amounts = [c for c in header.split(",") if c.endswith(("_usd", "_minor")) or c == "amount"]
    assert {type(first[column]) for column in amounts} == {Decimal}


@pytest.mark.parametrize("name", IN_JSON)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_newer_server_may_add(name: str, data: st.DataObject) -> None:
    """Fields that this version doesn't know are kept, in ``extra`` and in the wire form."""
    wire = json.loads(json.dumps(payload(golden.load(name).response)))
    added = data.draw(st.dictionaries(st.text("nw_", min_size=4, max_size=6), newer, min_size=1))
    item = items_of(wire)[0]
    item.update({f"x_{key}": value for key, value in added.items()})
    model = read(name, wire)[0]
    assert model.extra == {f"x_{key}": value for key, value in added.items()}
    assert model.to_dict() == item


@pytest.mark.parametrize("name", IN_JSON)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_newer_server_may_say_other_states(name: str, data: st.DataObject) -> None:
    """Any state that this version doesn't know is its text, and says that it isn't known."""
    wire = json.loads(json.dumps(payload(golden.load(name).response)))
    known = read(name, wire)[0]
    word = data.draw(st.from_regex(r"new_[a-z]{1,8}", fullmatch=True))
    named = states(known)
    items_of(wire)[0].update(dict.fromkeys(named, word))
    model = read(name, wire)[0]
    assert [(getattr(model, each), getattr(model, each).known) for each in named] == [
        (word, False)
    ] * len(named)
    assert not getattr(model, "is_settled", False)


@pytest.mark.parametrize("name", IN_JSON)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_what_is_optional_may_be_missing_or_null(name: str, data: st.DataObject) -> None:
    """Any of the optional fields, left out or null, is the default; the others stay."""
    wire = json.loads(json.dumps(payload(golden.load(name).response)))
    whole = read(name, wire)[0]
    gone = data.draw(st.sets(st.sampled_from(optional(type(whole)) or ["none"])))
    null = data.draw(st.booleans())
    item = items_of(wire)[0]
    for field in gone & set(item):
        item[field] = None
        if not null:
            del item[field]
    model = read(name, wire)[0]
    kept = field_names(type(whole)) - gone
    python = {wire_name(f.name): f.name for f in fields_of(type(whole))}
    assert {f: getattr(model, python[f]) for f in kept} == {
        f: getattr(whole, python[f]) for f in kept
    }
    assert model.to_dict() == item


@pytest.mark.parametrize("name", IN_JSON)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_no_answer_breaks_a_reader(name: str, data: st.DataObject) -> None:
    """Whatever stands in a field, it is read, or a DecodeError says where it doesn't fit."""
    wire = json.loads(json.dumps(payload(golden.load(name).response)))
    item = items_of(wire)[0]
    field = data.draw(st.sampled_from(sorted(item)))
    item[field] = data.draw(newer)
    try:
        [model, *_] = read(name, wire)
    except DecodeError as error:
        problems = error.problems
    else:
        problems = (f"@ $.{field}",)
        assert model.to_dict() == item
    assert any(field in problem for problem in problems)


#: The models that can say that their money has come, with the field that says so.
SETTLING: list[tuple[str, str]] = [
    ("checkout_sessions.get", "settlement_status"),
    ("payment_requirements.get", "settlement_status"),
    ("provider_statements.settlement_batch", "status"),
]


@pytest.mark.parametrize(("name", "field"), SETTLING)
@given(word=st.sampled_from(["settled", "Settled", "settled ", "settling", "SETTLED"]) | st.text())
@settings(max_examples=40, deadline=None)
def test_only_settled_is_settled(name: str, field: str, word: str) -> None:
    """A state is settled by its exact word alone: no other, known or not, is taken for it."""
    wire = {**payload(golden.load(name).response), field: word, "chain_receipt_id": "chain_1"}
    assert read(name, wire)[0].is_settled is (word == "settled")


@pytest.mark.parametrize(("name", "field"), SETTLING)
@pytest.mark.parametrize("receipt", [None, ""])
def test_settled_needs_a_receipt(name: str, field: str, receipt: str | None) -> None:
    """Without a receipt of the chain nothing is settled revenue."""
    wire = {**payload(golden.load(name).response), field: "settled", "chain_receipt_id": receipt}
    assert not read(name, wire)[0].is_settled


SECRETS = {
    "merchants.set_up": ("challenge_secret",),
    "merchants.rotate_challenge_secret": ("challenge_secret",),
    "webhook_endpoints.create": ("signing_secret",),
    "webhook_endpoints.rotate_secret": ("signing_secret",),
    "scheduled_payments.authorize": ("schedule_token",),
    "payment_requirements.create": ("siglume_signature", "buyer_user_id"),
}


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_no_secret_is_shown(name: str) -> None:
    """Secrets, signatures and buyers are read, and stay out of repr."""
    data = payload(golden.load(name).response)
    model = read(name, data)[0]
    for field in SECRETS[name]:
        assert getattr(model, field) == data[field]
        assert data[field] not in repr(model)


def test_money_is_never_a_float() -> None:
    """No model has a field that a float could come from."""
    kinds = [
        (model.__name__, field.name)
        for model in vars(models).values()
        if isinstance(model, type) and issubclass(model, Model) and model is not Model
        for field in fields_of(model)
        if float in (field.type, *get_args(field.type))
    ]
    assert kinds == []
