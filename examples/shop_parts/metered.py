"""Single uses for agents: a signed challenge that asks for the price of one."""

from examples.shop_parts.account import Account
from examples.shop_parts.catalogue import LONGEST_ORDER_ID, Product
from settlekit import InvalidArgument
from settlekit.challenge import sign


def challenge_of_use(account: Account, product: Product, order_id: str) -> str:
    """Sign what one use costs; the order's number is the nonce, so asking twice asks once."""
    if len(order_id) > LONGEST_ORDER_ID:
        raise InvalidArgument("order_id", f"must have at most {LONGEST_ORDER_ID} characters")
    return sign(
        secret=account.challenge_secret or "",
        merchant=account.merchant,
        nonce=order_id,
        amount_minor=product.amount_minor,
        currency=product.currency,
    )


def payment_required(
    account: Account, product: Product, order_id: str, challenge: str
) -> dict[str, object]:
    """Return the body of the 402: what an agent hands to the platform to pay for the use."""
    return {
        "order_id": order_id,
        "mode": "external_402",
        "merchant": account.merchant,
        "amount_minor": product.amount_minor,
        "currency": product.currency,
        "challenge": challenge,
    }


def use_of(product: Product, order_id: str) -> dict[str, object]:
    """Return the goods."""
    return {"order_id": order_id, "product": product.name, "content": "♪"}
