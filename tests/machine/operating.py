"""Time, what goes wrong in it, and what operators do about it."""

from decimal import Decimal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from settlekit_mock.driver import ControlError
from tests.machine.calendar import DAY
from tests.machine.draws import (
    CURRENCIES,
    FAILING,
    FAILURES,
    HELP,
    LACKING,
    MINOR_IN_MAJOR,
    MOVES,
    NEXT_STEPS,
    OFTEN,
    PAYOUT_LIVES,
    SPANS,
    STEPS,
    TIMES,
    WRONG,
)
from tests.machine.world import World, tokens


class Operating(World):
    """Moves the clock, lets things fail, moves batches and payouts."""

    # -- time ------------------------------------------------------------------------------------

    @rule(span=SPANS)
    def wait(self, span: int) -> None:
        self.pass_time(span)

    @rule()
    def wait_for_the_next(self) -> None:
        self.mock.clock.advance(until="next", limit=40 * DAY / 1000)
        self.catch_up()

    def live_through(self, past: str, buyer: str) -> None:
        if past == "new":
            return
        if past in ("lost", "found", "refused"):
            self.wish("unknown_outcome", "", buyer, 1, "")
        if past in FAILING:
            self.wish("debit_failure", "", buyer, 28, "ONCHAIN_FAILURE")
        if past == "redeliver_notice":
            self.wish("notice_failure", "", buyer, 25, "")
        if past in LACKING:
            self._take_away(past, buyer, "JPY")
        self.pass_time(3 * 7 * DAY)
        if past == "earned":
            self.run_payouts("JPY", "0.01")
        end = {"found": "resolve settled", "refused": "resolve failed"}.get(past, past)
        for batch_id in self.unsettled() if end in MOVES else ():
            if self.model.batches[batch_id].buyer_id == buyer:
                self._move(batch_id, end)

    # -- what goes wrong ---------------------------------------------------------------------------

    @rule(kind=st.sampled_from(WRONG), times=TIMES, reason=FAILURES, data=st.data())
    def let_things_go_wrong(self, kind: str, times: int, reason: str, data: st.DataObject) -> None:
        """Let debits or notices of one buyer or of all fail, or the chain be slow."""
        if kind == "finality":
            seconds = data.draw(st.sampled_from((0, 30, 3600)), label="seconds")
            self.mock.simulate.finality(seconds=seconds)
            self.model.finality = seconds * 1000
        else:
            about = data.draw(st.sampled_from(("", *sorted(self.model.buyers))), label="buyer")
            self.wish(kind, "", about, times, reason)
        self.catch_up()

    @precondition(lambda self: self.unsettled())
    @rule(
        kind=st.sampled_from(sorted(OFTEN)),
        reason=FAILURES,
        weeks=st.sampled_from((0, 1, 2, 2)),
        data=st.data(),
    )
    def let_a_batch_fail(self, kind: str, reason: str, weeks: int, data: st.DataObject) -> None:
        """Let the debits of a batch that is still owed fail, and perhaps see to it at once."""
        times = data.draw(OFTEN[kind], label="times")
        batch_id = data.draw(st.sampled_from(self.unsettled()), label="batch")
        self.wish(kind, batch_id, "", times, reason)
        self.pass_time(weeks * 7 * DAY)

    @precondition(lambda self: self.unsettled())
    @rule(what=st.sampled_from(("balance", "allowance", "vault")), data=st.data())
    def leave_too_little(self, what: str, data: st.DataObject) -> None:
        """Take away what a batch's debit needs, and let it come to that."""
        batch_id = data.draw(st.sampled_from(self.unsettled()), label="batch")
        buyer, _, currency, _ = self.model.batches[batch_id].period.key
        self._take_away(what, buyer, currency)
        self.pass_time(4 * DAY)

    def _take_away(self, what: str, buyer: str, currency: str) -> None:
        known = self.model.buyers[buyer]
        if what == "vault":
            known.vault = False
            self.mock.buyers.update(buyer, vault_active=False)
        else:
            getattr(known, what)[currency] = Decimal(0)
            self.mock.buyers.update(buyer, **{f"{what}s": tokens({currency: 0})})
        self.catch_up()

    def wish(self, kind: str, batch_id: str, buyer: str, times: int, reason: str) -> None:
        """Ask for a failure, and tell the model."""
        about = {"settlement_batch_id": batch_id} if batch_id else {"buyer": buyer or None}
        detail = {"reason": reason} if kind == "debit_failure" else {}
        getattr(self.mock.simulate, kind)(times=times, **about, **detail)
        self.model.wish(kind, batch_id, buyer, times, detail.get("reason", ""))

    # -- operators -----------------------------------------------------------------------------------

    @precondition(lambda self: self.model.batches)
    @rule(help_on=st.sampled_from((True, True, True, False)), data=st.data())
    def move_a_batch(self, help_on: bool, data: st.DataObject) -> None:
        """Help a batch on that gets no further by itself, or make any move with any batch."""
        stuck = {
            batch.batch_id: moves
            for batch in self.model.batches.values()
            for state, moves in HELP.items()
            if state in (batch.status, batch.execution)
        }
        known = sorted(stuck if help_on and stuck else self.model.batches)
        batch_id = data.draw(st.sampled_from(known), label="batch")
        moves = stuck[batch_id] if help_on and stuck else tuple(MOVES)
        self._move(batch_id, data.draw(st.sampled_from(moves), label="move"))

    def _move(self, batch_id: str, asked: str) -> None:
        batch = self.model.batches[batch_id]
        move, said = MOVES[asked]
        make = getattr(self.mock.batches, move)
        if self.model.may(batch_id, move):
            batch.asked = asked
            make(batch_id, **said)
            self.catch_up()
            return
        with pytest.raises(ControlError) as refused:
            make(batch_id, **said)
        assert (refused.value.status, refused.value.code) == (409, "ILLEGAL_BATCH_MOVE")
        self.catch_up()
        assert self.model.told == {}

    # -- payouts -----------------------------------------------------------------------------------

    @rule(currency=CURRENCIES, least=st.sampled_from(("0.01", "100", "5000")))
    def run_payouts(self, currency: str, least: str) -> None:
        expected = self.model.ripe(currency, Decimal(least) * MINOR_IN_MAJOR[currency])
        answer = self.ask(
            "/v1/admin/payouts/run-mock",
            self.mock.token("admin"),
            threshold=least,
            currency=currency,
        )
        self.catch_up()
        assert answer.status_code == 200, answer.text
        opened = {}
        for item in answer.json["items"]:
            major = item["amount_usd" if currency == "USD" else "amount"]
            amount = Decimal(major) * MINOR_IN_MAJOR[currency]
            opened[item["developer_id"]] = amount
            self.model.payouts[item["id"]] = {
                "owner": item["developer_id"],
                "currency": currency,
                "amount": amount,
                "status": item["status"],
            }
        assert opened == expected

    @rule(currency=CURRENCIES, steps=st.sampled_from(PAYOUT_LIVES))
    def pay_out(self, currency: str, steps: tuple[str, ...]) -> None:
        """Run payouts, and take one of them to its end."""
        self.run_payouts(currency, "0.01")
        open_ones = [
            name
            for name, payout in self.model.payouts.items()
            if payout["currency"] == currency and payout["status"] == "pending"
        ]
        for payout in open_ones[:1]:
            for step in steps:
                self._step(payout, step)

    @precondition(lambda self: self.model.payouts)
    @rule(go_on=st.booleans(), data=st.data())
    def step_a_payout(self, go_on: bool, data: st.DataObject) -> None:
        """Go on with a payout that is open, or take any step with any payout."""
        payouts = self.model.payouts
        open_ones = sorted(name for name in payouts if payouts[name]["status"] in NEXT_STEPS)
        known = open_ones if go_on and open_ones else sorted(payouts)
        payout = data.draw(st.sampled_from(known), label="payout")
        steps = NEXT_STEPS[payouts[payout]["status"]] if known is open_ones else STEPS
        step = data.draw(st.sampled_from(steps), label="step")
        self._step(payout, step)

    def _step(self, payout: str, step: str) -> None:
        payouts = self.model.payouts
        answer = self.ask(f"/v1/admin/payouts/{payout}/{step}", self.mock.token("admin"))
        self.catch_up()
        assert answer.status_code == self.model.step(payout, step), answer.text
        if answer.status_code == 200:
            assert answer.json["status"] == payouts[payout]["status"]
