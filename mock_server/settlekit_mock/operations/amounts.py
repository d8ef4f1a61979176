"""How amounts are named on the operator's wire.

A USD wallet's amounts are fields ending in ``_usd``. A wallet in another currency has the
same fields without the ending, beside ``currency``.
"""

from typing import Any

from msgspec import Meta

from settlekit_mock.http.wire import Currency, positive_units
from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.problems import Invalid


def amounts(currency: str, **units: int) -> dict[str, Any]:
    """Name amounts by their currency: what to add to an answer."""
    if currency == "USD":
        return {f"{name}_usd": major_text(amount) for name, amount in units.items()}
    return {"currency": currency} | {name: major_text(amount) for name, amount in units.items()}


def two_shapes(*names: str) -> Meta:
    """Describe that an answer's amounts come in one of the two shapes."""
    in_usd = [f"{name}_usd" for name in names]
    forms = ({"required": in_usd}, {"required": ["currency", *names]})
    return Meta(extra_json_schema={"oneOf": list(forms)})


def asked_amount(
    name: str, usd: str | None, other: str | None, currency: Currency | None
) -> tuple[Currency, int | None]:
    """Read the currency and amount of a body that says ``…_usd``, or the bare name and currency.

    The amount is ``None`` where neither is said. Raises ``Invalid`` for both at once, and for
    a bare amount without a currency.
    """
    if usd is not None:
        if other is not None or currency is not None:
            raise Invalid(f"{name}_usd: give it alone, or {name} and currency instead")
        return "USD", positive_units(usd, f"{name}_usd")
    if other is None:
        return currency or "USD", None
    if currency is None:
        raise Invalid(f"currency: {name} needs its currency")
    return currency, positive_units(other, name)
