"""Things in each of their states, and every move that anyone can ask for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import httpx

from settlekit.testing.transports import WsgiTransport
from settlekit_mock import MockServer
from settlekit_mock.payments import requirements
from tests.settlekit_mock.control.conftest import SHOP
from tests.settlekit_mock.writing import (
    EXECUTE,
    PAYMENTS,
    Call,
    ask_requirement,
    asked,
    authorize,
    confirm_session,
    open_session,
    pay_requirement,
    run_capability,
    send,
    subscribe,
)

HOOKS: Final = "/v1/market/webhooks"
AUTHORIZATIONS: Final = "/v1/account/auto-pay/scheduled-authorizations"


class Thing(NamedTuple):
    """What can be moved: its id, and what its moves need besides."""

    name: str
    known: dict[str, Any]


Make = Callable[[MockServer], Thing]
Move = Callable[[MockServer, Thing], httpx.Response]


def post(mock: MockServer, path: str, role: Any, **body: Any) -> httpx.Response:
    return send(mock, Call(path, mock.token(role), body))


# -- checkout sessions ---------------------------------------------------------------------


def session(mock: MockServer) -> Thing:
    path = confirm_session(mock).path
    return Thing(path.split("/")[-2], {})


def _moved_session(move: str) -> Make:
    def make(mock: MockServer) -> Thing:
        made = session(mock)
        getattr(mock.checkout, move)(made.name)
        return made

    return make


def _paid_session(mock: MockServer) -> Thing:
    made = session(mock)
    send(mock, Call(f"/v1/sandbox/checkout-sessions/{made.name}/confirm", "none", {}))
    return made


def _expired_session(mock: MockServer) -> Thing:
    made = session(mock)
    mock.clock.advance(minutes=30)
    return made


def _sandbox(verb: str) -> Move:
    def move(mock: MockServer, thing: Thing) -> httpx.Response:
        return send(mock, Call(f"/v1/sandbox/checkout-sessions/{thing.name}/{verb}", "none", {}))

    return move


def _control(verb: str) -> Move:
    def move(mock: MockServer, thing: Thing) -> httpx.Response:
        return send(mock, Call(f"/_mock/checkout-sessions/{thing.name}/{verb}", "none", {}))

    return move


SESSIONS: Final[Mapping[str, Make]] = MappingProxyType(
    {
        "open": session,
        "authenticated": _moved_session("authenticate"),
        "paid": _paid_session,
        "expired": _expired_session,
        "cancelled": _moved_session("cancel"),
        "failed": _moved_session("fail"),
    }
)
SESSION_MOVES: Final[Mapping[str, Move]] = MappingProxyType(
    {
        "confirm": _sandbox("confirm"),
        "redeliver": _sandbox("redeliver"),
        "authenticate": _control("authenticate"),
        "cancel": _control("cancel"),
        "fail": _control("fail"),
    }
)

# -- requirements --------------------------------------------------------------------------


def _requirement(mock: MockServer) -> Thing:
    call = pay_requirement(mock)
    return Thing(call.body["reference_id"], {"call": call})


def _paid_requirement(mock: MockServer) -> Thing:
    made = _requirement(mock)
    asked(mock, made.known["call"])
    return made


def _spent_requirement(mock: MockServer) -> Thing:
    made = _paid_requirement(mock)
    assert _verify(mock, made).status_code == 200
    return made


def _expired_requirement(mock: MockServer) -> Thing:
    made = _requirement(mock)
    mock.clock.advance(minutes=30)
    return made


def _failed_requirement(mock: MockServer) -> Thing:
    made = _requirement(mock)
    with mock.world.transaction() as tx:
        requirements.fail(tx, made.name)
    return made


def _verify(mock: MockServer, thing: Thing) -> httpx.Response:
    return post(mock, f"{PAYMENTS}/requirements/{thing.name}/verify", "buyer")


REQUIREMENTS: Final[Mapping[str, Make]] = MappingProxyType(
    {
        "requires_payment": _requirement,
        "confirmed": _paid_requirement,
        "spent": _spent_requirement,
        "expired": _expired_requirement,
        "failed": _failed_requirement,
    }
)
REQUIREMENT_MOVES: Final[Mapping[str, Move]] = MappingProxyType(
    {
        "ask again": lambda mock, _thing: send(mock, ask_requirement(mock)),
        "pay": lambda mock, thing: send(mock, thing.known["call"]),
        "verify": _verify,
    }
)

# -- subscriptions -------------------------------------------------------------------------


def _subscription(mock: MockServer) -> Thing:
    call = subscribe(mock)
    asked(mock, call)
    return Thing("", {"call": call})


def _unpaid_subscription(days: int) -> Make:
    def make(mock: MockServer) -> Thing:
        made = _subscription(mock)
        mock.buyers.update("sandbox_buyer", balances={"JPYC": "0"})
        mock.clock.advance(days=days)
        return made

    return make


def _subscribe_otherwise(mock: MockServer, thing: Thing) -> httpx.Response:
    call: Call = thing.known["call"]
    return send(mock, call._replace(body={**call.body, "amount_minor": 1300}))


SUBSCRIPTIONS: Final[Mapping[str, Make]] = MappingProxyType(
    {
        "active": _subscription,
        "past_due": _unpaid_subscription(32),
        "cancelled": _unpaid_subscription(40),
    }
)
SUBSCRIPTION_MOVES: Final[Mapping[str, Move]] = MappingProxyType(
    {
        "subscribe again": lambda mock, thing: send(mock, thing.known["call"]),
        "subscribe otherwise": _subscribe_otherwise,
    }
)

# -- scheduled authorizations --------------------------------------------------------------


def _authorization(**approved: Any) -> Make:
    def make(mock: MockServer) -> Thing:
        made = authorize(mock, **approved)
        return Thing(made["id"], {"token": made["schedule_token"]})

    return make


def _revoke(mock: MockServer, thing: Thing) -> httpx.Response:
    with httpx.Client(transport=WsgiTransport(mock.app), base_url="http://localhost") as http:
        bearer = {"Authorization": f"Bearer {mock.token('buyer')}"}
        return http.delete(f"{AUTHORIZATIONS}/{thing.name}", headers=bearer)


def _run(slot_id: str) -> Move:
    def move(mock: MockServer, thing: Thing) -> httpx.Response:
        return send(mock, Call(EXECUTE, thing.known["token"], {"slot_id": slot_id}))

    return move


def _after(make: Make, move: Move) -> Make:
    def made(mock: MockServer) -> Thing:
        thing = make(mock)
        assert move(mock, thing).status_code == 200
        return thing

    return made


def _expired_authorization(mock: MockServer) -> Thing:
    made = _authorization(expires_at="2026-03-03T00:00:00Z")(mock)
    mock.clock.advance(days=1)
    return made


AUTHORIZED: Final[Mapping[str, Make]] = MappingProxyType(
    {
        "active": _after(_authorization(max_runs=2), _run("first")),
        "revoked": _after(_after(_authorization(), _run("first")), _revoke),
        "expired": _expired_authorization,
        "exhausted": _after(_authorization(max_runs=1), _run("first")),
    }
)
AUTHORIZED_MOVES: Final[Mapping[str, Move]] = MappingProxyType(
    {"run": _run("second"), "revoke": _revoke}
)

# -- webhook endpoints ---------------------------------------------------------------------


def _endpoint(mock: MockServer) -> Thing:
    told = post(mock, f"{HOOKS}/subscriptions", "merchant", callback_url="http://localhost:1/hook")
    made = Thing(told.json()["data"]["id"], {})
    answer = _test(mock, made)
    assert answer.status_code == 201, answer.text
    with mock.world.snapshot() as connection:
        delivery = connection.exec_driver_sql("SELECT delivery_id FROM webhook_deliveries").scalar()
    made.known["delivery"] = delivery
    return made


def _endpoint_move(verb: str) -> Move:
    def move(mock: MockServer, thing: Thing) -> httpx.Response:
        return post(mock, f"{HOOKS}/subscriptions/{thing.name}/{verb}", "merchant")

    return move


def _test(mock: MockServer, thing: Thing) -> httpx.Response:
    told = {"event_type": "direct_payment.confirmed", "subscription_ids": [thing.name]}
    return post(mock, f"{HOOKS}/test-deliveries", "merchant", **told)


ENDPOINTS: Final[Mapping[str, Make]] = MappingProxyType(
    {"active": _endpoint, "paused": _after(_endpoint, _endpoint_move("pause"))}
)
ENDPOINT_MOVES: Final[Mapping[str, Move]] = MappingProxyType(
    {
        **{verb: _endpoint_move(verb) for verb in ("pause", "resume", "rotate-secret")},
        "test": _test,
        "redeliver": lambda mock, thing: post(
            mock, f"{HOOKS}/deliveries/{thing.known['delivery']}/redeliver", "merchant"
        ),
    }
)

# -- a merchant's billing ------------------------------------------------------------------


def _billed(**changes: Any) -> Make:
    def make(mock: MockServer) -> Thing:
        called = {name: made(mock) for name, made in _SELLING.items()}
        called["run"] = Call(EXECUTE, authorize(mock)["schedule_token"], {"slot_id": "s1"})
        mock.merchants.update(SHOP, **changes)
        return Thing(SHOP, called)

    return make


_SELLING: Final[Mapping[str, Callable[[MockServer], Call]]] = MappingProxyType(
    {
        "open a session": open_session,
        "ask": ask_requirement,
        "run a capability": run_capability,
        "subscribe": subscribe,
    }
)
BILLED: Final[Mapping[str, Make]] = MappingProxyType(
    {
        "active": _billed(billing_status="active"),
        "past_due": _billed(billing_status="past_due"),
        "suspended": _billed(billing_status="suspended"),
        "setup_required": _billed(billing_status="setup_required"),
        "approval_required": _billed(mandate_status="approval_required"),
    }
)


def _sell(name: str) -> Move:
    return lambda mock, thing: send(mock, thing.known[name])


BILLED_MOVES: Final[Mapping[str, Move]] = MappingProxyType(
    {name: _sell(name) for name in (*_SELLING, "run")}
)
