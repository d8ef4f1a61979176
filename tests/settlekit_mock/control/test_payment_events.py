"""Payments of either provider are recorded by control, and credited once."""

import pytest
from werkzeug.test import Client

from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError
from tests.settlekit_mock.cli.test_fault_commands import Shell
from tests.settlekit_mock.control.conftest import Control, rows_of

PAID = {
    "sid": "sandbox_buyer",
    "external_ref": "cp_1",
    "amount_cents": 700,
    "currency": "tzs",
    "provider": "clickpesa",
}


def test_a_payment_is_recorded_and_credited(control: Control, mock: MockServer) -> None:
    """A payment keeps its currency in capitals and its reference, and raises the balance."""
    expected = PAID | {"currency": "TZS", "created_at": "2026-03-02T00:00:00.000Z"}
    assert control.post("payment-events", **PAID) == (201, expected)
    headers = {"Authorization": f"Bearer {mock.token('buyer')}"}
    wallet = Client(mock.app).get("/v1/user/wallet", headers=headers).json or {}
    assert wallet["wallet_balance_usd"] == "17.00000000"
    assert wallet["entries"][0]["reason"] == "payment_received"


def test_a_payment_that_came_before_is_recorded_once(control: Control, mock: MockServer) -> None:
    """The same payment answers the first; another under its reference is 409."""
    control.post("payment-events", **PAID)
    before = rows_of(mock.world)
    assert control.post("payment-events", **PAID)[0] == 201
    other = PAID | {"amount_cents": 701}
    assert control.post("payment-events", **other) == (409, "PAYMENT_EVENT_EXISTS")
    assert rows_of(mock.world) == before


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"sid": "nobody"}, (404, "BUYER_NOT_FOUND")),
        ({"amount_cents": 0}, (422, "INVALID_REQUEST")),
        ({"amount_cents": 5.0}, (422, "INVALID_REQUEST")),
        ({"amount_cents": True}, (422, "INVALID_REQUEST")),
        ({"currency": "SHILLINGS"}, (422, "INVALID_REQUEST")),
        ({"currency": "U$D"}, (422, "INVALID_REQUEST")),
        ({"provider": "paypal"}, (422, "INVALID_REQUEST")),
        ({"external_ref": ""}, (422, "INVALID_REQUEST")),
        ({"currency": "USD\n"}, (422, "INVALID_REQUEST")),
        ({"note": "x"}, (422, "INVALID_REQUEST")),
    ],
    ids=str,
)
def test_a_payment_that_is_none_is_refused(
    control: Control, mock: MockServer, changes: dict[str, object], refusal: tuple[int, str]
) -> None:
    """Unknown buyers are 404, wrong fields 422, and nothing is written."""
    before = rows_of(mock.world)
    assert control.post("payment-events", **PAID | changes) == refusal
    assert rows_of(mock.world) == before


def test_the_driver_records_payments(mock: MockServer) -> None:
    """The named method answers what was recorded, and raises what was refused."""
    made = mock.payment_events.create(**PAID)  # type: ignore[arg-type]
    assert (made.sid, made.currency, made.amount_cents) == ("sandbox_buyer", "TZS", 700)
    with pytest.raises(ControlError, match="no customer nobody"):
        mock.payment_events.create(**PAID | {"sid": "nobody"})  # type: ignore[arg-type]


def test_the_command_records_payments(mock: MockServer, capsys: pytest.CaptureFixture[str]) -> None:
    """``payment-event`` prints what was recorded; 1 where it was refused."""
    with mock.serve() as server:
        shell = Shell(server.url, capsys)
        words = ("payment-event", "--external-ref", "pi_1", "--amount-cents", "250")
        (made,) = shell.run(*words)
        status, told = shell.refused(*words, "--sid", "nobody")
    assert (made["provider"], made["currency"], made["amount_cents"]) == ("stripe", "USD", 250)
    assert (status, "BUYER_NOT_FOUND" in told) == (1, True)
