"""Top-ups: a buyer's credits, paid for by card."""

from decimal import Decimal

from settlekit import _codec
from settlekit._calls import arguments
from settlekit._calls.call import Call, post
from settlekit.errors import InvalidArgument
from settlekit.models import TopUp

PATH = "/user/stripe/checkout-sessions"


def create(*, amount_usd: Decimal | str | int, success_url: str, cancel_url: str) -> Call[TopUp]:
    """Open a top-up."""
    text = arguments.major_units(amount_usd, "amount_usd")
    if text is None or Decimal(text) * 100 % 1:
        raise InvalidArgument("amount_usd", "must be a positive amount of whole cents")
    return post(
        PATH,
        _codec.one(TopUp),
        amount_usd=text,
        success_url=arguments.web_url(success_url, "success_url"),
        cancel_url=arguments.web_url(cancel_url, "cancel_url"),
    )
