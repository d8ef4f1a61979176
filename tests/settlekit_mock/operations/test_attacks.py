"""Whoever means harm is refused in the documented words, on both databases, and leaves nothing."""

import csv
import io
import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import msgspec
import pytest

from settlekit_mock.http.reading import BODY_LIMIT
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Route
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import Account
from settlekit_mock.operations.routes import ROUTES
from settlekit_mock.payments.tables import Merchant
from tests.settlekit_mock.operations.conftest import SECRET, Operator, rows_of, sound
from tests.settlekit_mock.operations.desk import CASES, Desk, is_of

pytestmark = pytest.mark.both_databases

JSON: Final = "application/json"
DEEP: Final = 100_000
BODIES: Final[list[tuple[bytes, str]]] = [
    (b"{", JSON),
    (b"{}}", JSON),
    (b"[]", JSON),
    (b"null", JSON),
    (b"0", JSON),
    (b"NaN", JSON),
    (b'"{}"', JSON),
    (b"{}\x00", JSON),
    (b"\x00", JSON),
    (b"\xef\xbb\xbf{}", JSON),
    (b"\xff\xfe{\x00}\x00", JSON),
    ('{"amount_usd": "1"}'.encode("utf-16"), JSON),
    ('{"amount_usd": "1"}'.encode("utf-32-le"), JSON),
    (b"+AHsAfQ-", JSON),
    (b'{"a": "\xc0\xaf"}', JSON),
    (b'{"a": "\xed\xa0\x80"}', JSON),
    (b'{"a": "\\ud800"}', JSON),
    (b'{"\\udfff": 1}', JSON),
    (b'{"a": "\\u0000"}', JSON),
    (b'{"\\u0000": 1}', JSON),
    (b'{"a": 1e400}', JSON),
    (b'{"a": -1e400}', JSON),
    (b'{"a": ' + b"9" * 5000 + b"}", JSON),
    (b'{"a": 1, "a": 1}', JSON),
    (b'{"a": {"b": 1, "b": 2}}', JSON),
    (b'{"a": 01}', JSON),
    (b"{'a': 1}", JSON),
    (b'{"a": 1,}', JSON),
    (b'{"a": 1} // more', JSON),
    (b'{"a": ' + b"[" * DEEP + b"]" * DEEP + b"}", JSON),
    (b'{"a": ' * DEEP + b"1" + b"}" * DEEP, JSON),
    (b'{"__proto__": {"amount_usd": "1"}}', JSON),
    (b'{"amount_usd": {"$gt": ""}}', JSON),
    (b"{}", "text/plain"),
    (b"{}", "application/x-www-form-urlencoded"),
    (b"{}", "multipart/form-data; boundary=x"),
    (b"{}", "application/xml"),
    (b"{}", "text/html; charset=utf-7"),
    (b"<a/>", "application/xml"),
    (b"amount_usd=1", "application/x-www-form-urlencoded"),
    (b"{}", "application/json\x7f"),
    (b" " * (BODY_LIMIT + 1), JSON),
    (b'{"a": "' + b"a" * BODY_LIMIT + b'"}', JSON),
]
TAKING: Final = [
    name
    for name, case in CASES.items()
    if not case.path.endswith(("approve", "cancel", "fail", "run-mock"))
]
"""Those that need something said: an empty object is no call of theirs."""
CODES: Final = {400: "invalid_request", 413: "payload_too_large"}


@pytest.fixture
def desk(world: World, buyer: Operator, customer: Account, merchant: Merchant) -> Desk:
    return Desk(world, buyer, customer, merchant)


def test_a_body_that_is_no_call_is_refused(desk: Desk) -> None:
    """Odd JSON, encodings, media types, nesting and sizes are 400 or 413, and nothing is written."""
    before = rows_of(desk.world)
    amiss: list[tuple[bytes, str, int, str]] = []
    for name, (body, media_type) in product(TAKING, BODIES):
        answer = desk.send_raw(CASES[name], body, media_type)
        told = json.loads(answer.data)["error"]
        if told["code"] != CODES.get(answer.status_code) or len(told["message"]) > 400:
            amiss.append((body[:40], media_type, answer.status_code, answer.text[:300]))
    assert amiss == []
    assert rows_of(desk.world) == before


# -- what is allowed, however strange --------------------------------------------------------

