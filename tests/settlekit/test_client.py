import copy
import json
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import httpx
import pytest
import respx

from settlekit import (
    ApiError,
    CheckoutUnavailable,
    Client,
    ConfigurationError,
    DecodeError,
    InvalidArgument,
    RequestTimeout,
    RetryPolicy,
    TransportError,
    WaitTimeout,
)
from settlekit._calls.call import Auth, Call, Root
from settlekit.testing import without_backoff
from tests.settlekit import wire

BASE = "http://localhost:8787/v1"
CHECKOUTS = "/sdrp/direct-payments/checkout-sessions"
CHECKOUT = {
    "merchant": "sandbox_merchant",
    "amount_minor": 1200,
    "currency": "jpy",
    "success_url": "https://shop.example/ok",
    "cancel_url": "https://shop.example/no",
}


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(token="tok", base_url=BASE, retries=RetryPolicy(attempts=3)) as made:
        yield made


@pytest.fixture
def server() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=BASE) as router, without_backoff():
        yield router


def sent(server: respx.MockRouter) -> httpx.Request:
    request: httpx.Request = server.calls.last.request
    return request


@pytest.mark.parametrize(("status", "notes"), [(401, 1), (403, 1), (404, 0)])
def test_a_refused_token_of_the_environment_is_named(
    server: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, status: int, notes: int
) -> None:
    """The error says which variable's token was used, and which one wasn't; it shows neither."""
    monkeypatch.setenv("SIGLUME_AUTH_TOKEN", "tok_canary_of_a_buyer")
    monkeypatch.setenv("SIGLUME_MERCHANT_AUTH_TOKEN", "tok_canary_of_a_merchant")
    server.get(f"{CHECKOUTS}/chk_1").respond(status, content=wire.refusal("NO", "no"))
    with Client(base_url=BASE) as client, pytest.raises(ApiError) as caught:
        client.checkout_sessions.get("chk_1")
    unused = "(SIGLUME_MERCHANT_AUTH_TOKEN is set too, and not used)"
    told = [f"the token is from SIGLUME_AUTH_TOKEN {unused}"] * notes
    assert getattr(caught.value, "__notes__", []) == told


