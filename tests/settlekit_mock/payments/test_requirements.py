"""What an agent asks for: a requirement of a challenge, once, by who may."""

from typing import Any

import pytest

from settlekit.challenge import (
    challenge_hash,
    request_hash,
    request_hash_v2,
    sign,
    sign_recurring,
)
from settlekit_mock.http.tables import add_token
from settlekit_mock.kernel.problems import NotFound
from settlekit_mock.kernel.times import MINUTE
from settlekit_mock.kernel.world import World
from settlekit_mock.payments.merchants import change_merchant, create_merchant
from settlekit_mock.payments.requirements import Asked, ask
from tests.settlekit_mock.payments.agent import TERMS, Agent, secret_of, stranger_of
from tests.settlekit_mock.payments.conftest import NOW, SHOP, Api, data, journal, refused


@pytest.fixture
def agent(api: Api, world: World) -> Agent:
    return Agent(api, world)


@pytest.fixture
def stranger(api: Api, world: World) -> Agent:
    return stranger_of(api, world)


def merchant_is(world: World, **changes: object) -> None:
    with world.transaction() as tx:
        change_merchant(tx, SHOP, changes)


def test_a_requirement_says_all_there_is(agent: Agent) -> None:
    """A new requirement names its terms, its hashes, its merchant and what there is to sign."""
    made = agent.ask(metadata={"order": 1})
    proof = agent.challenge()
    request = {**TERMS, "challenge": proof}
    prepared = made.pop("transaction_request")
    listing = made.pop("listing_id")
    assert listing.startswith("lst_")
    assert made.pop("requirement_hash").startswith("sha256:")
    assert made.pop("siglume_signature").startswith("v1=")
    assert made == {
        "id": made["id"],
        "requirement_id": made["id"],
        "direct_payment_requirement_id": made["id"],
        "mode": "external_402",
        "merchant": SHOP,
        "challenge_hash": challenge_hash(proof),
        "buyer_user_id": "sandbox_buyer",
        "product_listing_id": listing,
        "capability_key": f"external_402.{SHOP}",
        "request_hash": request_hash(**request),
        "request_hash_v2": request_hash_v2(**request),
        "token_symbol": "JPYC",
        "currency": "JPY",
        "amount_minor": 1200,
        "fee_bps": 180,
        "pricing_band": "standard",
        "settlement_cadence": "per_payment",
        "finality": "per_payment_onchain",
        "protocol_fee_minor": None,
        "settlement_status": "pending_payment",
        "status": "requires_payment",
        "expires_at": "2026-03-02T09:30:00.000Z",
        "confirmed_at": None,
        "spent_at": None,
        "agent_id": None,
        "access_grant_id": None,
        "buyer_confirmation": None,
        "chain_receipt_id": None,
        "approve_transaction_request": None,
        "non_custodial": True,
        "metadata_jsonb": {"order": 1},
        "created_at": "2026-03-02T09:00:00.000Z",
        "updated_at": "2026-03-02T09:00:00.000Z",
    }
    assert made["id"].startswith("dpr_")
    assert (prepared["network"], prepared["chain_id"], prepared["value"]) == ("polygon", 137, "0")
    assert all(prepared[name].startswith("0x") for name in ("from", "to", "data"))
    assert prepared["metadata_jsonb"]["requirement_id"] == made["id"]
    assert agent.get(made)["transaction_request"] == prepared


@pytest.mark.parametrize(
    ("amount_minor", "currency", "expected"),
    [
        (49, "JPY", ("nano", "monthly", "aggregated_onchain_settlement", "0.2", None)),
        (50, "JPY", ("micro", "weekly", "aggregated_onchain_settlement", "2", None)),
        (501, "JPY", ("standard", "per_payment", "per_payment_onchain", None, 180)),
        (30, "USD", ("nano", "monthly", "aggregated_onchain_settlement", "0.1", None)),
        (301, "USD", ("standard", "per_payment", "per_payment_onchain", None, 180)),
    ],
)
def test_bands(
    agent: Agent, amount_minor: int, currency: str, expected: tuple[object, ...]
) -> None:
    """The amount alone chooses a requirement's band, and with it cadence, finality and fee."""
    made = agent.ask(amount_minor=amount_minor, currency=currency)
    names = ("pricing_band", "settlement_cadence", "finality", "protocol_fee_minor", "fee_bps")
    assert tuple(made[name] for name in names) == expected


