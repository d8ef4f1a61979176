"""Make and change those who act: buyers, merchants, and the tokens that stand for somebody."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from settlekit_mock.control.buyers import BuyerAnswer, Buyers
from settlekit_mock.control.merchants import ControlMerchant, Merchants
from settlekit_mock.control.tokens import TokenAnswer
from settlekit_mock.driver.calls import Calls, time_text


class BuyersDriver:
    """The mock's buyers."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self,
        *,
        buyer_id: str | None = None,
        token: str | None = None,
        timezone: str | None = None,
        balances: dict[str, str] | None = None,
        allowances: dict[str, str] | None = None,
        vault_active: bool | None = None,
        caps: dict[str, int] | None = None,
        weekly_slot: dict[str, int] | None = None,
        monthly_slot: dict[str, int] | None = None,
    ) -> BuyerAnswer:
        """Make a buyer; balances and allowances are minor units by token."""
        body = {name: value for name, value in locals().items() if name != "self"}
        return self._calls.call(BuyerAnswer, "POST", "buyers", body)

    def get(self, buyer: BuyerAnswer | str) -> BuyerAnswer:
        """Read a buyer, by its id or by what is known of it."""
        return self._calls.call(BuyerAnswer, "GET", _one("buyers", _id_of(buyer)))

    def update(self, buyer: BuyerAnswer | str, **changes: Any) -> BuyerAnswer:
        """Change a buyer; takes what ``create`` takes, but for id and token."""
        return self._calls.call(BuyerAnswer, "PATCH", _one("buyers", _id_of(buyer)), changes)

    def all(self) -> list[BuyerAnswer]:
        """Read every buyer, oldest first."""
        return self._calls.call(Buyers, "GET", "buyers").items


class MerchantsDriver:
    """The mock's merchants."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self,
        merchant: str,
        *,
        token: str | None = None,
        merchant_user_id: str | None = None,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        checkout_allowed_origins: Sequence[str] | None = None,
        billing_plan: str | None = None,
        billing_currency: str | None = None,
        allowed_currencies: Sequence[str] | None = None,
        **further: Any,
    ) -> ControlMerchant:
        """Make a merchant that is ready for hosted checkout; further is what ``update`` takes."""
        named = {name: value for name, value in locals().items() if name not in ("self", "further")}
        return self._calls.call(ControlMerchant, "POST", "merchants", {**named, **further})

    def get(self, merchant: str) -> ControlMerchant:
        """Read a merchant, its secrets included."""
        return self._calls.call(ControlMerchant, "GET", _one("merchants", merchant))

    def update(self, merchant: str, **changes: Any) -> ControlMerchant:
        """Change a merchant: what it sets up itself, billing, mandate, terms, hosted checkout."""
        return self._calls.call(ControlMerchant, "PATCH", _one("merchants", merchant), changes)

    def all(self) -> list[ControlMerchant]:
        """Read every merchant, oldest first."""
        return self._calls.call(Merchants, "GET", "merchants").items


class TokensDriver:
    """The mock's bearer tokens."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(self, *, role: str, subject: str, expires_at: datetime | str | None = None) -> str:
        """Make a token and return it."""
        body = {"role": role, "subject": subject, "expires_at": time_text(expires_at)}
        return self._calls.call(TokenAnswer, "POST", "tokens", body).token


def _id_of(buyer: BuyerAnswer | str) -> str:
    return buyer if isinstance(buyer, str) else buyer.buyer_id


def _one(kind: str, name: str) -> str:
    return f"{kind}/{quote(name, safe='')}"
