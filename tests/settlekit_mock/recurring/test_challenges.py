from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from settlekit_mock import seeding
from settlekit_mock.payments.merchants import create_merchant, rotate_challenge_secret
from settlekit_mock.payments.tables import merchant_named
from tests.settlekit_mock.payments.conftest import SHOP, data, refused
from tests.settlekit_mock.recurring.conftest import Shop

Redeem = Callable[..., TestResponse]
CADENCES = {"subscribe": "monthly", "authorize": "daily"}


@pytest.fixture(params=sorted(CADENCES))
def way(request: pytest.FixtureRequest) -> str:
    """Each of the two calls that redeem a recurring challenge."""
    return request.param


@pytest.fixture
def redeem(shop: Shop, way: str) -> Redeem:
    return getattr(shop, way)


@pytest.mark.parametrize("challenge", [None, "", "   "])
def test_required(shop: Shop, redeem: Redeem, challenge: str | None) -> None:
    """Without a challenge nothing recurring begins."""
    assert refused(redeem(challenge=challenge)) == (422, "EXTERNAL_402_CHALLENGE_REQUIRED")
    assert shop.payments() == 0


def test_another_cadence_is_invalid(shop: Shop, redeem: Redeem, way: str) -> None:
    """A challenge of the other cadence doesn't pass."""
    other = {"monthly": "daily", "daily": "monthly"}[CADENCES[way]]
    answer = redeem(challenge=shop.recurring(other))
    assert refused(answer) == (422, "INVALID_EXTERNAL_402_CHALLENGE")
    assert shop.payments() == 0


@pytest.mark.parametrize(
    "forged",
    [
        lambda shop, cadence: shop.one_time(),
        lambda shop, cadence: shop.recurring(cadence, amount_minor=979),
        lambda shop, cadence: shop.recurring(cadence, currency="USD"),
        lambda shop, cadence: shop.recurring(cadence, merchant="other"),
        lambda shop, cadence: shop.recurring(cadence)[:-1] + "g",
        lambda shop, cadence: shop.recurring(cadence).replace("setup-1", "setup-2"),
        lambda shop, cadence: "nonsense",
        lambda shop, cadence: "siglume-external-402-recurring-v1::" + "0" * 64,
        lambda shop, cadence: "é" * 1000,
    ],
    ids=["one-time", "amount", "currency", "merchant", "hex", "nonce", "form", "empty", "letters"],
)
def test_invalid(shop: Shop, redeem: Redeem, way: str, forged: Callable[[Shop, str], str]) -> None:
    """A challenge that the merchant didn't sign for these very terms is invalid."""
    answer = redeem(challenge=forged(shop, CADENCES[way]))
    assert refused(answer) == (422, "INVALID_EXTERNAL_402_CHALLENGE")
    assert shop.payments() == 0


def test_a_rotated_secret(shop: Shop, redeem: Redeem, way: str) -> None:
    """After a rotation the challenges that the old secret signed are refused."""
    old = shop.recurring(CADENCES[way])
    with shop.world.transaction() as tx:
        owner = merchant_named(tx.connection, SHOP).merchant_user_id
        rotate_challenge_secret(tx, owner, SHOP)
    assert refused(redeem(challenge=old)) == (422, "INVALID_EXTERNAL_402_CHALLENGE")
    assert data(redeem(), 201)


def test_another_buyer(shop: Shop, redeem: Redeem) -> None:
    """A challenge is its first buyer's: another's is refused, and pays nothing."""
    data(redeem(), 201)
    before = shop.payments()
    assert refused(redeem(token="other")) == (409, "EXTERNAL_402_CHALLENGE_ALREADY_USED")
    assert shop.payments() == before


def test_white_space_around_is_trimmed(redeem: Redeem, shop: Shop, way: str) -> None:
    """Challenge, merchant and currency are taken in any spelling that has the same normal form."""
    challenge = f"  {shop.recurring(CADENCES[way])} "
    made = data(redeem(challenge=challenge, currency=" jpy "), 201)
    assert data(redeem())["challenge_hash"] == made["challenge_hash"]


def test_unknown_merchant(redeem: Redeem) -> None:
    """An unknown merchant is told by its code."""
    answer = redeem(merchant="nobody")
    assert refused(answer) == (404, "EXTERNAL_402_MERCHANT_NOT_FOUND")


@pytest.mark.parametrize("status", ["setup_required", "past_due", "suspended"])
def test_merchant_billing(shop: Shop, status: str) -> None:
    """A merchant whose billing isn't in order gets no subscription, and the challenge stays free."""
    shop.change_merchant(billing_status=status)
    expected = f"EXTERNAL_402_MERCHANT_BILLING_{status.upper()}"
    assert refused(shop.subscribe()) == (409, expected)
    assert refused(shop.authorize()) == (409, expected)
    shop.change_merchant(billing_status="active")
    assert data(shop.subscribe(), 201)
    assert data(shop.authorize(), 201)


def test_usd_terms(shop: Shop, redeem: Redeem) -> None:
    """A merchant that hasn't agreed terms for USD sells nothing recurring in it."""
    shop.change_merchant(usd_terms_agreed=False)
    assert refused(redeem(currency="USD")) == (409, "USD_TERMS_REQUIRED")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 0},
        {"amount_minor": True},
        {"amount_minor": 2**53},
        {"amount_minor": 92_233_720_369},
        {"token_symbol": "USDC"},
        {"cadence": 7},
    ],
    ids=str,
)
def test_bad_terms(shop: Shop, way: str, changes: dict) -> None:
    """Terms that aren't valid are refused before anything is written."""
    challenge = shop.recurring(CADENCES[way])
    if changes == {"amount_minor": 92_233_720_369}:
        challenge = shop.recurring(CADENCES[way], **changes)
    terms = {"merchant": SHOP, "amount_minor": 980, "currency": "JPY", "challenge": challenge}
    paths = {
        "subscribe": "/sdrp/direct-payments/subscriptions",
        "authorize": "/account/auto-pay/scheduled-authorizations",
    }
    answer = shop.call("POST", paths[way], json={**terms, **changes})
    assert refused(answer) == (422, "INVALID_REQUEST")


def test_a_currency_the_merchant_does_not_take(shop: Shop, redeem: Redeem) -> None:
    """Only the merchant's own currencies are sold in."""
    with shop.world.transaction() as tx:
        create_merchant(tx, "yen_shop", allowed_currencies=("JPY",))
    answer = redeem(merchant="yen_shop", currency="USD", challenge="x")
    assert refused(answer) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (seeding.MERCHANT_TOKEN, (403, "FORBIDDEN")),
        ("nobody", (401, "UNAUTHORIZED")),
        ("cli_key", (401, "UNAUTHORIZED")),
    ],
)
def test_only_buyers(redeem: Redeem, token: str, expected: tuple[int, str]) -> None:
    """Only a buyer's token approves what recurs."""
    assert refused(redeem(token=token)) == expected
