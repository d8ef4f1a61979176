"""Whatever is sent, the answer is a documented one, and what is refused writes nothing."""

from typing import Any

import pytest

from settlekit_mock.http.roles import Role
from settlekit_mock.http.tables import add_token
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.times import HOUR
from settlekit_mock.kernel.world import World
from settlekit_mock.operations.routes import ROUTES
from tests.settlekit_mock.operations.conftest import Operator, credit, plant, rows_of

RUN = "/v1/admin/payouts/run-mock"
AMOUNTS = [
    "0",
    "0.00000000",
    "-1",
    "+1",
    "1.123456789",
    "1e2",
    "1E2",
    "NaN",
    "Infinity",
    "",
    " ",
    " 1",
    "1 ",
    "1_0",
    "1,000",
    "1.",
    ".5",
    "0x10",
    "１７",
    "٣",
    "92233720368.54775808",
    "99999999999",
    "1" * 40,
    1,
    1.5,
    True,
    [],
    {},
]
ADJUSTED = {"kind": "adjustment", "direction": "credit"}
BODIES = [
    b"{",
    b"[]",
    b'"x"',
    b"nan",
    b'{"amount_usd": NaN}',
    b'{"amount_usd": "1", "amount_usd": "2"}',
    b"\xff\xfe",
    b'{"amount_usd": "\\u0000"}',
    b'{"amount_usd": "\\ud800"}',
    b"[" * 5000,
]
GUARDED = [route for route in ROUTES if route.role is not Role.ANYONE]


@pytest.fixture
def paths(world: World, operator: Operator) -> dict[str, str]:
    """Where each kind of call goes: a USD wallet, a pending payout, a hold."""
    account = credit(world, "usr_1", 25 * MAJOR)
    (payout,) = operator.post(RUN)["items"]
    plant(world, credit(world, "usr_2", MAJOR), 1)
    operator.get("/v1/admin/reconciliation/ledger")
    (hold,) = operator.get("/v1/admin/reconciliation/holds")["items"]
    return {
        "credit": f"/v1/admin/wallets/{account.account_id}/credit-test-balance",
        "adjust": f"/v1/admin/wallets/{account.account_id}/adjustments",
        "run": RUN,
        "approve": f"/v1/admin/payouts/{payout['id']}/approve",
        "mark-paid": f"/v1/admin/payouts/{payout['id']}/mark-paid",
        "cancel": f"/v1/admin/payouts/{payout['id']}/cancel",
        "fail": f"/v1/admin/payouts/{payout['id']}/fail",
        "release": f"/v1/admin/reconciliation/holds/{hold['id']}/release",
        "payouts": "/v1/admin/payouts",
        "holds": "/v1/admin/reconciliation/holds",
        "audit": "/v1/admin/audit",
        "report": "/v1/admin/reports/payouts.csv",
    }


def refuses(
    operator: Operator, world: World, status: int, method: str, path: str, **given: Any
) -> None:
    before = rows_of(world)
    assert operator.refused(method, path, **given)[:2] == (status, "invalid_request")
    assert rows_of(world) == before


