import copy
import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import _codec, models
from settlekit._calls.call import Answer
from settlekit.errors import DecodeError
from settlekit.models.base import Model, fields_of
from tests.settlekit import wire

EVENTS = _codec.listing(models.UsageEvent)

MODELS = [
    v
    for v in vars(models).values()
    if isinstance(v, type) and issubclass(v, Model) and v is not Model
]
HOT = [models.UsageEvent, models.SettlementBatch]

minor = st.decimals(
    min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=4
).map(lambda d: format(d, "f"))
instants = st.integers(0, 32_503_680_000_000).map(
    lambda ms: f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
events = st.fixed_dictionaries(
    {
        **dict.fromkeys(wire.AMOUNTS, minor),
        "metered_usage_id": texts,
        "created_at": instants,
        "plan_type": texts,
        "settlement_cadence": texts,
        "currency": texts,
        "token_symbol": texts,
        "status": texts,
    },
    optional={
        "period_start": st.none() | instants,
        "settlement_batch_id": st.none() | texts,
        "of a newer server": st.recursive(st.none() | st.integers(0, 9) | texts, st.lists),
    },
)


def answer(content: bytes) -> Answer:
    return Answer(status=200, headers={"x-request-id": "req_h"}, content=content)


@given(items=st.lists(events, max_size=4))
def test_both_ways_of_reading_a_page_agree(items: list[dict[str, Any]]) -> None:
    """The fast way and the careful way give equal models, and the wire form back."""
    content = answer(wire.page(items))
    careful = _codec._read_any_listing(models.UsageEvent, content)
    fast = _codec._read_page(models.UsageEvent, content)
    assert fast is not None
    assert fast.items == careful.items
    assert [item.to_dict() for item in fast.items] == items
    assert [item.to_dict() for item in careful.items] == items
    assert [item.extra for item in fast.items] == [item.extra for item in careful.items]


@given(wire_event=events)
def test_a_model_made_by_hand_survives_the_wire(wire_event: dict[str, Any]) -> None:
    """What has no source writes its fields, and reads back as itself."""
    model = _codec.structure(models.UsageEvent, wire_event)
    fresh = attrs.evolve(model)
    assert _codec.structure(models.UsageEvent, fresh.to_dict()) == model


def test_a_page_is_typed() -> None:
    """Amounts are Decimals, instants aware datetimes, states enums."""
    event = EVENTS(answer(wire.page([wire.usage_event()]))).items[0]
    assert event.protocol_fee_minor == Decimal(2)
    assert event.created_at == datetime(2026, 3, 1, 0, 0, 0, 123000, tzinfo=UTC)
    assert event.status is models.UsageStatus.PENDING_SETTLEMENT
    assert event.settlement_batch_id is None


def test_unknown_fields_stay_reachable() -> None:
    """What a newer server adds is in ``extra`` and in the wire form."""
    event = EVENTS(answer(wire.page([wire.usage_event(carbon={"g": 1})]))).items[0]
    assert event.extra == {"carbon": {"g": 1}}
    assert event.to_dict()["carbon"] == {"g": 1}


def test_the_wire_form_is_a_copy() -> None:
    """Changing what ``to_dict`` gave changes no model."""
    event = EVENTS(answer(wire.page([wire.usage_event(carbon={"g": 1})]))).items[0]
    event.to_dict()["carbon"]["g"] = 2
    event.extra["carbon"]["g"] = 3
    assert event.extra == {"carbon": {"g": 1}}


def test_an_unknown_state_is_its_text() -> None:
    """A newer server's state is kept, says that it isn't known, and survives copying."""
    event = EVENTS(answer(wire.page([wire.usage_event(status="frozen")]))).items[0]
    assert event.status == "frozen"
    assert not event.status.known
    assert models.UsageStatus.SETTLED.known
    assert pickle.loads(pickle.dumps(event.status)) == "frozen"
    assert copy.deepcopy(event.status).known is False


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_state_takes_what_it_does_not_know(model: type[Model]) -> None:
    """Whatever is called a status says whether it is known; one of HTTP is a number."""
    states = [field for field in fields_of(model) if field.name.endswith("status")]
    for field in states:
        kind = next(each for each in (*get_args(field.type), field.type) if each is not type(None))
        assert issubclass(kind, models.OpenEnum | int), field.name


def test_unknown_states_leave_no_trace() -> None:
    """A server can't grow the process by sending ever new states."""
    before = len(models.UsageStatus._value2member_map_)
    models.UsageStatus("never seen before")
    assert len(models.UsageStatus._value2member_map_) == before


@pytest.mark.parametrize("way", [pickle.dumps, None], ids=["pickle", "deepcopy"])
def test_a_model_keeps_all_it_knows_when_copied(way: Any) -> None:
    """Fields, unknown fields and metadata survive pickling and deep copies."""
    batch = _codec.one(models.SettlementBatch)(
        answer(wire.enveloped(wire.settlement_batch(extra_one=1)))
    )
    twin = copy.deepcopy(batch) if way is None else pickle.loads(pickle.dumps(batch))
    assert twin == batch
    assert twin.extra == {"extra_one": 1}
    assert twin.response == batch.response


@pytest.mark.parametrize(
    "odd", ["1e5", "NaN", "Infinity", "1_7", "１７", " 17", "+1", "", "0x1", "1."], ids=repr
)
@pytest.mark.parametrize("escaped", [True, False])
def test_an_odd_amount_is_never_money(odd: str, escaped: bool) -> None:
    """What Decimal() would take is refused on the fast way too, escaped or not."""
    body = {"data": {"items": [wire.usage_event(buyer_debit_minor=odd)]}}
    content = json.dumps(body, ensure_ascii=escaped).encode()
    with pytest.raises(DecodeError, match=r"@ \$\.data\.items\[0\]\.buyer_debit_minor"):
        EVENTS(answer(content))


def test_an_escaped_amount_is_still_an_amount() -> None:
    """JSON may write digits as escapes: the careful way reads them."""
    content = wire.page([wire.usage_event()]).replace(b'"98"', b'"\\u0039\\u0038"')
    assert EVENTS(answer(content)).items[0].provider_receivable_minor == 98


def test_a_float_is_never_money() -> None:
    """An amount that comes as a JSON float is refused; a whole number is exact and taken."""
    with pytest.raises(DecodeError, match=r"decimal string @ .*protocol_fee_minor"):
        EVENTS(answer(wire.page([wire.usage_event(protocol_fee_minor=0.2)])))
    whole = EVENTS(answer(wire.page([wire.usage_event(protocol_fee_minor=2)])))
    assert whole.items[0].protocol_fee_minor == Decimal(2)


@pytest.mark.parametrize("model", HOT, ids=lambda m: m.__name__)
def test_every_amount_of_a_hot_model_is_watched(model: type[Model]) -> None:
    """The guard before the fast way knows amounts by their names' ending."""
    amounts = [f.name for f in fields_of(model) if "Decimal" in str(f.type)]
    assert amounts
    assert [name for name in amounts if not name.endswith("_minor")] == []


def test_a_missing_receivable_is_gross_less_fee() -> None:
    """A buyer's rows don't say it, and the rule does."""
    row = wire.usage_event(provider_receivable_minor=None)
    without = {k: v for k, v in row.items() if k != "provider_receivable_minor"}
    read = EVENTS(answer(wire.page([row, without]))).items
    assert [event.provider_receivable_minor for event in read] == [98, 98]


@pytest.mark.parametrize(
    "content",
    [
        wire.page([wire.usage_event()]),
        json.dumps({"items": [wire.usage_event()], "next_cursor": None}).encode(),
        json.dumps([wire.usage_event()]).encode(),
        json.dumps({"data": [wire.usage_event()]}).encode(),
    ],
    ids=["enveloped", "bare", "bare list", "enveloped list"],
)
def test_a_list_comes_in_four_shapes(content: bytes) -> None:
    """With or without an envelope, as an object or as a list."""
    read = EVENTS(answer(content))
    assert [event.metered_usage_id for event in read.items] == ["mu_000000000001"]
    assert read.next_cursor is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'"\xff"', "not JSON"),
        (b"[1" + b"0" * 5000 + b"]", "not JSON"),
        (b'{"data": null}', r"not a list @ \$\.data"),
        (b"5", r"not a list @ \$"),
        (b'{"items": {}}', r"not a list @ \$\.items"),
        (b'{"data": {"items": [], "next_cursor": 5}}', r"not text @ \$\.data\.next_cursor"),
        (b'{"data": {"items": [5]}}', r"not an object @ \$\.data\.items\[0\]"),
    ],
)
def test_a_malformed_page_says_where(content: bytes, problem: str) -> None:
    """A DecodeError names the problem, its path, and the answer it was in."""
    with pytest.raises(DecodeError, match=problem) as caught:
        EVENTS(answer(content))
    assert caught.value.response is not None