STRANGE: Final = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "\u200b=1",
    '"=1","',
    '=HYPERLINK("http://a.example?"&A1)',
    "a,b;c|d",
    "a\r\nX-Injected: yes",
    "a\nb",
    "'; DROP TABLE audit; --",
    "%s %(a)s {0} $1 :named ?",
    "\\x00 \\u0000",
    "<script>alert(1)</script>",
    "\x01\x02\x1b[31m\x7f\x80\x9f",
    "\u202ecod.exe",
    "\u2028\u2029\ufeff",
    "\ufffe\uffff",
    "😀" * 20,
    "\U0010ffff",
    "e\u0301é",
    "İıſK",
    "１２３",
    "null",
    " leading and trailing ",
    "a" * 128,
    "💥" * 127,
]
RUN_BY_SPREADSHEETS: Final = tuple("=+-@\t\r＝＋－＠")


def test_strange_text_is_kept_as_it_came(desk: Desk) -> None:
    """A key or a reason comes back as it was said, in no header, and is one to the character."""
    operator = Operator(desk.world)
    for text in STRANGE:
        asked = {"reason": text, "idempotency_key": text}
        first = desk.send(CASES["adjustment"], **asked)
        assert first.status_code == 201, (text, first.text)
        assert (first.json["reason"], first.json["idempotency_key"]) == (text, text)
        assert desk.send(CASES["adjustment"], **asked).data == first.data
        other = desk.send(CASES["adjustment"], **{**asked, "reason": f"{text}!"})
        assert (other.status_code, other.json["error"]["code"]) == (409, "idempotency_key_reused")
        again = desk.send(CASES["adjustment"], **{**asked, "idempotency_key": f"{text[:-1]}¡"})
        assert again.status_code == 201
        assert "X-Injected" not in f"{first.headers}{other.headers}{again.headers}"
        (newest, *_) = operator.get("/v1/admin/audit", action="wallet.adjusted")["items"]
        assert newest["details"]["reason"] == text
    assert sound(desk.world)


def test_strange_text_stays_in_its_cell(desk: Desk) -> None:
    """Names in a use come back in the reports as one cell each, and no spreadsheet runs one."""
    names = ("request_id", "public_app_id", "feature_key", "provider", "model")
    for text in STRANGE:
        given = {**dict.fromkeys(names, text), "public_app_id": text.replace("/", "|")}
        made = desk.send(CASES["use by a fee"], **given, fee_usd="0.01")
        assert made.status_code == 201, (text, made.text)
        assert {name: made.json[name] for name in names} == given
    operator = Operator(desk.world)
    for report in ("usage", "revenue"):
        answer = operator.call("GET", f"/v1/admin/reports/{report}.csv")
        head, *rows = csv.reader(io.StringIO(answer.get_data(as_text=True), newline=""))
        assert {len(row) for row in rows} == {len(head)}
        apps = {row[head.index("public_app_id")] for row in rows}
        expected = [text.replace("/", "|") for text in STRANGE]
        assert [text for text in expected if not apps & {text, f"'{text}"}] == []
        assert [cell for row in rows for cell in row if cell.startswith(RUN_BY_SPREADSHEETS)] == []
    assert sound(desk.world)


# -- paths, queries, headers ----------------------------------------------------------------

SEGMENTS: Final = [
    *("%00", "a%00", "%ED%A0%80", "%C0%AF", "%FF", "%F4%90%80%80", "%0d%0aX-Injected:%20yes"),
    *("%2e%2e", "..%2f..%2fadmin", "%25%30%30", "%u0000", "a" * 255, "a" * 256, "a" * 9000),
    *("%F0%9F%98%80" * 255, "%EF%BF%BD", "%27%3B--", "%E2%80%AE", ";a=b", "%20", "%3F", "%23"),
]
NAMED: Final = [route for route in ROUTES if "<" in route.path]


def test_a_path_that_names_nothing_is_not_found(desk: Desk) -> None:
    """NUL, broken UTF-8, line ends and long names in a path are 404, and in no header."""
    operator, before = Operator(desk.world), rows_of(desk.world)
    for route, segment in product(NAMED, SEGMENTS):
        body = next((case.body for case in CASES.values() if is_of(case, route)), None)
        path = "/".join(segment if "<" in part else part for part in route.path.split("/"))
        answer = operator.call(route.method, path, json=body, headers=SECRET)
        assert answer.status_code in (404, 405), (path[:60], answer.text)
        assert "X-Injected" not in answer.headers
    assert rows_of(desk.world) == before