@pytest.mark.parametrize("amount", AMOUNTS, ids=repr)
@pytest.mark.parametrize(
    ("call", "field", "beside"),
    [
        ("credit", "amount_usd", {}),
        ("credit", "amount", {"currency": "USD"}),
        ("adjust", "amount_usd", ADJUSTED),
        ("adjust", "amount", ADJUSTED | {"currency": "USD"}),
        ("run", "threshold_usd", {}),
        ("run", "threshold", {"currency": "JPY"}),
    ],
)
def test_an_amount_that_is_none_is_refused(
    operator: Operator,
    world: World,
    paths: dict[str, str],
    call: str,
    field: str,
    beside: dict[str, str],
    amount: object,
) -> None:
    """An amount is a plain positive decimal string with up to eight places, and nothing else."""
    refuses(operator, world, 400, "POST", paths[call], json={field: amount, **beside})


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("credit", {}),
        ("credit", {"amount": "1"}),
        ("credit", {"amount_usd": "1", "currency": "USD"}),
        ("credit", {"amount_usd": "1", "amount": "1", "currency": "USD"}),
        ("credit", {"amount_usd": "1", "amount": "1"}),
        ("credit", {"amount": "1", "currency": "JPY"}),
        ("credit", {"amount": "1", "currency": "EUR"}),
        ("credit", {"amount": "1", "currency": "usd"}),
        ("credit", {"amount_usd": "1", "note": "x"}),
        ("adjust", ADJUSTED),
        ("adjust", ADJUSTED | {"amount": "1"}),
        ("adjust", ADJUSTED | {"amount": "1", "currency": "JPY"}),
        ("adjust", ADJUSTED | {"amount_usd": "1", "kind": "payout"}),
        ("adjust", ADJUSTED | {"amount_usd": "1", "kind": None}),
        ("adjust", ADJUSTED | {"amount_usd": "1", "direction": "both"}),
        ("adjust", ADJUSTED | {"amount_usd": "1", "reason": ""}),
        ("adjust", ADJUSTED | {"amount_usd": "1", "reason": "x" * 1001}),
        ("adjust", ADJUSTED | {"amount_usd": "1", "idempotency_key": ""}),
        ("adjust", ADJUSTED | {"amount_usd": "1", "idempotency_key": "k" * 129}),
        ("adjust", ADJUSTED | {"amount_usd": "1", "idempotency_key": 7}),
        ("adjust", ADJUSTED | {"amount_usd": "1", "status": "applied"}),
        ("adjust", {"direction": "credit", "amount_usd": "1"}),
        ("run", {"threshold": "1"}),
        ("run", {"threshold_usd": "1", "threshold": "1", "currency": "USD"}),
        ("run", {"threshold_usd": "1", "currency": "JPY"}),
        ("run", {"currency": "EUR"}),
        ("run", {"limit": 1}),
        ("approve", {"operator_note": ""}),
        ("approve", {"operator_note": "x" * 1001}),
        ("approve", {"operator_note": 5}),
        ("approve", {"note": "x"}),
        ("mark-paid", {"amount_usd": "1"}),
        ("cancel", {"reason": ""}),
        ("cancel", {"reason": "x" * 1001}),
        ("cancel", {"operator_note": "x"}),
        ("fail", {"reason": ["x"]}),
        ("release", {}),
        ("release", {"note": ""}),
        ("release", {"note": "x" * 1001}),
        ("release", {"note": None}),
        ("release", {"note": "x", "force": True}),
    ],
)
def test_a_body_that_isnt_as_documented_is_refused(
    operator: Operator, world: World, paths: dict[str, str], call: str, body: dict[str, object]
) -> None:
    """Missing, contradicting, over-long, mistyped and unknown fields are each 400."""
    refuses(operator, world, 400, "POST", paths[call], json=body)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:24]))
@pytest.mark.parametrize("call", ["credit", "adjust", "run", "mark-paid", "release"])
def test_a_body_that_isnt_json_is_refused(
    operator: Operator, world: World, paths: dict[str, str], call: str, body: bytes
) -> None:
    """What isn't one JSON object in UTF-8, said once, is 400."""
    refuses(operator, world, 400, "POST", paths[call], data=body, content_type="application/json")


