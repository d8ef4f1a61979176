"""Money as people read it; metered amounts have parts of a yen or a cent."""

from decimal import Decimal


def money_text(amount_minor: Decimal | int, currency: str) -> str:
    """Return an amount in minor units as text: ¥2,400, ¥4.8, $9.00, $0.009."""
    amount = Decimal(amount_minor)
    if currency == "JPY":
        return f"¥{_plain(amount):,f}"
    major = amount / 100
    cents = major.quantize(Decimal("0.01"))
    return f"${cents if cents == major else _plain(major):,f}"


def _plain(amount: Decimal) -> Decimal:
    """Drop zeros behind the point."""
    whole = amount.to_integral_value()
    return whole if whole == amount else amount.normalize()
