"""Both clients over real sockets, against a server that is asked to misbehave."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from settlekit import (
    AsyncClient,
    Client,
    DecodeError,
    RateLimited,
    RequestTimeout,
    RetryPolicy,
    ServerError,
    TransportError,
)
from settlekit.testing import without_backoff
from settlekit_mock import MockServer

CHECKOUTS = "POST /v1/sdrp/direct-payments/checkout-sessions"
SUMMARY = "GET /v1/sdrp/metered/provider/summary"
CSV = "GET /v1/sdrp/metered/provider/settlement-batches/*/usage-events.csv"
CHECKOUT = {
    "merchant": "sandbox_merchant",
    "amount_minor": 1200,
    "currency": "JPY",
    "success_url": "http://localhost:3000/ok",
    "cancel_url": "http://localhost:3000/no",
}

Work = Callable[[Any], Any]
"""What to do with a client: gives a result, or in async what is to be awaited."""
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[MockServer, str]]:
    with MockServer(seed=3, freeze_at="2026-03-01T00:00:00Z") as mock:
        buyer = mock.buyers.create(buyer_id="tanaka")
        mock.usage(buyer, merchant="sandbox_merchant", amount_minor=100, currency="JPY", count=40)
        mock.clock.advance(days=12)
        with mock.serve() as server:
            yield mock, server.url


@pytest.fixture
def mock(served: tuple[MockServer, str]) -> Iterator[MockServer]:
    with without_backoff():
        yield served[0]
    served[0].faults.clear()


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest, served: tuple[MockServer, str]) -> Run:
    """Do something with a client of either kind, and return its result and its attempts."""
    base_url = f"{served[1]}/v1"

    def both(role: Any, work: Work, **options: Any) -> tuple[Any, int]:
        attempts: list[Any] = []
        options = {"token": served[0].token(role), "base_url": base_url, **options}
        options["on_request"] = attempts.append

        async def in_loop() -> Any:
            async with AsyncClient(**options) as client:
                return await work(client)

        if request.param == "async":
            return asyncio.run(in_loop()), len(attempts)
        with Client(**options) as client:
            return work(client), len(attempts)

    return both


def summary(client: Any) -> Any:
    return client.provider_statements.summary()


def create_checkout(client: Any) -> Any:
    return client.checkout_sessions.create(**CHECKOUT)


def opened(mock: MockServer) -> int:
    """Count the checkout sessions that ever came to be."""
    return sum(True for _ in mock.events(kind="checkout.opened"))


@pytest.mark.parametrize("kind", ["cut_before_effect", "cut_after_effect"])
def test_a_checkout_whose_connection_was_cut_exists_once(
    mock: MockServer, run: Run, kind: Any
) -> None:
    """Its nonce stays the same, so the second attempt finds what the first one did."""
    before = opened(mock)
    mock.faults.create(CHECKOUTS, kind, times=1)
    _, attempts = run("merchant", create_checkout)
    assert (attempts, opened(mock) - before) == (2, 1)


@pytest.mark.parametrize("kind", ["cut_before_effect", "cut_after_effect"])
def test_a_call_that_is_not_safe_to_repeat_is_sent_once(
    mock: MockServer, run: Run, kind: Any
) -> None:
    """A payout run has no key: the cut is the caller's to judge."""
    fault = mock.faults.create("POST /v1/admin/payouts/run-mock", kind)
    with pytest.raises(TransportError):
        run("admin", lambda client: client.operations.run_payouts(currency="JPY"))
    assert mock.faults.get(fault.fault_id).seen == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_refusal_is_waited_out(mock: MockServer, run: Run, status: Any) -> None:
    """The answer comes with the next attempt."""
    mock.faults.create(SUMMARY, "status", status=status, times=2)
    result, attempts = run("provider", summary)
    assert (result.role, attempts) == ("provider", 3)


def test_a_refusal_that_stays_is_raised(mock: MockServer, run: Run) -> None:
    """After the last attempt, with what the server asked for."""
    fault = mock.faults.create(SUMMARY, "status", status=429, retry_after=7)
    with pytest.raises(RateLimited) as caught:
        run("provider", summary)
    assert caught.value.retry_after == 7.0
    assert mock.faults.get(fault.fault_id).seen == 3


def test_an_unsafe_call_is_not_repeated_after_a_refusal(mock: MockServer, run: Run) -> None:
    """A 503 may have had its effect."""
    fault = mock.faults.create("POST /v1/admin/payouts/run-mock", "status", status=503)
    with pytest.raises(ServerError):
        run("admin", lambda client: client.operations.run_payouts(currency="JPY"))
    assert mock.faults.get(fault.fault_id).seen == 1


def test_a_slow_answer_is_asked_for_again(mock: MockServer, run: Run) -> None:
    """One late answer is a timeout, and the next attempt isn't late."""
    mock.faults.create(SUMMARY, "latency", ms=400, times=1)
    result, attempts = run("provider", summary, timeout=0.15)
    assert (result.role, attempts) == ("provider", 2)


def test_a_server_that_stays_slow_is_a_timeout(mock: MockServer, run: Run) -> None:
    """The total time bounds what attempts alone would not."""
    mock.faults.create(SUMMARY, "latency", ms=250)
    with pytest.raises(RequestTimeout):
        run("provider", summary, retries=RetryPolicy(attempts=9, total_seconds=0.2))


def test_malformed_json_is_a_decode_error(mock: MockServer, run: Run) -> None:
    """Half an answer is no answer, and isn't asked for again."""
    fault = mock.faults.create(SUMMARY, "malformed")
    with pytest.raises(DecodeError, match="not JSON"):
        run("provider", summary)
    assert mock.faults.get(fault.fault_id).seen == 1


@pytest.mark.parametrize("kind", ["malformed", "cut_after_effect"])
def test_a_cut_file_is_no_file(mock: MockServer, run: Run, tmp_path: Path, kind: Any) -> None:
    """A download that broke off leaves nothing; the next one is whole and verifies."""
    batch, _ = run("provider", lambda client: first_batch(client))
    mock.faults.create(CSV, kind, times=1)
    path = tmp_path / "usage.csv"

    def save(client: Any) -> Any:
        rows = client.provider_statements.usage_csv(batch.settlement_batch_id, verify=True)
        return rows.save(path)

    with pytest.raises((TransportError, DecodeError)):
        run("provider", save)
    assert list(tmp_path.iterdir()) == []
    run("provider", save)
    assert len(path.read_text().splitlines()) == 41


def test_rows_of_a_cut_file_end_with_an_error(mock: MockServer, run: Run) -> None:
    """Who iterates sees the rows that came, and then that it wasn't all."""
    batch, _ = run("provider", lambda client: first_batch(client))
    mock.faults.create(CSV, "cut_after_effect")
    seen: list[Any] = []

    async def read_async(client: Any) -> None:
        async with client.provider_statements.usage_csv(batch.settlement_batch_id) as rows:
            async for row in rows:
                seen.append(row)  # noqa: PERF401 - what came before the cut is what counts

    def read(client: Any) -> Any:
        if isinstance(client, AsyncClient):
            return read_async(client)
        with client.provider_statements.usage_csv(batch.settlement_batch_id) as rows:
            seen.extend(rows)
        return None

    with pytest.raises(TransportError):
        run("provider", read)
    assert 0 < len(seen) < 40


def first_batch(client: Any) -> Any:
    page = client.provider_statements.settlement_batches(limit=1)
    if not inspect.isawaitable(page):
        return page.items[0]

    async def first() -> Any:
        return (await page).items[0]

    return first()
