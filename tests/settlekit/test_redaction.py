"""Canaries planted wherever a secret, a token, a signature or a buyer could show."""

import copy
import importlib
import logging
import pickle
import pkgutil
import traceback
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from settlekit import Client, InvalidArgument, RetryPolicy, SettlekitError, errors, webhooks
from settlekit import models as models_package
from settlekit._calls.call import Answer, Call
from settlekit._flow import Request
from settlekit._redaction import HIDDEN, is_secret, masked, redact
from settlekit._refusals import refusal
from settlekit.models.base import Model, fields_of
from settlekit.testing import golden, without_backoff
from settlekit.testing.routes import CannedAnswers

CANARY = "canary4711"
BASE = "http://localhost:8787/v1"


def subclasses(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


def every_model() -> list[type[Model]]:
    for module in pkgutil.iter_modules(models_package.__path__):
        importlib.import_module(f"settlekit.models.{module.name}")
    public = {each for each in subclasses(Model) if not each.__name__.startswith("_")}
    rows = importlib.import_module("settlekit.models.rows")
    return sorted(
        public | {getattr(rows, name) for name in dir(rows) if name.endswith("Row")}, key=str
    )


@pytest.mark.parametrize("model", every_model(), ids=lambda model: model.__name__)
def test_no_models_repr_shows_a_secret(model: Any) -> None:
    """A field that holds a secret or tells who a buyer is stays out of the repr, in any model."""
    shown = [
        field.name for field in fields_of(model) if is_secret(field.name) and field.repr is True
    ]
    assert shown == []


@pytest.mark.parametrize("model", every_model(), ids=lambda model: model.__name__)
def test_no_models_repr_shows_what_stands_in_an_open_object(model: Any) -> None:
    """Where anybody may have put anything, as in metadata, its secrets are hidden in the repr."""
    held = {"note": "seen", "in": [{"api_token": CANARY}], "text": f"whsec_{CANARY}"}
    for field in fields_of(model):
        if "JsonObject" in str(field.type) or "dict[str, typing.Any]" in str(field.type):
            assert field.repr is not True, field.name
            shown = field.repr(held) if callable(field.repr) else "seen"
            assert CANARY not in shown
            assert "seen" in shown


@pytest.mark.parametrize(
    "name",
    [
        "challenge_secret",
        "signing_secret",
        "schedule_token",
        "Siglume-Signature".lower().replace("-", "_"),
        "challenge",
        "password",
        "buyer_period_ref",
        "buyer_user_id",
        "developer_email",
    ],
)
def test_secrets_are_known_by_their_names(name: str) -> None:
    """Whatever holds one is hidden; hashes, hints and symbols are for all to see."""
    assert masked({name: CANARY, "in": [{name: CANARY}]}) == {name: HIDDEN, "in": [{name: HIDDEN}]}
    seen = {"challenge_hash": "c", "token_symbol": "t", "signing_secret_hint": "h", name: None}
    assert masked(seen) == seen


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"whsec_{CANARY}",
        f"t=5,v1={CANARY}",
        f"siglume-external-402-v1:{CANARY}:00ff",
        f"siglume-external-402-recurring-v1:n:{CANARY}",
        f"cli_{CANARY} is refused",
        f"buyer bpr_{CANARY}.",
    ],
)
def test_secrets_are_known_by_their_looks(text: str) -> None:
    """Wherever in a text they stand."""
    assert CANARY not in redact(text)
    assert HIDDEN in redact(text)


def test_a_known_secret_is_hidden_whatever_it_looks_like() -> None:
    """What a request carries is taken out of all that is said about it."""
    assert redact(f"no token {CANARY} here", CANARY, "") == f"no token {HIDDEN} here"


@pytest.mark.parametrize("token", ["t", "or", "expired"])
def test_a_short_token_mangles_no_message(token: str) -> None:
    """What is too short to guard anything is left alone; how tokens look is hidden all the same."""
    told = "your token is unknown, or it expired"
    assert redact(told, token) == told
    assert redact(f"Bearer {token}", token) == f"Bearer {HIDDEN}"