VALUES: Final = [
    *("%00", "a%00", "%ED%A0%80", "%C0%AF", "%FF", "%0d%0aX-Injected:%20yes", "a" * 9000, "1e1"),
    *("%EF%BC%91", "-1", "0", "99999999999999999999", "2026-02-30T00:00:00Z", "%F0%9F%98%80"),
    *("0000-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "2026-01-01T00:00:00%2B99:99", "null"),
    *("A" * 24, "=1", "%27%3B--", "[]", "{}", "*", "%25"),
]
ASKED: Final = [route for route in ROUTES if route.method == "GET" and route.role is Role.ADMIN]


def _parameters(route: Route) -> Iterator[str]:
    for field in () if route.query is None else msgspec.structs.fields(route.query):
        yield field.encode_name
    yield "nothing"
    yield "%00"


def test_a_query_is_read_or_refused(desk: Desk) -> None:
    """Whatever stands in a parameter, the answer is 200 or 400, the parameter named, never 500."""
    desk.send(CASES["use by a fee"])
    operator, before = Operator(desk.world), rows_of(desk.world)
    known = {"public_app_id": "app_1", **{f"{name}_id": one for name, one in desk.known.items()}}
    for route in ASKED:
        path = re.sub("<([a-z_]+)>", lambda name: known[name[1]], route.path)
        for name, value in product(_parameters(route), VALUES):
            answer = operator.call("GET", path, query_string=f"{name}={value}")
            assert answer.status_code in (200, 400), (path, name, value, answer.text)
            assert "X-Injected" not in answer.headers
            if answer.status_code == 400:
                told = json.loads(answer.data)["error"]
                assert told["code"] == "invalid_request"
                named = name in told["message"] or "the query must" in told["message"]
                assert named or name in ("nothing", "%00"), (value, told)
            else:
                answer.get_data()
    assert rows_of(desk.world) == before


HEADERS: Final = [
    "",
    " ",
    "Bearer",
    "Bearer ",
    "bearer  x",
    "Basic YTpi",
    "Bearer \x01",
    "Bearer ÿ",
    "Bearer a b",
    "Bearer sandbox_admin_token, Bearer x",
    "Bearer sandbox_admin_token\x00",
    "Bearer ｓandbox_admin_token",
    "Bearer " + "a" * 60_000,
    "Bearer %73andbox_admin_token",
    "Bearer sandbox_admin_toke",
    "Bearer Sandbox_Admin_Token",
    "Bearer ' OR 1=1 --",
    "Token sandbox_admin_token",
]


def test_no_credentials_but_the_right_ones_open_anything(desk: Desk) -> None:
    """Odd headers are 401 for every route, on every database."""
    before = rows_of(desk.world)
    for route in ROUTES:
        if route.path == "/v1/stripe/webhook":
            continue
        for value in HEADERS:
            given = {"Authorization": value, "X-Admin-Secret": value}
            answer = _called(desk.world, route, given)
            assert answer.status_code == 401, (route.path, value, answer.text)
    assert rows_of(desk.world) == before


def _called(world: World, route: Route, headers: dict[str, str]) -> Any:
    # WSGI's headers are text in Latin-1, whatever the bytes were.
    environ = {
        "HTTP_" + name.upper().replace("-", "_"): value.encode("utf-8").decode("latin-1")
        for name, value in headers.items()
    }
    caller = Operator(world, None)
    return caller.call(
        route.method, route.path.replace("<", "").replace(">", ""), environ_overrides=environ
    )


EVENTS: Final[list[dict[str, Any]]] = [
    {"type": 1},
    {"type": ""},
    {"type": "a" * 256},
    {"type": "checkout.session.completed"},
    {"type": "checkout.session.completed", "data": []},
    {"type": "checkout.session.completed", "data": {"object": "x"}},
    *(
        {
            "id": "evt_1",
            "type": "checkout.session.completed",
            "data": {"object": {"id": "cs_1", "currency": "usd", "amount_total": 500} | changes},
        }
        for changes in (
            {"amount_total": 0},
            {"amount_total": -1},
            {"amount_total": 5.0},
            {"amount_total": "500"},
            {"amount_total": True},
            {"amount_total": 10**18},
            {"amount_total": None},
            {"currency": "USD"},
            {"currency": ["usd"]},
            {"currency": None},
            {"id": ""},
            {"id": 7},
            {"id": "a" * 256},
            {"id": "=1"},
        )
    ),
]


def test_an_event_that_is_none_is_refused(desk: Desk) -> None:
    """What the card processor never says is 400, or 404 for a session that there isn't."""
    before = rows_of(desk.world)
    for event in EVENTS:
        answer = Operator(desk.world, None).call("POST", "/v1/stripe/webhook", json=event)
        assert answer.status_code in (400, 404), (event, answer.text)
        assert answer.json is not None
        assert answer.json["error"]["code"] == "invalid_request"
    assert rows_of(desk.world) == before
