"""Make and change those who act: buyers, and the tokens that stand for somebody."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from settlekit_mock.control.buyers import BuyerAnswer, Buyers
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

    def get(self, buyer_id: str) -> BuyerAnswer:
        """Read a buyer."""
        return self._calls.call(BuyerAnswer, "GET", f"buyers/{quote(buyer_id, safe='')}")

    def update(self, buyer_id: str, **changes: Any) -> BuyerAnswer:
        """Change a buyer; takes what ``create`` takes, but for id and token."""
        return self._calls.call(BuyerAnswer, "PATCH", f"buyers/{quote(buyer_id, safe='')}", changes)

    def all(self) -> list[BuyerAnswer]:
        """Read every buyer, oldest first."""
        return self._calls.call(Buyers, "GET", "buyers").items


class TokensDriver:
    """The mock's bearer tokens."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(self, *, role: str, subject: str, expires_at: datetime | str | None = None) -> str:
        """Make a token and return it."""
        body = {"role": role, "subject": subject, "expires_at": time_text(expires_at)}
        return self._calls.call(TokenAnswer, "POST", "tokens", body).token
