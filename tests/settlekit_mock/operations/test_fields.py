"""Every field of every operator's route, given what it can't hold: named, and nothing written."""

import json
from typing import Any, Final

import pytest

from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import Account
from settlekit_mock.operations.routes import ROUTES
from settlekit_mock.operations.wire import NoFields
from settlekit_mock.payments.tables import Merchant
from tests.settlekit_mock.operations.conftest import Operator, rows_of
from tests.settlekit_mock.operations.desk import CASES, Desk, is_of

NO_NUMBER: Final = ("1", "", "１", "1e2", 1.5, 1e2, -0.0, True, [1], {"a": 1}, 10**30, -(10**399))
NO_TEXT: Final = (7, 1.5, True, ["a"], {"a": "b"}, "", "a" * 1001)
NO_CHOICE: Final = (*NO_TEXT, "none", "USD ", "ＵＳＤ", "USD\n")
NO_AMOUNT: Final = (
    *("0", "0.00000000", "-0", "-1", "+1", "1.123456789", "0.000000001", "1e2", "1E2", "NaN"),
    *(
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        "",
        " ",
        " 1",
        "1 ",
        "1\n",
        "1_0",
        "1,000",
        "1.",
        ".5",
    ),
    *("0x10", "１７", "٣", "²", "½", "1．5", "92233720368.54775808", "9" * 400, "0." + "0" * 400),
    *(1, 0, -1, 1.5, -0.0, True, False, [], {}, ["1"], 10**400),
)
NO_PART: Final = tuple(amount for amount in NO_AMOUNT if amount not in ("0", "0.00000000"))
NO_URL: Final = (*NO_TEXT, "shop.example", "ftp://shop.example/", "javascript:alert(1)", "http://")
LONG: Final = "a" * 256
"""One character more than an id has; a note may have a thousand."""

AMOUNTS: Final = {"amount_usd", "amount", "threshold_usd", "threshold"}
PARTS: Final = {
    *("input_price_per_million_usd", "output_price_per_million_usd"),
    *("cached_price_per_million_usd", "markup_percent", "fee_usd", "upstream_cost_usd"),
    *("retail_price_usd", "channel_revenue_usd", "platform_revenue_usd"),
}
NUMBERS: Final = {
    "balance_cents": (),
    "share_bps": (-1, 10_001),
    **dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens"), (-1, 10**12 + 1)),
}
CHOICES: Final = {"kind", "direction", "currency", "route_mode"}
URLS: Final = {"success_url", "cancel_url"}
NOTES: Final = {"reason", "operator_note", "note"}
IDS: Final = {
    *("request_id", "public_app_id", "developer_id", "buyer_id", "feature_key", "provider"),
    *("model", "sid", "idempotency_key"),
}
OPTIONAL: Final = {"developer_id", "buyer_id", "idempotency_key", *NOTES, *AMOUNTS, *PARTS}


def wrong(field: str) -> tuple[Any, ...]:
    """Return what a field can't hold."""
    if field in AMOUNTS:
        return NO_AMOUNT
    if field in PARTS:
        return NO_PART
    if field in NUMBERS:
        return (*NO_NUMBER, *NUMBERS[field])
    if field in CHOICES:
        return NO_CHOICE
    if field in URLS:
        return NO_URL
    if field in NOTES:
        return NO_TEXT
    assert field in IDS, field
    return (*NO_TEXT, LONG)


SPOILED: Final = [(name, field) for name, case in CASES.items() for field in case.body]


@pytest.fixture
def desk(world: World, buyer: Operator, customer: Account, merchant: Merchant) -> Desk:
    return Desk(world, buyer, customer, merchant)


def test_every_field_of_every_route_is_here() -> None:
    """Each route that takes a body has a case, and each of its fields is in one of them."""
    missing: dict[str, set[str]] = {}
    for route in ROUTES:
        if route.method == "POST" and route.body not in (None, NoFields):
            given = {name for case in CASES.values() if is_of(case, route) for name in case.body}
            missing[route.path] = {*route.body.__struct_fields__} - given
    del missing["/v1/stripe/webhook"]  # the processor's words are looked at in test_top_ups
    assert {path: names for path, names in missing.items() if names} == {}


@pytest.mark.both_databases
@pytest.mark.parametrize("name", CASES)
def test_the_call_is_right_but_for_what_is_spoiled(desk: Desk, name: str) -> None:
    """Each call is taken as it is."""
    assert desk.send(CASES[name]).status_code == CASES[name].status


@pytest.mark.parametrize(("name", "field"), SPOILED)
def test_what_a_field_cant_hold_is_refused_by_its_name(desk: Desk, name: str, field: str) -> None:
    """It is 400, the message names the field and says what it must be; nothing is written."""
    before = rows_of(desk.world)
    amiss: list[tuple[object, int, str]] = []
    for value in wrong(field):
        answer = desk.send(CASES[name], **{field: value})
        told = json.loads(answer.data).get("error", {})
        named = field in told.get("message", "") and len(told["message"]) > len(field) + 8
        if answer.status_code != 400 or told.get("code") != "invalid_request" or not named:
            amiss.append((value, answer.status_code, answer.text[:200]))
    assert amiss == []
    assert rows_of(desk.world) == before


@pytest.mark.parametrize(("name", "field"), SPOILED)
def test_null_is_no_value(desk: Desk, name: str, field: str) -> None:
    """A field that must be said isn't said by null, and one that needn't be may be null."""
    before = rows_of(desk.world)
    answer = desk.send(CASES[name], **{field: None})
    if answer.status_code >= 400:
        assert field.removesuffix("_usd") in json.loads(answer.data)["error"]["message"]
        assert rows_of(desk.world) == before
    else:
        assert field in OPTIONAL
