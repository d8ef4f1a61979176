"""Buyers, and what they pay."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    initialize,
    multiple,
    precondition,
    rule,
)

from tests.machine.calendar import DAY, HOUR, MINUTE, next_midnight
from tests.machine.draws import (
    CAPS,
    COUNTS,
    CURRENCIES,
    FUNDS,
    MONTHLY,
    MOST_BUYERS,
    PASTS,
    PRICES,
    SHOPS,
    SLOTS,
    SPARED,
    STANDARD,
    VAULT,
    WEEKLY,
    ZONES,
)
from tests.machine.records import THRESHOLD, Buyer, band_of
from tests.machine.world import World, tokens


class Buying(World):
    """Makes and changes buyers, and has them pay: metered, in bulk, over a time, at checkouts."""

    buyers: Bundle[str] = Bundle("buyers")

    # -- buyers ----------------------------------------------------------------------------------

    @initialize(
        target=buyers,
        zone=ZONES,
        weekly=WEEKLY,
        monthly=MONTHLY,
        caps=st.sampled_from(({}, {}, {"day": 3_000})),
        shop=st.sampled_from(SHOPS),
        count=COUNTS,
        pasts=st.tuples(PASTS, PASTS),
    )
    def rich_buyers(
        self,
        zone: str,
        weekly: dict[str, int],
        monthly: dict[str, int],
        caps: dict[str, int | None],
        shop: str,
        count: int,
        pasts: tuple[str, str],
    ) -> MultipleResults[str]:
        """Begin with two who have paid, and with what became of it: no run is idle then."""
        plenty = {"JPY": 1_000_000, "USD": 1_000_000}
        made: list[str] = []
        for past in pasts:
            buyer = self._buyer(zone, weekly, monthly, plenty, plenty, vault=True, caps=caps)
            self._pay(buyer, shop, "JPY", 100, count, 0)
            self.live_through(past, buyer)
            made.append(buyer)
        return multiple(*made)

    @precondition(lambda self: len(self.model.buyers) < MOST_BUYERS)
    @rule(
        target=buyers,
        zone=ZONES,
        weekly=WEEKLY,
        monthly=MONTHLY,
        balances=st.fixed_dictionaries({"JPY": FUNDS, "USD": FUNDS}),
        allowances=st.fixed_dictionaries({"JPY": FUNDS, "USD": FUNDS}),
        vault=VAULT,
        caps=st.one_of(st.just({}), CAPS),
    )
    def make_buyer(
        self,
        zone: str,
        weekly: dict[str, int],
        monthly: dict[str, int],
        balances: dict[str, int],
        allowances: dict[str, int],
        vault: bool,
        caps: dict[str, int | None],
    ) -> str:
        return self._buyer(zone, weekly, monthly, balances, allowances, vault=vault, caps=caps)

    def _buyer(
        self,
        zone: str,
        weekly: dict[str, int],
        monthly: dict[str, int],
        balances: dict[str, int],
        allowances: dict[str, int],
        *,
        vault: bool,
        caps: dict[str, int | None],
    ) -> str:
        buyer_id = f"b{len(self.model.buyers) + 1}"
        self.mock.buyers.create(
            buyer_id=buyer_id,
            timezone=zone,
            weekly_slot=weekly,
            monthly_slot=monthly,
            balances=tokens(balances),
            allowances=tokens(allowances),
            vault_active=vault,
            caps=given(caps),
        )
        self.model.buyers[buyer_id] = Buyer(
            buyer_id,
            zone,
            weekly,
            monthly,
            vault,
            dict(caps),
            {currency: Decimal(amount) for currency, amount in balances.items()},
            {currency: Decimal(amount) for currency, amount in allowances.items()},
        )
        self.catch_up()
        return buyer_id

    @rule(
        buyer=buyers,
        funds=st.one_of(st.none(), st.tuples(CURRENCIES, FUNDS, st.booleans())),
        slots=st.one_of(st.none(), st.tuples(WEEKLY, MONTHLY)),
        limits=st.one_of(st.none(), st.tuples(VAULT, st.one_of(st.just({}), CAPS))),
    )
    def change_buyer(self, buyer: str, funds: Any, slots: Any, limits: Any) -> None:
        """Change what a buyer has, when periods close (the next ones), what is let through."""
        known = self.model.buyers[buyer]
        changes: dict[str, Any] = {}
        if funds is not None:
            currency, amount, of_balance = funds
            changes["balances" if of_balance else "allowances"] = tokens({currency: amount})
            (known.balance if of_balance else known.allowance)[currency] = Decimal(amount)
        if slots is not None:
            changes |= dict(zip(SLOTS, slots, strict=True))
            known.weekly, known.monthly = slots
        if limits is not None:
            known.vault, known.caps = limits
            changes |= {"vault_active": known.vault, "caps": given(known.caps)}
        self.mock.buyers.update(buyer, **changes)
        self.catch_up()

    # -- payments --------------------------------------------------------------------------------

    @rule(
        buyer=buyers,
        shop=st.sampled_from(SHOPS),
        currency=CURRENCIES,
        count=COUNTS,
        over=st.sampled_from((0, 0, HOUR, DAY, 9 * DAY)),
        data=st.data(),
    )
    def pay(
        self, buyer: str, shop: str, currency: str, count: int, over: int, data: st.DataObject
    ) -> None:
        """Pay at once, or evenly over a time, in which things fall due."""
        amount_minor = data.draw(PRICES[currency], label="amount_minor")
        self._pay(buyer, shop, currency, amount_minor, count, over)

    @precondition(lambda self: self.unsettled())
    @rule(count=COUNTS, data=st.data())
    def pay_once_more(self, count: int, data: st.DataObject) -> None:
        """Pay where something is owed already: paused or not, its buyer buys on."""
        batch = self.model.batches[data.draw(st.sampled_from(self.unsettled()), label="batch")]
        buyer, owner, currency, _ = batch.period.key
        shop = next(shop for shop in SHOPS if self.model.owners[shop] == owner)
        self._pay(buyer, shop, currency, int(batch.period.rows[-1][1]), count, 0)

    def _pay(
        self, buyer: str, shop: str, currency: str, amount_minor: int, count: int, over: int
    ) -> None:
        answer = self.mock.usage(
            buyer,
            merchant=shop,
            amount_minor=amount_minor,
            currency=currency,
            count=count,
            over=over / 1000 if over else None,
        )
        self.catch_up()
        refused = sum(answer.refused.values())
        assert answer.accepted + refused == count
        assert self.model.told.get("payment.accepted", 0) == answer.accepted
        assert self.model.told.get("payment.refused", 0) == refused

    @precondition(lambda self: self.model.open)
    @rule(more=st.sampled_from((0, 0, 1)), data=st.data())
    def reach_the_threshold(self, more: int, data: st.DataObject) -> None:
        """Pay exactly what is missing until a period closes, or one payment more."""
        accruing = sorted(key for key in self.model.open if key[3] == "micro")
        if not accruing:
            return
        buyer, owner, currency, _ = key = data.draw(st.sampled_from(accruing), label="scope")
        missing = int(THRESHOLD - self.model.open[key].gross)
        shop = next(shop for shop in SHOPS if self.model.owners[shop] == owner)
        self._pay(buyer, shop, currency, 100, -(-missing // 100) + more, 0)

    @precondition(lambda self: self.capped())
    @rule(shop=st.sampled_from(SHOPS), zone=st.sampled_from(("own", "UTC")), data=st.data())
    def pay_around_midnight(self, shop: str, zone: str, data: st.DataObject) -> None:
        """Use up a day's cap just before midnight, the buyer's or Greenwich's, and begin again."""
        self._pay_around_midnight(
            data.draw(st.sampled_from(self.capped()), label="buyer"), shop, zone
        )

    def _pay_around_midnight(self, buyer: str, shop: str, zone: str) -> None:
        known = self.model.buyers[buyer]
        midnight = next_midnight(self.now, known.zone if zone == "own" else zone)
        self.pass_time(midnight - MINUTE - self.now)
        for _ in range(2):
            self._pay(buyer, shop, "JPY", 300, int(known.caps["day"] or 0) // 300 + 1, 0)
            self.pass_time(2 * MINUTE)

    def capped(self) -> list[str]:
        """Return the buyers who may spend only so much a day."""
        return sorted(name for name, buyer in self.model.buyers.items() if buyer.caps.get("day"))

    @precondition(lambda self: self.model.open)
    @rule(shop=st.sampled_from(SHOPS), data=st.data())
    def spend_what_is_reserved(self, shop: str, data: st.DataObject) -> None:
        """Ask at a checkout for more than what is reserved leaves, and less than there is."""
        buyer, _, currency, _ = data.draw(st.sampled_from(sorted(self.model.open)), label="scope")
        self._check_out(buyer, shop, currency, max(int(self.model.free(buyer, currency)) + 1, 1))

    @rule(buyer=buyers, shop=st.sampled_from(SHOPS), currency=CURRENCIES, data=st.data())
    def check_out(self, buyer: str, shop: str, currency: str, data: st.DataObject) -> None:
        """Pay at a checkout: a price of any band, or all that is left, or a yen or cent more."""
        left = int(self.model.free(buyer, currency))
        edges = [left + 1] if left > SPARED else [left, left + 1]
        prices = PRICES[currency] | STANDARD[currency] | st.sampled_from(edges)
        amount_minor = data.draw(prices, label="amount_minor")
        self._check_out(buyer, shop, currency, max(amount_minor, 1))

    def _check_out(self, buyer: str, shop: str, currency: str, amount_minor: int) -> None:
        self.sessions += 1
        opened = self.ask(
            "/v1/sdrp/direct-payments/checkout-sessions",
            self.tokens[self.model.owners[shop]],
            merchant=shop,
            amount_minor=amount_minor,
            currency=currency,
            nonce=f"n{self.sessions}",
            success_url="http://localhost:3000/ok",
            cancel_url="http://localhost:3000/no",
        )
        assert opened.status_code == 201, opened.text
        path = f"/sandbox/checkout-sessions/{opened.json['data']['session_id']}/confirm"
        expected = self.model.verdict(buyer, shop, amount_minor, currency, self.now)
        answer = self.ask(path, buyer=buyer)
        self.catch_up()
        if expected != "accepted":
            assert answer.json["error"]["code"] == expected
            return
        assert answer.status_code == 200, answer.text
        metered = band_of(amount_minor, currency) != "standard"
        kind = "payment.accepted" if metered else "payment.settled"
        assert self.model.told[kind] == 1
        again = self.ask(path, buyer=buyer)
        self.catch_up()
        assert again.json["data"] == answer.json["data"]
        assert kind not in self.model.told


def given(caps: dict[str, int | None]) -> dict[str, int]:
    """Leave out the caps that aren't there."""
    return {name: cap for name, cap in caps.items() if cap is not None}
