"""Deliveries of all merchants, with what they deliver, and delivered again."""

import json
from typing import Any

import pytest
from msgspec import structs
from werkzeug.test import Client

from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError
from tests.settlekit_mock.console.conftest import Eventful
from tests.settlekit_mock.control.conftest import SHOP, Control, rows_of

OWN = {"merchant_user_id", "callback_url", "body"}
HOOKS = "/v1/market/webhooks"
TOKEN = "sandbox_merchant_token"


def own(mock: MockServer, method: str, path: str, token: str = TOKEN, **given: Any) -> Any:
    """Call one of a merchant's own routes."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = Client(mock.app).open(f"{HOOKS}/{path}", method=method, headers=headers, **given)
    body = json.loads(answer.data)
    return body.get("data", body.get("error"))


def told(mock: MockServer, event_type: str, token: str = TOKEN) -> None:
    own(mock, "POST", "test-deliveries", token, json={"event_type": event_type})


def test_a_delivery_is_what_its_merchant_sees(town: Eventful) -> None:
    """The list has what the merchant's has, and the event's text, and where it goes."""
    found = town.walk("deliveries", limit=2)
    seen = own(town.mock, "GET", "deliveries")
    assert [{k: v for k, v in one.items() if k not in OWN} for one in found] == seen
    assert {one["callback_url"] for one in found} == {"https://shop.example/hooks"}
    assert set(found[0]) - set(seen[0]) == OWN


def test_the_text_is_the_bytes_that_arrived(mock: MockServer) -> None:
    """``body`` is what the receiver got, byte for byte, and says whose event it is."""
    inbox = mock.webhooks.collect()
    told(mock, "direct_payment.confirmed")
    (delivery,) = mock.deliveries.all()
    (got,) = inbox.deliveries
    assert delivery.body.encode() == got.body
    assert json.loads(delivery.body)["id"] == delivery.event_id
    owner = mock.merchants.get(SHOP).merchant_account.merchant_user_id
    assert delivery.merchant_user_id == owner
    assert delivery.delivery_status == "delivered"


def test_deliveries_of_all_merchants_are_narrowed(mock: MockServer) -> None:
    """Newest first, whoever's they are; by status and by type."""
    other = mock.merchants.create("other", token="other_token")
    mock.webhooks.collect("other")
    inbox = mock.webhooks.collect()
    told(mock, "direct_payment.confirmed")
    told(mock, "direct_payment.confirmed", token="other_token")
    inbox.status = 500
    told(mock, "direct_payment.confirmed")
    whole = mock.deliveries.all()
    owners = [mock.merchants.get(SHOP).merchant_account, other.merchant_account]
    by = [one.merchant_user_id for one in owners]
    assert [one.merchant_user_id for one in whole] == [by[0], by[1], by[0]]
    assert [one.delivery_status for one in whole] == ["failed", "delivered", "delivered"]
    assert mock.deliveries.all(status="failed") == whole[:1]
    assert mock.deliveries.all(status="delivered") == whole[1:]
    assert mock.deliveries.all(event_type="direct_payment.confirmed", limit=2) == whole[:2]
    assert mock.deliveries.all(event_type="unheard.of") == []


@pytest.mark.both_databases
def test_redelivering_is_what_the_merchants_own_does(database: str) -> None:
    """Every row is as the merchant's own redelivery leaves it, and so is the answer."""
    rows, answers = [], []
    for by_control in (True, False):
        with MockServer(seed=7) as mock:
            mock.webhooks.collect()
            told(mock, "direct_payment.confirmed")
            (first,) = mock.deliveries.all()
            if by_control:
                again = structs.asdict(mock.deliveries.redeliver(first))
                assert {again.pop(name) for name in OWN} == {getattr(first, name) for name in OWN}
            else:
                again = own(mock, "POST", f"deliveries/{first.id}/redeliver")
            answers.append(again)
            assert [one.id for one in mock.deliveries.all()] == [again["id"], first.id]
            rows.append(rows_of(mock.world))
    assert answers[0] == answers[1]
    assert answers[0]["delivery_status"] == "delivered"
    assert rows[0] == rows[1]


def test_a_paused_subscription_is_not_redelivered_to(mock: MockServer, control: Control) -> None:
    """It is 409 as for its merchant, nothing happens, and an unknown delivery is 404."""
    mock.webhooks.collect()
    told(mock, "direct_payment.confirmed")
    (first,) = mock.deliveries.all()
    own(mock, "POST", f"subscriptions/{first.subscription_id}/pause")
    before = rows_of(mock.world)
    paused = control.post(f"deliveries/{first.id}/redeliver")
    assert paused == (409, "WEBHOOK_SUBSCRIPTION_PAUSED")
    assert own(mock, "POST", f"deliveries/{first.id}/redeliver")["code"] == paused[1]
    assert control.post("deliveries/whdel_none/redeliver") == (404, "NOT_FOUND")
    with pytest.raises(ControlError, match="no webhook delivery whdel_none"):
        mock.deliveries.redeliver("whdel_none")
    assert rows_of(mock.world) == before


@pytest.mark.parametrize("by_control", [True, False])
def test_a_world_renewed_meanwhile_has_no_such_delivery(
    mock: MockServer, control: Control, monkeypatch: pytest.MonkeyPatch, by_control: bool
) -> None:
    """A reset between making a delivery and reading it leaves it unknown, and is no defect."""
    mock.webhooks.collect()
    told(mock, "direct_payment.confirmed")
    (first,) = mock.deliveries.all()

    def renewed() -> None:
        monkeypatch.undo()
        mock.reset()

    monkeypatch.setattr(mock.world, "settle", renewed)
    path = f"deliveries/{first.id}/redeliver"
    if by_control:
        assert control.post(path) == (404, "NOT_FOUND")
    else:
        assert own(mock, "POST", path)["code"] == "NOT_FOUND"
    assert mock.deliveries.all() == []