def test_a_refused_token_that_was_given_is_nobody_elses(
    client: Client, server: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No variable is blamed where none was read; nor for a call that its own token opens."""
    monkeypatch.setenv("SIGLUME_AUTH_TOKEN", "tok_canary_of_a_buyer")
    server.get(f"{CHECKOUTS}/chk_1").respond(401, content=wire.refusal("NO", "no"))
    with pytest.raises(ApiError) as caught:
        client.checkout_sessions.get("chk_1")
    assert not hasattr(caught.value, "__notes__")
    call = Call(method="GET", path=f"{CHECKOUTS}/chk_1", read=lambda answer: answer)
    with Client(base_url=BASE) as other, pytest.raises(ApiError) as caught:
        other._core.run(attrs.evolve(call, auth=Auth.NOBODY))
    assert not hasattr(caught.value, "__notes__")


def test_a_request_on_the_wire(client: Client, server: respx.MockRouter) -> None:
    """Method, path, bearer, agent and normal forms are what the platform expects."""
    server.post(CHECKOUTS).respond(201, content=wire.enveloped(wire.checkout_session()))
    client.checkout_sessions.create(**CHECKOUT, nonce="n-1", metadata={"order": 1})
    request = sent(server)
    assert request.headers["authorization"] == "Bearer tok"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("settlekit/")
    assert json.loads(request.content) == {
        **CHECKOUT,
        "currency": "JPY",
        "nonce": "n-1",
        "metadata": {"order": 1},
    }


def test_a_nonce_is_drawn_once_for_all_attempts(client: Client, server: respx.MockRouter) -> None:
    """A checkout whose answer was lost is asked for again with the same nonce."""
    route = server.post(CHECKOUTS)
    route.side_effect = [
        httpx.ReadError("cut"),
        httpx.Response(201, content=wire.enveloped(wire.checkout_session())),
    ]
    client.checkout_sessions.create(**CHECKOUT)
    first, second = (json.loads(call.request.content)["nonce"] for call in server.calls)
    assert first == second
    assert len(first) == 36


def test_an_unkeyed_post_is_sent_once(client: Client, server: respx.MockRouter) -> None:
    """Payout runs have no key: a server that fails is not asked again."""
    server.post("/admin/payouts/run-mock").respond(503)
    with pytest.raises(ApiError, match="503"):
        client.operations.run_payouts()
    assert server.calls.call_count == 1


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 0},
        {"amount_minor": "5"},
        {"currency": "EUR"},
        {"nonce": "a:b"},
        {"success_url": "http://shop.example"},
        {"cancel_url": "nowhere"},
        {"merchant": "Not A Key"},
        {"metadata": {"x": float("inf")}},
    ],
)
def test_nothing_leaves_with_a_bad_argument(
    client: Client, server: respx.MockRouter, change: dict[str, Any]
) -> None:
    """A ValueError names the field, and the server never hears of it."""
    with pytest.raises(InvalidArgument) as caught:
        client.checkout_sessions.create(**{**CHECKOUT, **change})
    assert caught.value.field in change
    assert server.calls.call_count == 0


def test_the_status_needs_no_token(client: Client, server: respx.MockRouter) -> None:
    """What is open to all is asked without saying who asks."""
    server.get("/sdrp/direct-payments/status").respond(json={"status": "operational"})
    assert client.platform.status().status == "operational"
    assert "authorization" not in sent(server).headers


def test_a_callable_token_is_asked_for_each_attempt(server: respx.MockRouter) -> None:
    """A token that was renewed in between is used at once."""
    tokens = iter(["one", "two"])
    server.get("/sdrp/metered/provider/summary").side_effect = [
        httpx.Response(503),
        httpx.Response(200, content=wire.enveloped(wire.provider_summary())),
    ]
    with Client(token=lambda: next(tokens), base_url=BASE) as client:
        client.provider_statements.summary()
    bearers = [call.request.headers["authorization"] for call in server.calls]
    assert bearers == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(httpx.ConnectError("no"), TransportError), (httpx.ReadTimeout("no"), RequestTimeout)],
)
def test_a_broken_connection_is_ours(
    client: Client, server: respx.MockRouter, fault: Exception, kind: type[Exception]
) -> None:
    """The HTTP library's error is the cause of ours, after all attempts."""
    server.get("/sdrp/metered/my-summary").side_effect = fault
    with pytest.raises(kind) as caught:
        client.buyer_statements.summary()
    assert type(caught.value) is kind
    assert isinstance(caught.value.__cause__, type(fault))
    assert server.calls.call_count == 3


def test_a_redirect_is_not_followed(server: respx.MockRouter) -> None:
    """A bearer never travels to where an answer points."""
    server.get("/sdrp/metered/my-summary").respond(
        302, headers={"location": "https://evil.example"}
    )
    http = httpx.Client(follow_redirects=True)
    with pytest.raises(ApiError, match="302"), http:
        Client(token="tok", base_url=BASE, http=http).buyer_statements.summary()
    assert server.calls.call_count == 1


def test_your_own_pool_keeps_its_hands_off_the_bearer(server: respx.MockRouter) -> None:
    """An HTTP client with credentials of its own doesn't replace the token."""
    server.get("/sdrp/metered/my-summary").respond(json={})
    with httpx.Client(auth=("user", "pass")) as http:
        Client(token="tok", base_url=BASE, http=http).buyer_statements.summary()
    assert sent(server).headers["authorization"] == "Bearer tok"


def test_your_own_pool_stays_open() -> None:
    """A client closes what it opened, and nothing else."""
    http = httpx.Client()
    with Client(token="tok", base_url=BASE, http=http):
        pass
    assert not http.is_closed
    http.close()


def test_a_variant_shares_the_pool(client: Client, server: respx.MockRouter) -> None:
    """Timeouts, headers and retries vary for some calls; closing a variant closes nothing."""
    route = server.get("/sdrp/metered/my-summary").respond(503)
    with (
        client.with_options(
            timeout=1.5, headers={"X-Order": "7"}, retries=RetryPolicy(attempts=1)
        ) as hasty,
        pytest.raises(ApiError, match="503"),
    ):
        hasty.buyer_statements.summary()
    request = sent(server)
    assert request.headers["x-order"] == "7"
    assert request.extensions["timeout"]["read"] == pytest.approx(1.5)
    assert route.call_count == 1
    route.respond(json={})
    client.buyer_statements.summary()
    assert "x-order" not in sent(server).headers


def test_what_is_not_wrapped_is_reached(client: Client, server: respx.MockRouter) -> None:
    """Any path below the base URL, with query, body and headers."""
    server.post("/sdrp/new").respond(201, content=wire.enveloped([1]))
    result = client.request(
        "post", "/sdrp/new", query={"a": 1, "b": None}, json={"x": 1}, headers={"X-Y": "z"}
    )
    assert (result.data, result.response.status) == ([1], 201)
    assert result.response.request_id == "req_1"
    assert str(sent(server).url) == f"{BASE}/sdrp/new?a=1"
    assert sent(server).headers["x-y"] == "z"


@pytest.mark.parametrize(
    "path",
    [
        *("sdrp", "//evil.example", "/a?b=1", "/a#b", "/a b", "", 5, None),
        *("/../admin", "/a/../../admin", "/a/%2E%2e/admin", "/.", "/a/./b"),
    ],
)
def test_a_path_stays_below_the_base_url(client: Client, path: Any) -> None:
    """No path leads to another host or out of the API, or smuggles a query."""
    with pytest.raises(InvalidArgument, match="path must"):
        client.request("GET", path)


OUTSIDE: Call[int] = Call(
    method="GET",
    path="/admin/x",
    read=lambda answer: answer.status,
    auth=Auth.ADMIN_SECRET,
    root=Root.ORIGIN,
)


def test_a_missing_admin_secret_is_named(server: respx.MockRouter) -> None:
    """A call that needs it doesn't leave without it."""
    with pytest.raises(ConfigurationError, match="admin_secret"):
        Client(token="tok", base_url=BASE)._core.run(OUTSIDE)
    assert server.calls.call_count == 0


def test_an_admin_secret_travels_alone_and_outside_the_version(server: respx.MockRouter) -> None:
    """The operator's override routes stand beside the API, and no bearer goes there."""
    server.get("http://localhost:8787/admin/x").respond(200)
    assert Client(token="tok", base_url=BASE, admin_secret="sec")._core.run(OUTSIDE) == 200
    assert sent(server).headers["x-admin-secret"] == "sec"
    assert "authorization" not in sent(server).headers


def test_a_result_carries_its_metadata(client: Client, server: respx.MockRouter) -> None:
    """Request id, trace id, status, headers and time are on every result."""
    server.get(f"{CHECKOUTS}/chk_1").respond(
        content=wire.enveloped(wire.checkout_session()), headers={"x-a": "b"}
    )
    response = client.checkout_sessions.get("chk_1").response
    assert response is not None
    assert (response.request_id, response.trace_id, response.status) == ("req_1", "trace_1", 200)
    assert response.headers["x-a"] == "b"
    assert response.elapsed.total_seconds() > 0


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda held: pickle.loads(pickle.dumps(held))])
def test_headers_are_found_in_any_case(
    client: Client, server: respx.MockRouter, copied: Callable[[Any], Any]
) -> None:
    """As HTTP has it, in copies too; and one that isn't there is None or a KeyError."""
    server.get(f"{CHECKOUTS}/chk_1").respond(
        content=wire.enveloped(wire.checkout_session()), headers={"X-Shop-1": "b"}
    )
    headers = copied(client.checkout_sessions.get("chk_1").response).headers
    assert headers["X-Shop-1"] == headers["x-shop-1"] == headers.get("X-SHOP-1") == "b"
    assert "X-Shop-1" in headers
    assert "X-Other" not in headers
    assert headers.get("X-Other", "none") == "none"
    with pytest.raises(KeyError, match="x-2"):
        headers["X-2"]