def test_the_least_length_of_a_known_secret_is_eight() -> None:
    """At that length it is taken out, a character less and it stays."""
    assert redact("a 12345678 b", "12345678") == f"a {HIDDEN} b"
    assert redact("a 1234567 b", "1234567") == "a 1234567 b"


def planted(value: Any, depth: int = 0) -> Any:
    """Put canaries where secrets stand, and in a field that nobody knows."""
    if isinstance(value, list):
        return [planted(each, depth) for each in value]
    if not isinstance(value, dict):
        return value
    held = {
        name: CANARY if is_secret(name) and isinstance(each, str) else planted(each, depth + 1)
        for name, each in value.items()
    }
    return held if depth > 1 else {**held, "new_secret": CANARY}


def plain_calls() -> list[str]:
    return [name for name in golden.names() if "answer_of" not in repr(golden.load(name).call)]


@pytest.mark.parametrize("name", plain_calls())
def test_no_result_and_no_log_shows_a_secret(
    settlekit_routes: CannedAnswers, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Of any call: its result's repr, its text, and all that is logged meanwhile."""
    found = golden.load(name)
    content = found.response.content
    if found.response.text is None:
        body = planted(copy.deepcopy(found.response.body))
        content = golden.GoldenResponse(status=200, body=body).content
    headers = {"set-cookie": CANARY, "authorization": CANARY}
    settlekit_routes.route(name).respond(found.response.status, content=content, headers=headers)
    resource, method = name.split(".")
    client = Client(token=f"tok_{CANARY}", base_url=BASE, admin_secret=CANARY)
    with caplog.at_level(logging.DEBUG), client:
        result = getattr(getattr(client, resource), method)(*found.call.args, **found.call.kwargs)
        items = list(getattr(result, "items", ()))
    shown = f"{result!r} {result} {items!r} {client!r} {getattr(result, 'response', None)!r}"
    assert CANARY not in shown
    assert CANARY not in caplog.text


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 429, 500, 503, 302])
def test_no_refusal_shows_a_secret(status: int) -> None:
    """A server that says back what it was sent isn't repeated: text, repr and traceback."""
    body = {
        "error": {"code": "NO", "message": f"bad token tok_{CANARY}, Bearer {CANARY}"},
        "data": {"secret": CANARY},
    }
    content = golden.GoldenResponse(status=status, body=body).content
    answer = Answer(status=status, headers={"x-secret": CANARY}, content=content)
    request = Request(
        method="GET", url=BASE, headers={"authorization": f"Bearer tok_{CANARY}"}, content=b""
    )
    call: Call[Any] = Call(method="GET", path="/x", read=str, body={"secret": CANARY})
    error = refusal(call, answer, lambda: 0.0, request.secrets)
    again = pickle.loads(pickle.dumps(error))
    told = [f"{each!r} {each} {traceback.format_exception(each)}" for each in (error, again)]
    assert CANARY not in "".join(told) + repr(call) + repr(answer) + repr(request)
    assert error.data["data"]["secret"] == CANARY  # for those who ask


class Echo(httpx.BaseTransport):
    """A transport that fails, and says in its error what it was sent."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.LocalProtocolError(f"cannot send {request.headers['authorization']}")


def test_no_broken_connection_shows_a_token(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the error nor the log of its retries."""
    with (
        httpx.Client(transport=Echo()) as http,
        Client(token=CANARY, base_url=BASE, http=http) as client,
        without_backoff(),
        caplog.at_level(logging.DEBUG, "settlekit"),
        pytest.raises(errors.TransportError) as caught,
    ):
        client.buyer_statements.summary()
    assert CANARY not in f"{caught.value!r} {caught.value} {caplog.text}"
    assert HIDDEN in str(caught.value)


