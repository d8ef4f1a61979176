"""What a fresh server has: a merchant, a buyer, their tokens, and a webhook where one is named.

With these it stands in for the platform's own sandbox.
"""

from settlekit_mock.http.tables import add_token
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger import service as ledger
from settlekit_mock.payments.merchants import create_merchant
from settlekit_mock.settlement.buyers import NewBuyer, create_buyer

BUYER = "sandbox_buyer"
BUYER_TOKEN = "sandbox_buyer_token"
MERCHANT_TOKEN = "sandbox_merchant_token"
PROVIDER_TOKEN = "sandbox_provider_token"
SEEDED_TOKENS = frozenset({MERCHANT_TOKEN, PROVIDER_TOKEN, BUYER_TOKEN})
OPENING_CREDITS = 10 * MAJOR


def seed_world(world: World) -> None:
    """Write the sandbox's actors into a world in a transaction of their own."""
    with world.transaction() as tx:
        seed(tx)


def seed(tx: Transaction) -> None:
    """Write the sandbox's actors into a new world."""
    settings = tx.world.settings
    merchant = create_merchant(
        tx,
        settings.merchant,
        checkout_allowed_origins=(settings.origin,),
        webhook_url=settings.webhook_url,
        webhook_secret=settings.webhook_secret,
    )
    create_buyer(tx, NewBuyer(buyer_id=BUYER))
    _open_credits(tx)
    _add_tokens(tx, merchant.merchant_user_id)


def _open_credits(tx: Transaction) -> None:
    wallet = ledger.wallet(tx, owner_scope="end_user", owner_id=BUYER, currency="USD")
    outside = ledger.outside(tx, "USD")
    ledger.post(
        tx,
        "seed_opening_balance",
        [ledger.Leg(wallet, OPENING_CREDITS), ledger.Leg(outside, -OPENING_CREDITS)],
        subject=BUYER,
    )


def _add_tokens(tx: Transaction, merchant_user_id: str) -> None:
    for token, role, subject in (
        (MERCHANT_TOKEN, "merchant", merchant_user_id),
        (PROVIDER_TOKEN, "provider", merchant_user_id),
        (BUYER_TOKEN, "buyer", BUYER),
    ):
        add_token(tx.connection, token=token, role=role, subject=subject, created_at=tx.now)