def test_a_metered_payment_prepares_another_call(agent: Agent) -> None:
    """What a metered requirement has signed isn't the call that moves money."""
    calls = [
        agent.ask(amount_minor=amount)["transaction_request"]["data"][:10]
        for amount in (20, 100, 1200)
    ]
    assert calls[0] == calls[1] != calls[2]


def test_terms_are_normalised(agent: Agent) -> None:
    """White space and case of merchant, currency, token and challenge don't count."""
    plain = agent.ask(token_symbol="JPYC")
    proof = f" {agent.challenge()} "
    spelt = {"merchant": " Sandbox_Merchant ", "currency": " jpy ", "token_symbol": " jpyc "}
    assert agent.ask(challenge=proof, **spelt) == plain


@pytest.mark.both_databases
def test_same_challenge_same_buyer(agent: Agent, world: World) -> None:
    """The same challenge from the same buyer answers the same requirement, made once."""
    first = agent.ask(metadata={"try": 1})
    assert agent.ask(metadata={"try": 2}, allowance_amount_minor=5000) == first
    assert journal(world, "requirement.") == ["requirement.created"]


@pytest.mark.both_databases
def test_same_challenge_another_buyer(agent: Agent, stranger: Agent) -> None:
    """A challenge that one buyer has used is refused to every other, paid or not."""
    agent.ask()
    expected = (409, "EXTERNAL_402_CHALLENGE_ALREADY_USED")
    assert refused(stranger.request()) == expected
    agent.pay(agent.ask())
    assert refused(stranger.request()) == expected


def test_an_expired_challenge_stays_used(agent: Agent, stranger: Agent, world: World) -> None:
    """An unpaid challenge that is over isn't free again: a new attempt needs a new one."""
    first = agent.ask()
    world.due.advance(NOW + 30 * MINUTE)
    again = agent.ask()
    assert (again["id"], again["status"]) == (first["id"], "expired")
    assert refused(stranger.request()) == (409, "EXTERNAL_402_CHALLENGE_ALREADY_USED")


@pytest.mark.parametrize("challenge", [None, "", "  "])
def test_challenge_required(agent: Agent, challenge: str | None) -> None:
    """Without a challenge there is no requirement."""
    answer = agent.request(challenge=challenge)
    assert refused(answer) == (422, "EXTERNAL_402_CHALLENGE_REQUIRED")


def recurring(secret: str) -> str:
    return sign_recurring(secret=secret, cadence="monthly", nonce="n", **TERMS)


@pytest.mark.parametrize(
    "forge",
    [
        lambda secret: sign(secret="whsec_other", nonce="n", **TERMS),
        lambda secret: sign(secret=secret, nonce="n", **{**TERMS, "amount_minor": 1201}),
        lambda secret: sign(secret=secret, nonce="n", **{**TERMS, "currency": "USD"}),
        lambda secret: sign(secret=secret, nonce="n", **{**TERMS, "merchant": "other_shop"}),
        recurring,
        lambda secret: recurring(secret).replace("recurring-v1", "v1"),
        lambda secret: sign(secret=secret, nonce="n", **TERMS).replace(":n:", ":m:"),
        lambda secret: sign(secret=secret, nonce="n", **TERMS).replace(":n:", ": n:"),
        lambda secret: sign(secret=secret, nonce="n", **TERMS).upper(),
        lambda secret: sign(secret=secret, nonce="n", **TERMS) + "0",
        lambda secret: "not a challenge",
    ],
    ids=[
        "another secret",
        "another amount",
        "another currency",
        "another merchant",
        "recurring scheme",
        "recurring signature",
        "another nonce",
        "nonce not in its normal form",
        "upper case",
        "too long a signature",
        "no challenge at all",
    ],
)
def test_challenges_that_prove_nothing(agent: Agent, world: World, forge: Any) -> None:
    """Only the merchant's own one-time signature over these very terms is a proof."""
    answer = agent.request(challenge=forge(secret_of(world)))
    assert refused(answer) == (422, "INVALID_EXTERNAL_402_CHALLENGE")
    assert journal(world, "requirement.") == []


