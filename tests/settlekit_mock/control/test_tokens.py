"""Tokens made by control: for whom, what they open, and until when."""

from typing import Any

import pytest
from werkzeug.test import Client

from settlekit_mock import MockServer
from tests.settlekit_mock.control.conftest import Control, rows_of

ROUTES = {
    "merchant": "/v1/market/webhooks/subscriptions",
    "provider": "/v1/sdrp/metered/provider/summary",
    "buyer": "/v1/sdrp/metered/my-summary",
    "admin": "/v1/admin/payouts",
}
SUBJECTS = {
    "merchant": "sandbox_merchant",
    "provider": "sandbox_merchant",
    "buyer": "sandbox_buyer",
    "admin": "op",
}


def opens(mock: MockServer, token: str, path: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return Client(mock.app).get(path, headers=headers).status_code


@pytest.mark.parametrize("role", list(ROUTES))
def test_a_token_opens_the_routes_of_its_role(
    mock: MockServer, control: Control, role: str
) -> None:
    """A new token is drawn, and good at once."""
    status, answer = control.post("tokens", role=role, subject=SUBJECTS[role])
    assert (status, set(answer)) == (201, {"token"})
    assert opens(mock, answer["token"], ROUTES[role]) == 200


def test_two_tokens_of_one_person_differ(control: Control) -> None:
    """Each call draws a token of its own."""
    body = {"role": "buyer", "subject": "sandbox_buyer"}
    assert control.post("tokens", **body)[1] != control.post("tokens", **body)[1]


def test_a_token_ends_when_it_was_told_to(mock: MockServer, control: Control) -> None:
    """By the clock, a token is good up to its expiry and no longer."""
    body = {"role": "buyer", "subject": "sandbox_buyer", "expires_at": "2026-03-03T00:00:00Z"}
    token = control.post("tokens", **body)[1]["token"]
    mock.clock.advance(to="2026-03-02T23:59:59.999Z")
    assert opens(mock, token, ROUTES["buyer"]) == 200
    mock.clock.advance(seconds=0.001)
    assert opens(mock, token, ROUTES["buyer"]) == 401


@pytest.mark.parametrize(
    ("role", "code"),
    [
        ("buyer", "BUYER_NOT_FOUND"),
        ("merchant", "EXTERNAL_402_MERCHANT_NOT_FOUND"),
        ("provider", "EXTERNAL_402_MERCHANT_NOT_FOUND"),
    ],
)
def test_nobody_gets_no_token(mock: MockServer, control: Control, role: str, code: str) -> None:
    """A token for a buyer or merchant that there isn't is 404, nothing written."""
    before = rows_of(mock.world)
    assert control.post("tokens", role=role, subject="nobody") == (404, code)
    assert rows_of(mock.world) == before


def test_a_merchant_may_be_named_by_its_user(mock: MockServer, control: Control) -> None:
    """A person's user id names the same as the key of one of their merchants."""
    owner = mock.merchants.get("sandbox_merchant").merchant_account.merchant_user_id
    token = control.post("tokens", role="merchant", subject=owner)[1]["token"]
    assert opens(mock, token, ROUTES["merchant"]) == 200


@pytest.mark.both_databases
def test_the_journal_tells_for_whom_and_no_token(mock: MockServer, control: Control) -> None:
    """Each token that is made is told once, by its owner, role and end; the token isn't."""
    owner = mock.merchants.get("sandbox_merchant").merchant_account.merchant_user_id
    ends_at = "2026-03-03T00:00:00.000Z"
    made = [
        control.post("tokens", role="buyer", subject="sandbox_buyer", expires_at=ends_at),
        control.post("tokens", role="provider", subject="sandbox_merchant"),
        control.post("tokens", role="buyer", subject="nobody"),
    ]
    told = mock.events(kind="token.created")
    assert [status for status, _ in made] == [201, 201, 404]
    assert [(entry.subject, entry.data) for entry in told] == [
        ("sandbox_buyer", {"role": "buyer", "expires_at": ends_at}),
        (owner, {"role": "provider", "expires_at": None}),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "control"},
        {"role": ""},
        {"subject": ""},
        {"subject": "x" * 256},
        {"expires_at": "soon"},
        {"expires_at": "2026-03-02T00:00:00Z"},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"surprise": 1},
    ],
)
def test_a_wrong_token_isnt_made(mock: MockServer, control: Control, wrong: dict[str, Any]) -> None:
    """An unknown role, an empty subject or a time that has passed is 422, nothing written."""
    before = rows_of(mock.world)
    body = {"role": "buyer", "subject": "sandbox_buyer"} | wrong
    assert control.post("tokens", **body) == (422, "INVALID_REQUEST")
    assert rows_of(mock.world) == before