def test_a_malformed_answer_is_a_decode_error(client: Client, server: respx.MockRouter) -> None:
    """It names the field, and the answer to quote."""
    broken = wire.checkout_session(amount_minor="1200")
    server.get(f"{CHECKOUTS}/chk_1").respond(content=wire.enveloped(broken))
    with pytest.raises(DecodeError, match=r"whole number @ \$\.data\.amount_minor") as caught:
        client.checkout_sessions.get("chk_1")
    assert caught.value.response.request_id == "req_1"


def test_checkout_that_is_off_is_one_error(client: Client, server: respx.MockRouter) -> None:
    """A platform without hosted checkout answers CheckoutUnavailable."""
    server.post(CHECKOUTS).respond(409, content=wire.refusal("FEATURE_DISABLED"))
    with pytest.raises(CheckoutUnavailable) as caught:
        client.checkout_sessions.create(**CHECKOUT)
    assert caught.value.response.status == 409


@pytest.mark.parametrize("final", ["paid", "cancelled", "expired", "failed"])
def test_waiting_ends_with_a_final_state(
    client: Client, server: respx.MockRouter, final: str
) -> None:
    """Each of the four ends it; open and authenticated don't."""
    server.get(f"{CHECKOUTS}/chk_1").side_effect = [
        httpx.Response(200, content=wire.enveloped(wire.checkout_session(status=status)))
        for status in ("open", "authenticated", final)
    ]
    session = client.checkout_sessions.wait("chk_1", poll_seconds=0)
    assert session.status == final
    assert server.calls.call_count == 3


def test_waiting_is_bounded(client: Client, server: respx.MockRouter) -> None:
    """On a server whose clock stands still the wait ends too, with what was seen last."""
    server.get(f"{CHECKOUTS}/chk_1").respond(content=wire.enveloped(wire.checkout_session()))
    with pytest.raises(WaitTimeout, match=r"chk_1 is open after 0\.05 s") as caught:
        client.checkout_sessions.wait("chk_1", timeout_seconds=0.05, poll_seconds=0.02)
    assert caught.value.last.status == "open"
    assert 2 <= server.calls.call_count <= 4


@pytest.mark.parametrize("session_id", ["", "..", "."])
def test_an_id_that_is_none_is_refused(client: Client, session_id: str) -> None:
    """An id that would reach another route never leaves."""
    with pytest.raises(InvalidArgument, match="session_id"):
        client.checkout_sessions.get(session_id)


def test_an_id_is_encoded(client: Client, server: respx.MockRouter) -> None:
    """Slashes in an id stay in the id."""
    server.get(url__regex=".*").respond(content=wire.enveloped(wire.checkout_session()))
    client.checkout_sessions.get("a/../b?c")
    assert sent(server).url.raw_path == b"/v1/sdrp/direct-payments/checkout-sessions/a%2F..%2Fb%3Fc"