def test_a_challenge_of_another_merchant_of_the_same_secret_holder(
    agent: Agent, world: World
) -> None:
    """A challenge of one merchant proves nothing for another, though one person owns both."""
    with world.transaction() as tx:
        create_merchant(tx, "other_shop")
    answer = agent.request(merchant="other_shop", challenge=agent.challenge())
    assert refused(answer) == (422, "INVALID_EXTERNAL_402_CHALLENGE")


def test_a_rotated_secret_proves_nothing_more(agent: Agent, api: Api) -> None:
    """Old challenges are refused from the rotation on; a requirement made before goes on."""
    old = agent.challenge()
    made = agent.ask(challenge=old)
    data(api.post(f"merchants/{SHOP}/challenge-secret/rotate"))
    assert refused(agent.request(challenge=old)) == (422, "INVALID_EXTERNAL_402_CHALLENGE")
    assert agent.pay(made)["status"] == "confirmed"
    assert agent.ask("order-2")["status"] == "requires_payment"


def test_unknown_merchant(agent: Agent) -> None:
    """There is no requirement of a merchant that doesn't exist."""
    answer = agent.request(merchant="nobody", challenge=agent.challenge())
    assert refused(answer) == (404, "EXTERNAL_402_MERCHANT_NOT_FOUND")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("setup_required", "EXTERNAL_402_MERCHANT_BILLING_SETUP_REQUIRED"),
        ("past_due", "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE"),
        ("suspended", "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED"),
    ],
)
def test_billing_forbids_new_requirements(
    agent: Agent, world: World, status: str, code: str
) -> None:
    """Where billing isn't active nothing new is asked for; what was asked can be paid."""
    made = agent.ask()
    merchant_is(world, billing_status=status)
    assert refused(agent.request("order-2")) == (409, code)
    assert agent.ask() == made
    assert agent.pay(made)["status"] == "confirmed"


def test_usd_needs_terms(agent: Agent, world: World) -> None:
    """A merchant that hasn't agreed terms for USD is asked for nothing in it."""
    merchant_is(world, usd_terms_agreed=0)
    assert refused(agent.request(currency="USD")) == (409, "USD_TERMS_REQUIRED")
    assert agent.ask()["currency"] == "JPY"


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "metered_settlement_batch"},
        {"amount_minor": 0},
        {"amount_minor": True},
        {"amount_minor": "1200"},
        {"amount_minor": 92_233_720_369},
        {"currency": "EUR"},
        {"token_symbol": "USDC"},
        {"token_symbol": "WETH"},
        {"allowance_amount_minor": 1199},
        {"allowance_amount_minor": 92_233_720_369},
        {"challenge": "x" * 1025},
        {"challenge": 7},
        {"metadata": []},
    ],
    ids=str,
)
def test_invalid_terms(agent: Agent, world: World, change: dict[str, object]) -> None:
    """Terms that can't be paid are 422, whatever the challenge, and nothing is written."""
    answer = agent.request(**{"challenge": agent.challenge(), **change})
    assert refused(answer) == (422, "INVALID_REQUEST")
    assert journal(world, "requirement.") == []


def test_a_currency_the_merchant_does_not_take(agent: Agent, world: World) -> None:
    """A requirement is in one of the merchant's own currencies."""
    merchant_is(world, allowed_currencies=["JPY"])
    assert refused(agent.request(currency="USD")) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize("token", [None, "sandbox_merchant_token", "cli_buyer", "nobody"])
def test_only_buyers_ask(api: Api, world: World, token: str | None) -> None:
    """The routes are a buyer's: no other token opens them."""
    status = Agent(api, world, token).request().status_code
    assert status == (403 if token == "sandbox_merchant_token" else 401)


def test_a_buyer_must_be_there(api: Api, world: World) -> None:
    """A token of somebody who has no account asks for nothing, nor does anybody for them."""
    with world.transaction() as tx:
        add_token(tx.connection, token="ghost", role="buyer", subject="ghost", created_at=NOW)
    ghost = Agent(api, world, "ghost")
    assert refused(ghost.request()) == (404, "BUYER_NOT_FOUND")
    asked = Asked(**TERMS, challenge=ghost.challenge())
    with pytest.raises(NotFound), world.transaction() as tx:
        ask(tx, "ghost", asked)
