"""The routes of wallets: a buyer's own, and an operator's test credit."""

from typing import Final

from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.kernel.money import major_text
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import to_text
from settlekit_mock.ledger.history import Line
from settlekit_mock.ledger.tables import OwnerScope
from settlekit_mock.operations.amounts import amounts, asked_amount
from settlekit_mock.operations.wallets import TEST_CREDIT_REASON, credit_test_balance, credits_of
from settlekit_mock.operations.wire import (
    Credit,
    Credited,
    CreditedFields,
    NoFields,
    UserWallet,
    WalletEntry,
)


def _user_wallet(request: Request) -> UserWallet:
    found = credits_of(request.world, request.caller.subject)
    return UserWallet(
        wallet_id=found.wallet.account_id,
        owner_scope=OwnerScope.END_USER,
        owner_id=request.caller.subject,
        wallet_balance_usd=major_text(found.balance),
        entries=[_entry(line) for line in found.lines],
    )


def _entry(line: Line) -> WalletEntry:
    return WalletEntry(
        transaction_id=line.transaction_id,
        direction="credit" if line.amount > 0 else "debit",
        amount_usd=major_text(abs(line.amount)),
        balance_before_usd=major_text(line.balance_before),
        balance_after_usd=major_text(line.balance_after),
        reason=line.reason,
        idempotency_key=line.idempotency_key,
        metadata=line.metadata,
        created_at=to_text(line.created_at),
    )


def _credit(request: Request) -> Credited:
    body: Credit = request.body
    currency, amount = asked_amount("amount", body.amount_usd, body.amount, body.currency)
    if amount is None:
        raise Invalid("amount_usd: say how much, or amount and currency for another wallet")
    with request.world.transaction() as tx:
        wallet, balance = credit_test_balance(
            tx,
            request.path["wallet_id"],
            currency=currency,
            amount=amount,
            actor=request.caller.subject,
        )
    return CreditedFields(
        wallet_id=wallet.account_id,
        owner_scope=OwnerScope(wallet.owner_scope or ""),
        owner_id=wallet.owner_id or "",
        **amounts(currency, amount=amount, wallet_balance=balance),
        reason=TEST_CREDIT_REASON,
    )


WALLET_ROUTES: Final = (
    Route(
        "GET",
        "/v1/user/wallet",
        Role.BUYER,
        _user_wallet,
        UserWallet,
        "Read one's own USD credits and their newest entries",
        query=NoFields,
        dialect=OPERATIONS,
    ),
    Route(
        "POST",
        "/v1/admin/wallets/<wallet_id>/credit-test-balance",
        Role.ADMIN,
        _credit,
        Credited,
        "Credit a wallet out of nothing, for rehearsals",
        body=Credit,
        dialect=OPERATIONS,
    ),
)
