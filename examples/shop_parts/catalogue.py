"""What the shop sells."""

from dataclasses import dataclass

from examples.shop_parts.money import money_text


@dataclass(frozen=True, slots=True)
class Product:
    """Something the shop sells, at a price in minor units."""

    product_id: str
    name: str
    amount_minor: int
    currency: str

    @property
    def price(self) -> str:
        """The price as people read it."""
        return money_text(self.amount_minor, self.currency)


CATALOGUE = (
    Product("piano-album", "Piano album, 12 pieces", 2400, "JPY"),
    Product("field-recordings", "Field recordings, one-off pack", 980, "JPY"),
    Product("drum-loops", "Drum loop pack", 900, "USD"),
    Product("page-scan", "Score, page scan", 80, "JPY"),
    Product("melody-look-up", "Melody look-up", 5, "JPY"),
)
PRODUCTS = {product.product_id: product for product in CATALOGUE}

NOT_FOUND = (
    "We don't have that",
    "There is no such page, product or order. The shop may have been started anew since.",
)
NO_CHECKOUT = (
    "Payments can't be taken right now",
    "Nothing was charged. Please try again in a few minutes.",
)
NO_ORDER_NUMBER = ("Bad request", "The form has no order number.")
ORDER_TAKEN = ("Conflict", "This order number was used for something else. Start again.")
LONGEST_ORDER_ID = 100


class OrderTaken(Exception):
    """The order number belongs to an order of something else."""
