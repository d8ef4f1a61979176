"""What a provider must never read: who the buyer is."""

import json
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from settlekit_mock import MockServer
from tests.settlekit_mock.settlement.conftest import (
    MICRO_CLOSE,
    PROVIDER,
    Buyer,
    Provider,
    Shop,
)

CANARY = "canary.buyer-7f3a"
CANARY_TOKEN = "tok_canary_of_the_buyer"
SECRET_WORDS = re.compile(r"relayer|nonce|gas_|wallet|e-?mail|@|0x[0-9a-f]{6}", re.IGNORECASE)


@pytest.fixture
def canary(shop: Shop) -> Buyer:
    return shop.buyer(CANARY, token=CANARY_TOKEN)


def answers(provider: Provider) -> Iterator[str]:
    """Yield every answer that a provider can get, bodies and headers, refusals too."""
    paths = [f"{PROVIDER}/{name}" for name in ("summary", "usage-events", "settlement-batches")]
    for batch in provider.batches():
        path = f"{PROVIDER}/settlement-batches/{batch['settlement_batch_id']}"
        paths += [path, f"{path}/usage-events.csv"]
    for path in paths:
        response = provider.call(path)
        yield f"{response.text}{response.headers}"
    yield provider.call(f"{PROVIDER}/settlement-batches/{CANARY[:6]}").text


def planted(mock: MockServer) -> list[str]:
    """Return what stands for the buyer anywhere in the database."""
    query = text("SELECT account_id FROM ledger_accounts WHERE owner_id = :owner")
    with mock.world.snapshot() as connection:
        accounts = connection.execute(query, {"owner": CANARY}).scalars().all()
    return [CANARY, CANARY_TOKEN, *accounts]


@pytest.mark.parametrize("failures", [0, 1, 28])
def test_a_provider_never_reads_who_the_buyer_is(
    shop: Shop, canary: Buyer, provider: Provider, mock: MockServer, failures: int
) -> None:
    """No answer to a provider holds the buyer's id, token, wallet or address, settled or failed."""
    shop.sell(100, 3, buyer=CANARY)
    mock.simulate.debit_failure(times=failures)
    mock.clock.advance(to=MICRO_CLOSE)
    mock.clock.advance(days=5 if failures < 28 else 20)
    read = "\n".join(answers(provider))
    found = planted(mock)
    assert len(found) >= 4
    assert [secret for secret in found if secret in read] == []
    assert SECRET_WORDS.search(read) is None


def test_a_buyer_reads_nothing_of_others(shop: Shop, canary: Buyer, buyer: Buyer) -> None:
    """A buyer's statements hold the buyer's own usage alone."""
    shop.sell(100, buyer=CANARY)
    shop.sell(100)
    shop.settle()
    assert [len(buyer.usage()), len(buyer.batches())] == [1, 1]
    assert CANARY not in json.dumps([buyer.summary(), buyer.usage(), buyer.batches()])


def references(provider: Provider) -> list[str]:
    """Return the buyer's references of usage, oldest first."""
    return [event["buyer_period_ref"] for event in reversed(provider.usage())]


def test_a_buyers_reference_is_stable_within_a_period(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """Within a period one buyer's events, batch and CSV rows share a reference."""
    shop.sell(100, 2)
    shop.mock.clock.advance(hours=5)
    shop.sell(200)
    shop.settle()
    batch = provider.batch()
    rows = provider.rows(batch["settlement_batch_id"])
    found = {*references(provider), *(row["buyer_period_ref"] for row in rows)}
    assert found == {batch["buyer_period_ref"]}


def test_a_buyers_reference_changes_with_the_period(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """The next period of the same scope has another reference."""
    shop.sell(100)
    shop.mock.clock.advance(to=MICRO_CLOSE)
    shop.sell(100)
    first, second = references(provider)
    assert first != second


def test_references_tell_buyers_bands_and_providers_apart(
    shop: Shop, buyer: Buyer, provider: Provider, mock: MockServer
) -> None:
    """Nobody can join one buyer's usage over providers, or one provider's over bands, by it."""
    other = mock.merchants.create("other")
    assert other.token is not None
    shop.buyer("b2")
    shop.sell(100)
    shop.sell(5)
    shop.sell(100, buyer="b2")
    shop.sell(100, merchant="other")
    found = references(provider) + references(Provider(mock, other.token))
    assert len(set(found)) == 4


def test_a_reference_depends_on_the_servers_seed() -> None:
    """Two servers with other seeds call the same buyer differently."""
    found = set()
    for seed in (1, 2):
        with MockServer(seed=seed) as mock:
            Shop(mock).buyer()
            Shop(mock).sell(100)
            found.add(references(Provider(mock, "sandbox_provider_token"))[0])
    assert len(found) == 2
