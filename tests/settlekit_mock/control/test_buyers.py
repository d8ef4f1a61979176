"""Buyers by the control routes: made, read, changed, and wrong."""

from typing import Any

import pytest

from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError
from tests.settlekit_mock.control.conftest import SHOP, Control, rows_of

WEEKLY = {"weekday": 2, "hour": 10, "minute": 0}
MONTHLY = {"day": 15, "hour": 6, "minute": 30}
WHOLE = {
    "buyer_id": "b1",
    "token": "tok_of_b1",
    "timezone": "Asia/Tokyo",
    "weekly_slot": WEEKLY,
    "monthly_slot": MONTHLY,
    "vault_active": False,
    "caps": {"per_payment": 1, "day": 2, "month": None},
    "balances": {"JPYC": "12.5", "USDC": "0"},
    "allowances": {"JPYC": "7", "USDC": "8.000001"},
}


def test_the_sandboxs_buyer_is_there(control: Control) -> None:
    """A fresh server has the buyer of the platform's sandbox, with funds and no caps."""
    _, buyer = control.get("buyers/sandbox_buyer")
    assert (buyer["token"], buyer["vault_active"]) == ("sandbox_buyer_token", True)
    assert buyer["balances"] == buyer["allowances"] == {"JPYC": "1000000", "USDC": "1000000"}
    assert buyer["caps"] == {"per_payment": None, "day": None, "month": None}


def test_a_buyer_is_made_as_it_was_asked_for(control: Control) -> None:
    """Every field of a new buyer is what was given, and reads the same afterwards."""
    status, made = control.post("buyers", **WHOLE)
    assert (status, made) == (201, WHOLE | {"reserved": {"JPYC": "0", "USDC": "0"}})
    assert control.get("buyers/b1") == (200, made)


def test_what_is_left_out_is_drawn(control: Control) -> None:
    """Without a word a buyer gets an id, a token, slots and the sandbox's funds."""
    first, second = control.post("buyers")[1], control.post("buyers")[1]
    assert first["buyer_id"] != second["buyer_id"]
    assert first["token"] != second["token"]
    assert (first["timezone"], first["balances"]["JPYC"]) == ("UTC", "1000000")
    assert set(first["weekly_slot"]) == {"weekday", "hour", "minute"}


def test_one_token_of_two_can_be_given(control: Control) -> None:
    """An amount that is left out is the sandbox buyer's."""
    _, made = control.post("buyers", balances={"JPYC": "5"})
    assert made["balances"] == {"JPYC": "5", "USDC": "1000000"}


def test_buyers_are_listed_oldest_first(control: Control) -> None:
    """The list holds every buyer as each one reads."""
    control.post("buyers", buyer_id="b1")
    items = control.get("buyers")[1]["items"]
    assert [buyer["buyer_id"] for buyer in items] == ["sandbox_buyer", "b1"]
    assert items[1] == control.get("buyers/b1")[1]


def test_slots_are_drawn_from_id_and_seed() -> None:
    """The same id and seed give the same slots, whatever was made before; another seed others."""
    slots = []
    for seed, before in ((1, 0), (1, 3), (2, 0)):
        with MockServer(seed=seed) as mock:
            for number in range(before):
                mock.buyers.create(buyer_id=f"other{number}")
            made = mock.buyers.create(buyer_id="b1")
            slots.append((made.weekly_slot, made.monthly_slot))
    assert slots[0] == slots[1]
    assert slots[0] != slots[2]


@pytest.mark.parametrize(
    "changes",
    [
        {"timezone": "Europe/Berlin"},
        {"weekly_slot": {"weekday": 6, "hour": 23, "minute": 59}},
        {"monthly_slot": {"day": 28, "hour": 0, "minute": 0}},
        {"vault_active": True},
        {"caps": {"per_payment": 9, "day": None, "month": 2**53 - 1}},
        {"balances": {"JPYC": "0", "USDC": "1"}},
        {"allowances": {"JPYC": "1000000", "USDC": "0"}},
        {},
    ],
)
def test_a_change_changes_what_it_names(control: Control, changes: dict[str, Any]) -> None:
    """Whatever a change names is as given, everything else stays."""
    _, before = control.post("buyers", **WHOLE)
    status, after = control.patch("buyers/b1", **changes)
    assert (status, after) == (200, before | changes)
    assert control.get("buyers/b1")[1] == after


def test_caps_are_replaced_as_a_whole(control: Control) -> None:
    """A cap that a change leaves out is no cap."""
    control.post("buyers", **WHOLE)
    _, after = control.patch("buyers/b1", caps={"month": 5})
    assert after["caps"] == {"per_payment": None, "day": None, "month": 5}


