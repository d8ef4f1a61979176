"""Whatever a stranger says: it is read as what it is, or refused as documented."""

import string
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from settlekit.errors import InvalidArgument
from settlekit.money import format_minor, parse_minor
from settlekit_mock import MockServer
from settlekit_mock.cli import parser
from settlekit_mock.cli.arguments import duration
from settlekit_mock.http.faults import read_match
from settlekit_mock.http.roles import bearer
from settlekit_mock.kernel.money import LIMIT, units_from_major
from settlekit_mock.kernel.problems import Problem
from settlekit_mock.kernel.times import EARLIEST, LATEST, duration_from_text, from_text, to_text
from settlekit_mock.settlement.rules.amounts import units_from_wire
from settlekit_mock.settlement.rules.local_time import zone_named
from tests.settlekit_mock.control.conftest import START
from tests.settlekit_mock.writing import open_session, send

# Text of any kind, and text that is nearly what is expected: that goes deeper.
ODD = "٣１²½_ \t\n\x00﻿"
NEARLY = st.text(string.digits + "+-.:,/eEPTZWDHMSpvtz%" + ODD, max_size=40)
WRITTEN = st.sampled_from(
    [
        "2026-03-02T00:00:00Z",
        "2026-02-30T25:61:61.123456789+23:59",
        "0000-00-00T00:00:00-00:00",
        "P7DT6H0.5S",
        "P999999W999999DT99999999H999999999M9999999999.999S",
        "92233720368.54775807",
        "99999999999.99999999",
        "0.00000001",
        "POST /v1/*",
        "Asia/Tokyo",
        "Bearer cli_x",
        "t=1772409600,v1=" + "0" * 64,
    ]
)


@st.composite
def spoiled(draw: st.DrawFn) -> str:
    """Draw something well written with one piece of it replaced."""
    text = draw(WRITTEN)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 4)))
    return text[:start] + draw(st.one_of(NEARLY, st.just(""))) + text[end:]


STRANGE = st.one_of(st.text(max_size=60), NEARLY, WRITTEN, spoiled())

READERS: list[tuple[Callable[[str], Any], type[Exception]]] = [
    (from_text, ValueError),
    (duration_from_text, ValueError),
    (duration, ArgumentTypeError),
    (units_from_major, ValueError),
    (parse_minor, InvalidArgument),
    (lambda text: units_from_wire(text, "JPY"), ValueError),
    (lambda text: units_from_wire(text, "USD"), ValueError),
    (zone_named, ValueError),
    (read_match, Problem),
    (bearer, Problem),
]
NAMES = [
    "a time",
    "a duration",
    "a duration of the command",
    "an amount of the operator's",
    "an amount in minor units",
    "yen of a statement",
    "cents of a statement",
    "a time zone",
    "a fault's match",
    "a token",
]


@pytest.mark.parametrize(("read", "refusal"), READERS, ids=NAMES)
@given(text=STRANGE)
def test_any_text_is_read_or_refused(
    read: Callable[[str], Any], refusal: type[Exception], text: str
) -> None:
    """A reader of text gives its one kind of error, and no other."""
    with suppress(refusal):
        read(text)


@given(STRANGE)
def test_what_is_read_is_within_bounds(text: str) -> None:
    """A time lies within the clock's years, an amount within the ledger; both are plain ASCII."""
    with suppress(ValueError):
        instant = from_text(text)
        assert text.isascii()
        assert EARLIEST <= instant <= LATEST
        assert from_text(to_text(instant)) == instant
    with suppress(ValueError):
        assert 0 < units_from_major(text) <= LIMIT
        assert text.isascii()
    with suppress(InvalidArgument):
        amount = parse_minor(text)
        assert text.isascii()
        assert parse_minor(format_minor(amount)) == amount


# -- over the routes -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    with MockServer(seed=7, freeze_at=START, stripe_webhook_secret="whsec_stripe") as made:
        yield made