def test_all_problems_are_told_at_once() -> None:
    """Each bad field is named, not only the first."""
    bad = wire.settlement_batch(attempt_count="1", settled_at="2026-03-01", status=5)
    del bad["currency"]
    with pytest.raises(DecodeError) as caught:
        _codec.one(models.SettlementBatch)(answer(wire.enveloped(bad)))
    assert sorted(caught.value.problems) == [
        "missing field currency @ $.data.currency",
        "not a whole number @ $.data.attempt_count",
        "not an RFC 3339 instant: '2026-03-01' @ $.data.settled_at",
        "not text @ $.data.status",
    ]


@pytest.mark.parametrize(
    ("model", "content"),
    [
        (models.ProviderSummary, wire.provider_summary()),
        (models.BuyerSummary, {"role": "buyer", "settlement_batches": [wire.settlement_batch()]}),
        (models.SettlementBatch, wire.settlement_batch()),
        (models.UsageEvent, wire.usage_event()),
        (models.CheckoutSession, wire.checkout_session()),
        (models.PlatformStatus, {"status": "operational"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_answer_gives_its_wire_form_back(model: type[Model], content: dict[str, Any]) -> None:
    """Every model returns what was received, to the letter, and knows all its fields."""
    read = _codec.one(model)(answer(wire.enveloped(content)))
    assert read.to_dict() == content
    assert read.extra == {}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_models_are_frozen_and_slotted(model: type[Model]) -> None:
    """No model can be changed, and none carries a dict."""
    bare = model.__new__(model)
    assert not hasattr(bare, "__dict__")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(bare, fields_of(model)[0].name, 1)


def test_null_in_a_field_with_a_default_is_its_absence() -> None:
    """Lists and objects that come as null are empty."""
    summary = wire.provider_summary(filters=None, open_periods=None, totals_by_token=None)
    read = _codec.one(models.ProviderSummary)(answer(wire.enveloped(summary)))
    assert (read.filters, read.open_periods, read.totals_by_token) == ({}, (), {})


def test_an_answer_carries_its_metadata() -> None:
    """Request and trace are the envelope's, else the header's."""
    enveloped = _codec.one(models.PlatformStatus)(answer(wire.enveloped({"status": "x"})))
    bare = _codec.one(models.PlatformStatus)(answer(b'{"status": "x"}'))
    assert enveloped.response is not None
    assert (enveloped.response.request_id, enveloped.response.trace_id) == ("req_1", "trace_1")
    assert bare.response is not None
    assert (bare.response.request_id, bare.response.trace_id) == ("req_h", None)


@given(content=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_no_answer_breaks_the_reader(content: bytes) -> None:
    """Whatever a server says, a DecodeError comes of what isn't a page."""
    with pytest.raises(DecodeError):
        EVENTS(answer(b"x" + content))
    with pytest.raises(DecodeError):
        EVENTS(answer(b'{"data": {"items": [' + content.replace(b"]", b"") + b"?]}}"))


def test_an_unwrapped_answer_is_read_as_it_is() -> None:
    """Data of any shape, and nothing where there is no body."""
    assert _codec.anything(answer(wire.enveloped([1, 2]))).data == [1, 2]
    assert _codec.anything(answer(b'{"a": 1}')).data == {"a": 1}
    assert _codec.anything(answer(b"")).data is None