WRONG = [
    {"buyer_id": ""},
    {"buyer_id": "a b"},
    {"buyer_id": "ü"},
    {"buyer_id": "b1\n"},
    {"buyer_id": "x" * 65},
    {"token": ""},
    {"token": "cli_key"},
    {"timezone": "Mars/Olympus"},
    {"timezone": "../etc/passwd"},
    {"timezone": ""},
    {"timezone": "asia/tokyo"},
    {"weekly_slot": {"weekday": 7, "hour": 0, "minute": 0}},
    {"weekly_slot": {"weekday": 0, "hour": 24, "minute": 0}},
    {"weekly_slot": {"weekday": 0, "hour": 0}},
    {"weekly_slot": {"weekday": 0, "hour": 0, "minute": 0, "second": 0}},
    {"monthly_slot": {"day": 29, "hour": 0, "minute": 0}},
    {"monthly_slot": {"day": 0, "hour": 0, "minute": 0}},
    {"vault_active": 1},
    {"caps": {"day": -1}},
    {"caps": {"day": 2**53}},
    {"caps": {"week": 1}},
    {"balances": {"JPYC": 5}},
    {"balances": {"JPYC": "-1"}},
    {"balances": {"JPYC": "1e3"}},
    {"balances": {"JPYC": "NaN"}},
    {"balances": {"JPYC": "１"}},
    {"balances": {"JPYC": "0.000000001"}},
    {"balances": {"USDC": "0.0000001"}},
    {"balances": {"JPYC": "99999999999999999999"}},
    {"balances": {"EURC": "1"}},
    {"allowances": {"JPYC": ""}},
    {"surprise": 1},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_buyer_isnt_made(mock: MockServer, control: Control, wrong: dict[str, Any]) -> None:
    """A field out of range or unknown is 422, and nothing is written."""
    before = rows_of(mock.world)
    assert control.post("buyers", **wrong) == (422, "INVALID_REQUEST")
    assert rows_of(mock.world) == before


@pytest.mark.parametrize("wrong", [{"buyer_id": "b2"}, {"token": "other"}, *WRONG[7:]])
def test_a_wrong_change_changes_nothing(
    mock: MockServer, control: Control, wrong: dict[str, Any]
) -> None:
    """What can't be changed, or not so, is 422, and the buyer stays as it is."""
    before = rows_of(mock.world)
    assert control.patch("buyers/sandbox_buyer", **wrong) == (422, "INVALID_REQUEST")
    assert rows_of(mock.world) == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"buyer_id": "sandbox_buyer"}, "BUYER_EXISTS"),
        ({"token": "sandbox_buyer_token"}, "TOKEN_EXISTS"),
        ({"token": "sandbox_merchant_token"}, "TOKEN_EXISTS"),
        ({"token": "sandbox_admin_token"}, "TOKEN_EXISTS"),
    ],
)
def test_ids_and_tokens_are_nobody_elses(
    mock: MockServer, control: Control, body: dict[str, str], code: str
) -> None:
    """A taken id or token is 409, and nothing is written."""
    before = rows_of(mock.world)
    assert control.post("buyers", **body) == (409, code)
    assert rows_of(mock.world) == before


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_unknown_buyer_is_404(control: Control, method: str) -> None:
    """Nobody is read or changed under an id that there is none of."""
    assert control.call(method, "buyers/nobody", json={}) == (404, "BUYER_NOT_FOUND")


@pytest.mark.parametrize(
    "changes",
    [{"weekly_slot": {"weekday": 4, "hour": 12, "minute": 0}}, {"timezone": "Asia/Tokyo"}],
)
def test_a_changed_slot_applies_from_the_next_period_on(
    mock: MockServer, changes: dict[str, Any]
) -> None:
    """An open period keeps its end; the next one follows it and ends by the new slot."""
    mock.buyers.create(buyer_id="b1", weekly_slot=WEEKLY)
    mock.usage("b1", merchant=SHOP, amount_minor=100, currency="JPY")
    mock.buyers.update("b1", **changes)
    closed = mock.clock.advance(until="period.closed").to
    mock.usage("b1", merchant=SHOP, amount_minor=100, currency="JPY")
    following = mock.clock.advance(until="period.closed").to
    assert closed == "2026-03-04T10:00:00.000Z"
    assert following in ("2026-03-06T12:00:00.000Z", "2026-03-11T01:00:00.000Z")


def test_a_changed_balance_is_moved_never_set(mock: MockServer, control: Control) -> None:
    """Tokens come from outside and go there, by postings of the difference."""
    mock.buyers.create(buyer_id="b1", balances={"JPYC": "100"})
    mock.buyers.update("b1", balances={"JPYC": "30"})
    legs = [
        entry.data["legs"][0]["amount"]
        for entry in mock.events(kind="ledger.posted")
        if entry.data["reason"] == "chain_funding"
    ]
    assert legs[-1] == "-70.00000000"
    before = rows_of(mock.world)["ledger_entries"]
    mock.buyers.update("b1", balances={"JPYC": "30"})
    assert rows_of(mock.world)["ledger_entries"] == before


def test_one_buyer_may_have_all_that_there_may_be(mock: MockServer, control: Control) -> None:
    """A balance of the largest amount exists once; more is refused for all buyers together."""
    most = {"JPYC": "92233720368"}
    status, buyer = control.patch("buyers/sandbox_buyer", balances=most)
    assert (status, buyer["balances"]["JPYC"]) == (200, most["JPYC"])
    with pytest.raises(ControlError, match="all the JPY in this server together is at most"):
        mock.buyers.create(balances={"JPYC": "2"})
    assert mock.buyers.create(balances={"JPYC": "0"}).balances.JPYC == "0"
