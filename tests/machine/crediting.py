"""What operators and the card processor do to wallets, between settlements and payouts.

Credits are ``Decimal`` US dollars here; the model's wallets stay in minor units.
"""

from decimal import ROUND_DOWN, Decimal
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from werkzeug.test import TestResponse

from tests.machine.draws import CURRENCIES, MINOR_IN_MAJOR, PAYOUT_LIVES
from tests.machine.operating import Operating
from tests.machine.world import same

AMOUNTS = st.sampled_from(("0.00000001", "0.07", "1", "2.50000001", "40", "100000"))
CENTS = st.sampled_from((0, 1, 999, 2_500, -1, -700, 100_000))
PAID_CENTS = st.sampled_from((1, 250, 5_000))
KINDS = st.sampled_from(("adjustment", "refund", "chargeback"))
WAYS = st.sampled_from(("credit", "debit", "debit"))
SHARE = Decimal("0.4")
PLACES = Decimal("1e-8")


class Wallet(NamedTuple):
    """A wallet to be adjusted."""

    wallet_id: str
    scope: str
    owner_id: str
    currency: str


class TopUp(NamedTuple):
    """A card checkout that was begun."""

    session_id: str
    buyer_id: str
    cents: int


class Crediting(Operating):
    """Adjusts wallets, sets balances, sells credits, records usage."""

    def __init__(self) -> None:
        super().__init__()
        self.credits: dict[str, Decimal] = {"sandbox_buyer": Decimal(10)}
        self.paid_cents: dict[str, int] = {}
        self.answers: dict[str, tuple[str, dict[str, Any], bytes]] = {}
        self.pending: list[TopUp] = []
        self.credited: dict[str, TopUp] = {}
        self.uses: dict[str, bytes] = {}
        self.numbers = 0

    @initialize(
        cents=PAID_CENTS, amount=st.sampled_from(("0.07", "40")), end=st.sampled_from(PAYOUT_LIVES)
    )
    def one_of_each(self, cents: int, amount: str, end: tuple[str, ...]) -> None:
        """Begin with one of each of an operator's acts, so that no run is without."""
        self._set_balance("sandbox_buyer", 2_500)
        self._pay_top_up(self._begin_top_up(cents), 0)
        developer = min(self.tokens)
        self._use("sandbox_buyer", developer, "1")
        wallet = next(one for one in self.wallets() if one.owner_id == developer)
        self._adjust("refund", "credit", amount, wallet, keyed=True)
        self.pay_out("USD", end)

    # -- what is foretold ----------------------------------------------------------------------

    def held(self, wallet: Wallet) -> Decimal:
        """Return what a wallet holds, in major units."""
        if wallet.scope == "end_user":
            return self.credits.get(wallet.owner_id, Decimal(0))
        minor = self.model.wallets.get((wallet.owner_id, wallet.currency), Decimal(0))
        return minor / MINOR_IN_MAJOR[wallet.currency]

    def move(self, wallet: Wallet, amount: Decimal) -> None:
        if wallet.scope == "end_user":
            self.credits[wallet.owner_id] = self.held(wallet) + amount
        else:
            minor = amount * MINOR_IN_MAJOR[wallet.currency]
            self.model.credit(wallet.owner_id, wallet.currency, minor)

    def next_number(self) -> int:
        self.numbers += 1
        return self.numbers

    def wallets(self) -> list[Wallet]:
        found = self.rows(
            "SELECT account_id, owner_scope, owner_id, currency FROM ledger_accounts"
            " WHERE kind = 'wallet' AND owner_scope IN ('end_user', 'developer', 'platform')"
        )
        return sorted(Wallet(*row) for row in found)

    def everybody(self) -> list[str]:
        return ["sandbox_buyer", *sorted(self.model.buyers)]

    # -- adjustments ---------------------------------------------------------------------------

    @rule(kind=KINDS, way=WAYS, amount=AMOUNTS, keyed=st.booleans(), data=st.data())
    def adjust(self, kind: str, way: str, amount: str, keyed: bool, data: st.DataObject) -> None:
        """Credit or debit any wallet, with a key or without; never beyond what it holds."""
        wallet = data.draw(st.sampled_from(self.wallets()), label="wallet")
        self._adjust(kind, way, amount, wallet, keyed=keyed)

    def _adjust(self, kind: str, way: str, amount: str, wallet: Wallet, *, keyed: bool) -> None:
        body = {"kind": kind, "direction": way, "amount": amount, "currency": wallet.currency}
        if keyed:
            body["idempotency_key"] = f"k{self.next_number()}"
        signed = Decimal(amount) if way == "credit" else -Decimal(amount)
        before = self.held(wallet)
        answer = self._send_adjustment(wallet.wallet_id, body)
        if signed < 0 and before + signed < 0:
            assert (answer.status_code, answer.json["error"]["code"]) == (
                402,
                "insufficient_balance",
            )
            return
        assert answer.status_code == 201, answer.text
        self.move(wallet, signed)
        if keyed:
            self.answers[body["idempotency_key"]] = (wallet.wallet_id, body, answer.data)

    @precondition(lambda self: self.answers)
    @rule(other=st.sampled_from((None, None, "999")), data=st.data())
    def adjust_again(self, other: str | None, data: st.DataObject) -> None:
        """Send a key again: the first bytes, or for another payload a conflict; nothing moves."""
        key = data.draw(st.sampled_from(sorted(self.answers)), label="key")
        wallet_id, body, first = self.answers[key]
        answer = self._send_adjustment(
            wallet_id, body if other is None else {**body, "amount": other}
        )
        if other is None:
            assert (answer.status_code, answer.data) == (201, first)
        else:
            assert answer.json["error"]["code"] == "idempotency_key_reused"

    def _send_adjustment(self, wallet_id: str, body: dict[str, Any]) -> TestResponse:
        path = f"/v1/admin/wallets/{wallet_id}/adjustments"
        answer = self.ask(path, self.mock.token("admin"), **body)
        self.catch_up()
        return answer

    # -- balances and payments -----------------------------------------------------------------

    @rule(cents=CENTS, data=st.data())
    def set_a_balance(self, cents: int, data: st.DataObject) -> None:
        """Set a buyer's credits, below zero too; what was paid stays."""
        self._set_balance(data.draw(st.sampled_from(self.everybody()), label="sid"), cents)

    def _set_balance(self, sid: str, cents: int) -> None:
        answer = self.client.post(
            "/admin/balance-adjust",
            json={"sid": sid, "balance_cents": cents},
            headers={"X-Admin-Secret": "sandbox_admin_secret"},
        )
        self.catch_up()
        self.credits[sid] = Decimal(cents) / 100
        assert answer.json["new_balance"] == cents
        assert answer.json["lifetime_paid_cents"] == self.paid_cents.get(sid, 0)

    @rule(cents=PAID_CENTS, data=st.data())
    def receive_a_payment(self, cents: int, data: st.DataObject) -> None:
        """Record a payment of the other provider, twice."""
        sid = data.draw(st.sampled_from(self.everybody()), label="sid")
        said = {"amount_cents": cents, "currency": "TZS", "provider": "clickpesa"}
        reference = f"cp_{self.next_number()}"
        for _ in range(2):
            self.mock.payment_events.create(sid, external_ref=reference, **said)
        self.catch_up()
        self._paid(sid, cents)

    @rule(cents=PAID_CENTS)
    def begin_a_top_up(self, cents: int) -> None:
        """Open a card checkout: nothing is credited by that."""
        self._begin_top_up(cents)

    def _begin_top_up(self, cents: int) -> TopUp:
        answer = self.ask(
            "/v1/user/stripe/checkout-sessions",
            self.mock.token("buyer"),
            amount_usd=f"{cents / 100:.2f}",
            success_url="https://shop.example/ok",
            cancel_url="https://shop.example/no",
        )
        self.catch_up()
        assert answer.status_code == 201, answer.text
        top_up = TopUp(answer.json["checkout_session_id"], "sandbox_buyer", cents)
        self.pending.append(top_up)
        return top_up

    @precondition(lambda self: self.pending)
    @rule(more=st.sampled_from((0, 0, 1)), data=st.data())
    def pay_a_top_up(self, more: int, data: st.DataObject) -> None:
        """Let the processor say that a checkout was paid, with the right amount or another."""
        self._pay_top_up(data.draw(st.sampled_from(self.pending), label="top-up"), more)

    def _pay_top_up(self, top_up: TopUp, more: int) -> None:
        event_id = f"evt_{self.next_number()}"
        answer = self._deliver(event_id, top_up, more)
        if more:
            assert answer.status_code == 400, answer.text
            return
        assert answer.json["topup"]["status"] == "credited", answer.text
        self.pending.remove(top_up)
        self.credited[event_id] = top_up
        self._paid(top_up.buyer_id, top_up.cents)

    @precondition(lambda self: self.credited)
    @rule(same_event=st.booleans(), data=st.data())
    def deliver_again(self, same_event: bool, data: st.DataObject) -> None:
        """Let the processor repeat itself, by event or by session: nothing moves."""
        event_id = data.draw(st.sampled_from(sorted(self.credited)), label="event")
        other_id = event_id if same_event else f"evt_{self.next_number()}"
        answer = self._deliver(other_id, self.credited[event_id], 0)
        assert answer.json["topup"]["provider_event_id"] == event_id, answer.text
        assert "credited_wallet_balance_usd" not in answer.json["topup"]

    def _deliver(self, event_id: str, top_up: TopUp, more: int) -> TestResponse:
        session = {
            "id": top_up.session_id,
            "currency": "usd",
            "amount_total": top_up.cents + more,
        }
        kind = "checkout.session.completed"
        answer = self.ask("/v1/stripe/webhook", id=event_id, type=kind, data={"object": session})
        self.catch_up()
        return answer

    def _paid(self, buyer_id: str, cents: int) -> None:
        self.paid_cents[buyer_id] = self.paid_cents.get(buyer_id, 0) + cents
        self.credits[buyer_id] = self.credits.get(buyer_id, Decimal(0)) + Decimal(cents) / 100

    # -- usage ---------------------------------------------------------------------------------

    @rule(fee=AMOUNTS, again=st.booleans(), data=st.data())
    def use_a_model(self, fee: str, again: bool, data: st.DataObject) -> None:
        """Record a use for a fee, or one that was recorded before."""
        buyer_id = data.draw(st.sampled_from(self.everybody()), label="buyer")
        developer_id = data.draw(st.sampled_from(sorted(self.tokens)), label="developer")
        known = min(self.uses, default=None) if again else None
        self._use(buyer_id, developer_id, fee, known)

    def _use(self, buyer_id: str, developer_id: str, fee: str, known: str | None = None) -> None:
        request_id = known or f"req_{self.next_number()}"
        answer = self.ask(
            "/v1/admin/usage",
            self.mock.token("admin"),
            request_id=request_id,
            public_app_id=f"app_of_{developer_id}",
            developer_id=developer_id,
            buyer_id=buyer_id,
            feature_key="chat",
            route_mode="byok",
            provider="a_provider",
            model="a_model",
            fee_usd=fee,
        )
        self.catch_up()
        if known:
            assert (answer.status_code, answer.data) == (201, self.uses[request_id])
            return
        price, left = Decimal(fee), self.credits.get(buyer_id, Decimal(0))
        if left < price:
            assert answer.status_code == 402, answer.text
            return
        assert answer.status_code == 201, answer.text
        self.uses[request_id] = answer.data
        self._share_out(buyer_id, developer_id, price)

    def _share_out(self, buyer_id: str, developer_id: str, price: Decimal) -> None:
        channel = (price * SHARE).quantize(PLACES, ROUND_DOWN)
        self.credits[buyer_id] -= price
        self.move(Wallet("", "developer", developer_id, "USD"), channel)
        self.move(Wallet("", "platform", "platform", "USD"), price - channel)

    # -- after every step ----------------------------------------------------------------------

    @invariant()
    def buyers_hold_the_credits_they_bought(self) -> None:
        held = self.rows(
            "SELECT owner_id, balance FROM ledger_accounts"
            " WHERE kind = 'wallet' AND owner_scope = 'end_user'"
        )
        same(
            {owner: Decimal(units) / 10**8 for owner, units in held if units},
            {owner: amount for owner, amount in self.credits.items() if amount},
        )

    @rule(currency=CURRENCIES)
    def reconcile(self, currency: str) -> None:
        """Every wallet reconciles, whatever happened."""
        headers = {"Authorization": f"Bearer {self.mock.token('admin')}"}
        answer = self.client.get("/v1/admin/reconciliation/ledger", headers=headers)
        assert answer.json["summary"]["mismatch_count"] == 0, answer.text
        report = f"/v1/admin/reports/payouts.csv?currency={currency}"
        told = self.client.get(report, headers=headers).text.count("\r\n")
        made = [one for one in self.model.payouts.values() if one["currency"] == currency]
        assert told == 1 + len(made)