@pytest.fixture(scope="module")
def session_id(mock: MockServer) -> str:
    return str(send(mock, open_session(mock)).json()["data"]["session_id"])


HEADERS = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60)
MANY = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(authorization=HEADERS)
def test_no_authorization_breaks_a_route(mock: MockServer, authorization: str) -> None:
    """Whatever stands in the header: 401, and never an error of the server."""
    answer = Client(mock.app).get(
        "/v1/sdrp/metered/my-summary", headers={"Authorization": authorization}
    )
    assert answer.status_code == 401


@MANY
@given(body=st.binary(max_size=60), signature=st.one_of(HEADERS, spoiled().filter(str.isascii)))
def test_no_signature_of_the_processor_passes(
    mock: MockServer, body: bytes, signature: str
) -> None:
    """A processor's event that isn't signed by its secret is 400, whatever it says."""
    signature = signature.replace("\n", " ").replace("\r", " ")
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    answer = Client(mock.app).post("/v1/stripe/webhook", data=body, headers=headers)
    assert answer.status_code == 400


FIELDS = st.lists(
    st.tuples(
        st.sampled_from(["form_token", "action", "buyer", "other", ""]),
        st.one_of(st.sampled_from(["approve", "cancel", "sign_in"]), st.text(max_size=20)),
    ),
    max_size=4,
)


@MANY
@given(
    form=st.one_of(FIELDS.map(lambda fields: urlencode(fields).encode()), st.binary(max_size=80))
)
def test_no_form_breaks_the_page(mock: MockServer, session_id: str, form: bytes) -> None:
    """A form that the page didn't make is refused as a page, and the session stays open."""
    answer = Client(mock.app).post(
        f"/pay/{session_id}", data=form, content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code in (400, 403, 409, 422)
    with mock.world.snapshot() as connection:
        open_ones = connection.exec_driver_sql("SELECT status FROM checkout_sessions").scalar_one()
    assert open_ones == "open"


@MANY
@given(name=st.sampled_from(["limit", "cursor", "status", "plan_type"]), text=st.text(max_size=30))
def test_no_query_breaks_a_statement(mock: MockServer, name: str, text: str) -> None:
    """A value of a query is read or 422."""
    path = f"/v1/sdrp/metered/provider/usage-events?{name}={quote(text, errors='replace')}"
    bearer_of = {"Authorization": f"Bearer {mock.token('provider')}"}
    assert Client(mock.app).get(path, headers=bearer_of).status_code in (200, 422)


@pytest.mark.parametrize("value", [b"\xc3%B5", b"%C3\xb5", b"\xff", b"%FF", b"\xc3"])
def test_no_bytes_of_a_query_break_a_route(mock: MockServer, value: bytes) -> None:
    """A value whose bytes are no text is 422, escaped or not, or one half of a character so."""
    path = "/v1/sdrp/metered/provider/usage-events"
    answer = Client(mock.app).get(
        path,
        headers={"Authorization": f"Bearer {mock.token('provider')}"},
        environ_overrides={"QUERY_STRING": (b"cursor=" + value).decode("latin-1")},
    )
    assert answer.status_code == 422


# -- the command ---------------------------------------------------------------------------

WORDS = st.one_of(
    st.sampled_from(
        ["serve", "clock", "advance", "usage", "simulate", "faults", "events", "scenario", "run"]
    ),
    st.sampled_from(["--port", "--db", "--until", "--json", "--seed", "--freeze-at", "--amount"]),
    STRANGE,
)


@MANY
@given(st.lists(WORDS, max_size=6))
def test_no_arguments_break_the_command(words: list[str]) -> None:
    """Arguments are understood, or the command ends with 2 and says why, or 0 with its help."""
    with redirect_stderr(StringIO()) as said, redirect_stdout(StringIO()):
        code = _ended_with(words)
    assert code in (None, 0, 2)
    assert code != 2 or "usage:" in said.getvalue()


def _ended_with(words: list[str]) -> object:
    try:
        parser().parse_args(words)
    except SystemExit as end:
        return end.code
    return None
