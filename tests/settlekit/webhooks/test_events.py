import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import PayloadError, SignatureError, webhooks

SECRET = "whsec_test"
NOW = 1_770_000_000
EVENT = {
    "id": "evt_1",
    "type": "direct_payment.confirmed",
    "api_version": "2026-06-20",
    "occurred_at": "2026-03-01T00:00:00.000Z",
    "data": {"mode": "external_402"},
}


def delivered(body: bytes | str) -> webhooks.Event:
    header = webhooks.sign(body, SECRET, timestamp=NOW)
    return webhooks.verify(body, header, SECRET, now=lambda: NOW)


def test_an_event_is_typed() -> None:
    """Its fields are there, its instant is aware, its data as it came."""
    event = delivered(json.dumps(EVENT))
    assert (event.id, event.type, event.api_version) == (
        "evt_1",
        "direct_payment.confirmed",
        "2026-06-20",
    )
    assert event.occurred_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert event.data == {"mode": "external_402"}


@pytest.mark.parametrize("as_text", [True, False])
def test_an_event_gives_its_wire_form_back(as_text: bool) -> None:
    """Fields of a newer sender are reachable, whichever way the body came."""
    body = json.dumps({**EVENT, "trace": {"x": 1}})
    event = delivered(body if as_text else body.encode())
    assert event.to_dict() == {**EVENT, "trace": {"x": 1}}
    assert event.extra == {"trace": {"x": 1}}


@pytest.mark.parametrize(
    ("data", "probe"),
    [
        ({"readiness_probe": True}, True),
        ({"mode": "readiness_probe"}, True),
        ({"readiness_probe": False}, False),
        ({"readiness_probe": "true"}, False),
        ({}, False),
    ],
)
def test_a_probe_can_be_told(data: dict[str, Any], probe: bool) -> None:
    """A test delivery that a handler skips says so in one of two ways."""
    assert delivered(json.dumps({**EVENT, "data": data})).readiness_probe is probe


def test_a_sandbox_says_so() -> None:
    """Where no money moves the data says sandbox."""
    sandbox = {**EVENT, "data": {"environment": "sandbox"}}
    assert delivered(json.dumps(sandbox)).sandbox
    assert not delivered(json.dumps(EVENT)).sandbox


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": 5},
        {"id": None},
        {"type": None},
        {"api_version": ""},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-03-01T00:00:00"},
        {"occurred_at": 5},
        {"data": None},
        {"data": []},
        {"data": "x"},
    ],
)
def test_a_proven_body_must_be_an_event(change: dict[str, Any]) -> None:
    """A good signature over something else is a PayloadError."""
    with pytest.raises(PayloadError, match="isn't an event"):
        delivered(json.dumps({**EVENT, **change}))


@pytest.mark.parametrize("missing", sorted(EVENT))
def test_every_field_of_an_event_is_needed(missing: str) -> None:
    """None of the five may be absent."""
    with pytest.raises(PayloadError):
        delivered(json.dumps({k: v for k, v in EVENT.items() if k != missing}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b'{"data":{"a":' + b"[" * 100_000,
        b"\xff",
        b"null",
        b"[]",
        b'{"id": NaN}',
        b'{"a"' * 9,
        "\ud800",
    ],
)
def test_no_body_brings_a_foreign_error(body: bytes | str) -> None:
    """Deep, broken, empty and half-Unicode bodies are PayloadErrors."""
    header = webhooks.sign(b"x", SECRET, timestamp=NOW)
    with pytest.raises((PayloadError, SignatureError)):
        webhooks.verify(body, header, SECRET, now=lambda: NOW)
    if isinstance(body, bytes):
        with pytest.raises(PayloadError):
            delivered(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    body=st.binary()
    | st.dictionaries(st.sampled_from([*sorted(EVENT), "x"]), json_values).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_a_signed_stranger_gets_only_our_errors(body: bytes) -> None:
    """Whoever has the secret can still break nothing: an event or a PayloadError."""
    try:
        event = delivered(body)
    except PayloadError:
        return
    assert webhooks.classify(event).kind


@pytest.mark.parametrize("secrets", [{}, {"secret": "a", "secrets": ["b"]}])
def test_one_way_of_naming_secrets(secrets: dict[str, Any]) -> None:
    """A secret or a list of them, and not both."""
    with pytest.raises(ValueError, match="secret"):
        webhooks.verify(b"x", "t=1", **secrets)


def test_any_of_several_secrets_will_do() -> None:
    """While a secret is rotated both are known."""
    body = json.dumps(EVENT)
    header = webhooks.sign(body, SECRET, timestamp=NOW)
    assert webhooks.verify(body, header, secrets=["new", SECRET], now=lambda: NOW).id == "evt_1"