@pytest.mark.parametrize(
    ("call", "query"),
    [
        ("payouts", "limit=0"),
        ("payouts", "limit=201"),
        ("payouts", "limit=x"),
        ("payouts", "limit=1&limit=2"),
        ("payouts", "status=open"),
        ("payouts", "stat=paid"),
        ("payouts", "cursor=x"),
        ("payouts", "cursor=" + "A" * 24),
        ("payouts", "cursor=" + "A" * 65),
        ("payouts", "cursor=%FF"),
        ("holds", "status=open"),
        ("holds", "cursor=" + "A" * 24),
        ("audit", "cursor=" + "A" * 24),
        ("audit", "limit=-1"),
        ("audit", "actor=" + "a" * 256),
        ("audit", "from=yesterday"),
        ("audit", "from=2026-03-01"),
        ("audit", "to=2026-02-30T00:00:00Z"),
        ("audit", "from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z"),
        ("report", "from=2026-03-01T00:00:00"),
        ("report", "to=1772323200"),
        ("report", "currency=EUR"),
        ("report", "currency=jpy"),
        ("report", "form=2026-03-01T00:00:00Z"),
    ],
)
def test_a_query_that_isnt_as_documented_is_refused(
    operator: Operator, world: World, paths: dict[str, str], call: str, query: str
) -> None:
    """Limits, cursors, times, filters and names that aren't documented are 400."""
    refuses(operator, world, 400, "GET", paths[call], query_string=query)


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (None, 401, "invalid_session"),
        ("wrong", 401, "invalid_session"),
        ("ünknown", 401, "invalid_session"),
        ("cli_key", 401, "invalid_session"),
        ("expired", 401, "invalid_session"),
    ],
)
def test_a_wrong_token_opens_nothing(
    world: World, route: Any, token: str | None, status: int, code: str
) -> None:
    """Without a token of the route's role nothing is read, checked or written."""
    with world.transaction() as tx:
        add_token(
            tx.connection, token="a_merchants", role="merchant", subject="m", created_at=tx.now
        )
        for role in ("admin", "buyer"):
            add_token(
                tx.connection,
                token=f"expired_{role}",
                role=role,
                subject="x",
                created_at=tx.now - HOUR,
                expires_at=tx.now,
            )
    given = f"expired_{route.role}" if token == "expired" else token
    before = rows_of(world)
    refused = Operator(world, given).refused(route.method, route.path, data=b"{")
    assert refused[:2] == (status, code)
    assert rows_of(world) == before


def test_a_buyers_token_opens_no_admin_route(buyer: Operator, operator: Operator) -> None:
    """A buyer is no operator, and an operator no buyer."""
    assert buyer.refused("POST", RUN, json={})[:2] == (401, "invalid_session")
    assert operator.refused("GET", "/v1/user/wallet")[:2] == (403, "forbidden")


def test_a_query_where_there_is_none_is_refused(
    operator: Operator, buyer: Operator, world: World, paths: dict[str, str]
) -> None:
    """What a route would ignore is 400, as an unknown field of its body is."""
    (payout,) = operator.get("/v1/admin/payouts")["items"]
    for path in ("/v1/admin/reconciliation/ledger", f"/v1/admin/payouts/{payout['id']}"):
        refuses(operator, world, 400, "GET", path, query_string="currency=JPY")
    refuses(buyer, world, 400, "GET", "/v1/user/wallet", query_string="limit=5")
    given = {"query_string": "limit=5", "headers": {"X-Admin-Secret": world.settings.admin_secret}}
    refuses(operator, world, 400, "GET", "/admin/billing/buyer_1", **given)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/admin/nothing", 404, "invalid_request"),
        ("GET", "/v1/admin/payouts/%00", 404, "invalid_request"),
        ("GET", f"/v1/admin/payouts/{'x' * 256}", 404, "invalid_request"),
        ("DELETE", "/v1/admin/payouts", 405, "method_not_allowed"),
    ],
)
def test_unknown_routes_answer_in_the_operators_words(
    operator: Operator, method: str, path: str, status: int, code: str
) -> None:
    """A path or method that no route has is refused with a lower-case code."""
    assert operator.refused(method, path)[:2] == (status, code)


def test_a_body_beyond_a_mebibyte_is_refused(operator: Operator) -> None:
    """An over-long body is 413, in the operator's words."""
    refused = operator.refused("POST", RUN, data=b" " * (1024 * 1024 + 1))
    assert refused[:2] == (413, "payload_too_large")