def test_no_misread_answer_shows_a_secret(settlekit_routes: CannedAnswers) -> None:
    """An answer that can't be read is described by its paths, not by what it holds."""
    bodies = [
        f'{{"data": {{"challenge_secret": "{CANARY}"}}}}',
        f'["{CANARY}"]',
        f'{{"data": "{CANARY}"}}',
        f'"{CANARY}',
        CANARY,
    ]
    for body in bodies:
        settlekit_routes.route("checkout_sessions.get").respond(200, content=body.encode())
        with (
            pytest.raises(errors.DecodeError) as caught,
            Client(token="t", base_url=BASE) as client,
        ):
            client.checkout_sessions.get("chk_1")
        assert CANARY not in f"{caught.value!r} {traceback.format_exception(caught.value)}"


@pytest.mark.parametrize(
    "kind", sorted({*subclasses(SettlekitError)}, key=str), ids=lambda k: k.__name__
)
def test_every_error_hides_the_body_of_an_answer(kind: Any) -> None:
    """Errors that hold an answer or its data show neither."""
    response = Answer(status=200, headers={"x": CANARY}, content=CANARY.encode()).metadata()
    if issubclass(kind, errors.ApiError):
        error = kind(500, "C", "m", None, None, {"secret": CANARY}, response, None)
    elif issubclass(kind, errors.DecodeError):
        error = kind(("not text @ $",), response)
    else:
        error = (
            kind("reason", "told")
            if kind in {InvalidArgument, errors.SignatureError}
            else kind("told")
        )
    assert CANARY not in f"{error!r} {error}"


def test_no_event_of_a_webhook_shows_a_secret() -> None:
    """What a webhook says of its buyer stays in its data."""
    body = (
        f'{{"id": "evt_1", "type": "x", "api_version": "1", "occurred_at": "2026-03-01T00:00:00Z",'
        f' "data": {{"buyer_period_ref": "{CANARY}", "list": [{{"challenge": "{CANARY}"}}]}}}}'
    )
    header = webhooks.sign(body, CANARY, timestamp=5)
    event = webhooks.verify(body, header, CANARY, now=lambda: 5.0)
    assert CANARY not in f"{event!r} {webhooks.classify(event)!r}"
    with pytest.raises(webhooks.SignatureError) as caught:
        webhooks.verify(body, header, f"other{CANARY}", now=lambda: 5.0)
    assert CANARY not in f"{caught.value!r} {traceback.format_exception(caught.value)}"
    assert header.split("v1=")[1] not in f"{caught.value!r}"


def test_what_is_not_wrapped_hides_secrets_too(settlekit_routes: CannedAnswers) -> None:
    """A raw result shows its data, but for what is secret in it."""
    body = {"data": {"merchant": "shop", "challenge_secret": CANARY}}
    settlekit_routes.route("platform.status").respond(200, json=body)
    path = golden.load("platform.status").request.path
    result = Client(token="t", base_url=BASE).request("GET", path)
    assert "shop" in repr(result)
    assert CANARY not in repr(result)
    assert result.data["challenge_secret"] == CANARY


def test_calls_hide_what_they_send() -> None:
    """A call's repr has its route, and neither body nor headers."""
    call: Call[Any] = Call(
        method="POST", path="/x", read=str, body={"a": CANARY}, headers={"b": CANARY}
    )
    assert CANARY not in repr(call)
    assert "/x" in repr(call)


def test_retries_are_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """A server that echoes the token in a passing refusal isn't repeated in the log."""
    with (
        respx.mock() as server,
        without_backoff(),
        caplog.at_level(logging.DEBUG, "settlekit"),
        Client(token=CANARY, base_url=BASE, retries=RetryPolicy(attempts=2)) as client,
    ):
        server.get(f"{BASE}/x").respond(503, json={"error": {"code": "X", "message": CANARY}})
        with pytest.raises(errors.ServerError):
            client.request("GET", "/x")
    assert "failed in attempt 1" in caplog.text
    assert CANARY not in caplog.text
