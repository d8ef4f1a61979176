"""Wallets as operators see them: a buyer's own, adjustments, credits, balances set outright."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from settlekit import _codec
from settlekit._calls import arguments, terms
from settlekit._calls.call import Auth, Call, Root, get, post
from settlekit.errors import InvalidArgument
from settlekit.models import BalanceChange, Billing, Wallet, WalletAdjustment, WalletCredit
from settlekit.money import MAX_AMOUNT_MINOR

WALLETS = "/admin/wallets"
KINDS: Final = ("adjustment", "refund", "chargeback")
DIRECTIONS: Final = ("credit", "debit")


def wallet() -> Call[Wallet]:
    """Ask for the caller's own credits."""
    return get("/user/wallet", _codec.one(Wallet))


def adjust_wallet(
    wallet_id: str,
    *,
    kind: str,
    direction: str,
    amount_usd: Decimal | str | int | None = None,
    amount: Decimal | str | int | None = None,
    currency: str | None = None,
    reason: str | None = None,
    idempotency_key: str | None = None,
) -> Call[WalletAdjustment]:
    """Adjust, refund or charge back; its key applies once, so the call is safe to repeat."""
    call = post(
        f"{_path(wallet_id)}/adjustments",
        _codec.one(WalletAdjustment),
        kind=arguments.choice(kind, "kind", KINDS),
        direction=arguments.choice(direction, "direction", DIRECTIONS),
        **_amount(amount_usd, amount, currency),
        reason=arguments.bounded(reason, "reason", arguments.MAX_NOTE),
        idempotency_key=terms.idempotency_key(idempotency_key),
    )
    return attrs.evolve(call, repeatable=True)


def credit_test_balance(
    wallet_id: str,
    *,
    amount_usd: Decimal | str | int | None = None,
    amount: Decimal | str | int | None = None,
    currency: str | None = None,
) -> Call[WalletCredit]:
    """Credit a wallet out of nothing, for rehearsals."""
    return post(
        f"{_path(wallet_id)}/credit-test-balance",
        _codec.one(WalletCredit),
        **_amount(amount_usd, amount, currency),
    )


def set_balance(
    sid: str, *, balance_cents: int, admin_secret: str | None = None
) -> Call[BalanceChange]:
    """Set a customer's balance to so many cents."""
    if type(balance_cents) is not int or abs(balance_cents) > MAX_AMOUNT_MINOR:
        raise InvalidArgument("balance_cents", "must be a whole number of cents")
    call = post(
        "/admin/balance-adjust",
        _codec.one(BalanceChange),
        sid=arguments.required(sid, "sid"),
        balance_cents=balance_cents,
    )
    return attrs.evolve(call, **_beside_the_api(admin_secret))


def billing(sid: str, *, admin_secret: str | None = None) -> Call[Billing]:
    """Ask for a customer's balance and payments."""
    call = get(f"/admin/billing/{arguments.path_segment(sid, 'sid')}", _codec.one(Billing))
    return attrs.evolve(call, **_beside_the_api(admin_secret))


def _beside_the_api(admin_secret: str | None) -> dict[str, Any]:
    """Return how a route beside the API is called: with a secret, and never with the token."""
    if admin_secret is None:
        return {"root": Root.ORIGIN, "auth": Auth.ADMIN_SECRET}
    headers = {"x-admin-secret": terms.bearer(admin_secret, "admin_secret")}
    return {"root": Root.ORIGIN, "auth": Auth.NOBODY, "headers": headers}


def _amount(
    amount_usd: Decimal | str | int | None,
    amount: Decimal | str | int | None,
    currency: str | None,
) -> Mapping[str, str | None]:
    if (amount_usd is None) == (amount is None):
        raise InvalidArgument("amount_usd", "or amount with its currency must be given")
    if (amount is None) != (currency is None):
        raise InvalidArgument("currency", "goes with amount, which needs it")
    return {
        "amount_usd": arguments.major_units(amount_usd, "amount_usd"),
        "amount": arguments.major_units(amount, "amount"),
        "currency": arguments.currency(currency),
    }


def _path(wallet_id: str) -> str:
    return f"{WALLETS}/{arguments.path_segment(wallet_id, 'wallet_id')}"
