"""What must come of payments, time and operators: a small model with its own arithmetic.

Money is a ``Decimal`` of minor units, an instant an ``int`` of milliseconds. The model is
told what was asked of the server (``buyers``, ``wishes``, an operator's moves) and reads the
journal of what happened: each entry must be what the model expects at that time, and
nothing that it expects may be missing.
"""

from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.machine.calendar import HOUR, local_day, next_slot
from tests.machine.records import (
    ATTEMPTS,
    BETWEEN_ATTEMPTS,
    BUCKETS,
    FINAL,
    GATE,
    LEAST_STANDARD_FEE,
    NOTICE_TRIES,
    OPERATOR,
    OVER_BUDGET,
    PAST_DUE,
    PAUSING,
    PAYOUT_STEPS,
    STANDARD_RATE,
    THRESHOLD,
    Batch,
    Buyer,
    Period,
    band_of,
)


class Model:
    """Everything that the server is held to."""

    def __init__(self, owners: dict[str, str]) -> None:
        self.owners = owners
        self.buyers: dict[str, Buyer] = {}
        self.open: dict[tuple[str, str, str, str], Period] = {}
        self.batches: dict[str, Batch] = {}
        self.wallets: dict[tuple[str, str], Decimal] = {}
        self.payouts: dict[str, dict[str, Any]] = {}
        self.wishes: dict[tuple[str, str, str], tuple[int, str]] = {}
        self.finality = 30_000
        self.told: dict[str, int] = {}

    # -- what may be spent -------------------------------------------------------------------

    def owed(self, key: tuple[str, str, str, str]) -> Decimal:
        """Return a scope's exposure: what is open, and every batch that isn't at its end."""
        closed = (b.period.gross for b in self.of_scope(key) if b.status not in FINAL)
        accruing = self.open[key].gross if key in self.open else Decimal(0)
        return accruing + sum(closed, Decimal(0))

    def of_scope(self, key: tuple[str, str, str, str]) -> Iterator[Batch]:
        return (batch for batch in self.batches.values() if batch.period.key == key)

    def reserved(self, buyer_id: str, currency: str) -> Decimal:
        """Return what is promised and not on its way."""
        accruing = (p.gross for p in self.open.values() if self._is(p, buyer_id, currency))
        waiting = (
            batch.period.gross
            for batch in self.batches.values()
            if self._is(batch.period, buyer_id, currency)
            and batch.status not in FINAL
            and not batch.in_flight
        )
        return sum(accruing, Decimal(0)) + sum(waiting, Decimal(0))

    @staticmethod
    def _is(period: Period, buyer_id: str, currency: str) -> bool:
        return period.key[0] == buyer_id and period.key[2] == currency

    def paused(self, key: tuple[str, str, str, str]) -> bool:
        by_batch = any(batch.execution in PAUSING for batch in self.of_scope(key))
        return by_batch or self.owed(key) >= THRESHOLD

    def affordable(self, buyer_id: str, currency: str, gross: Decimal, at: int) -> bool:
        buyer = self.buyers[buyer_id]
        within = buyer.vault and self._within_caps(buyer, currency, gross, at)
        return within and self.free(buyer_id, currency) >= gross

    def free(self, buyer_id: str, currency: str) -> Decimal:
        """Return what balance and allowance leave beside everything reserved."""
        buyer = self.buyers[buyer_id]
        held = min(buyer.balance[currency], buyer.allowance[currency])
        return held - self.reserved(buyer_id, currency)

    @staticmethod
    def _within_caps(buyer: Buyer, currency: str, gross: Decimal, at: int) -> bool:
        if not any(cap is not None for cap in buyer.caps.values()):
            return True
        today = local_day(at, buyer.zone)
        spent = [
            (local_day(then, buyer.zone), amount)
            for then, of, amount in buyer.spent
            if of == currency
        ]
        sums = {
            "per_payment": gross,
            "day": gross + sum(amount for day, amount in spent if day == today),
            "month": gross + sum(amount for day, amount in spent if day[:7] == today[:7]),
        }
        return all(cap is None or sums[name] <= cap for name, cap in buyer.caps.items())

    def verdict(self, buyer_id: str, shop: str, amount_minor: int, currency: str, at: int) -> str:
        """Return ``accepted``, or the code of the refusal."""
        band, gross = band_of(amount_minor, currency), Decimal(amount_minor)
        if band != "standard" and self.paused((buyer_id, self.owners[shop], currency, band)):
            return PAST_DUE
        return "accepted" if self.affordable(buyer_id, currency, gross, at) else OVER_BUDGET

    # -- wishes: what is to go wrong ---------------------------------------------------------

    def wish(self, kind: str, batch: str, buyer: str, times: int, detail: str = "") -> None:
        self.wishes.pop((kind, batch, buyer), None)
        if times:
            self.wishes[kind, batch, buyer] = (times, detail)

    def granted(self, kind: str, batch: Batch) -> str | None:
        """Use up the nearest wish: the batch's, its buyer's, everybody's."""
        nearest = sorted(
            (key for key in self.wishes if key[0] == kind), key=lambda key: key[1:], reverse=True
        )
        for key in nearest:
            if key[1] in ("", batch.batch_id) and key[2] in ("", batch.buyer_id):
                times, detail = self.wishes.pop(key)
                self.wish(kind, key[1], key[2], times - 1, detail)
                return detail
        return None

    # -- what happened -----------------------------------------------------------------------

    def read(self, entries: Iterable[Any]) -> None:
        """Take in journal entries in their order; each must be what is expected."""
        self.told = {}
        for entry in entries:
            happened = getattr(self, f"on_{entry.kind.replace('.', '_')}", None)
            self.told[entry.kind] = self.told.get(entry.kind, 0) + 1
            if happened is not None:
                happened(entry)

    def on_payment_accepted(self, entry: Any) -> None:
        data, at = entry.data, entry.at
        buyer_id, currency, amount = data["buyer"], data["currency"], int(data["amount_minor"])
        expected = self.verdict(buyer_id, data["merchant"], amount, currency, at)
        assert expected == "accepted", (entry, expected)
        key = (buyer_id, self.owners[data["merchant"]], currency, band_of(amount, currency))
        assert data["plan_type"] == key[3], entry
        if key not in self.open:
            end = self._period_end(self.buyers[buyer_id], key[3], at)
            self.open[key] = Period(data["period"], key, end)
        period = self.open[key]
        assert (data["period"], at < period.end) == (period.period_id, True), (entry, period)
        assert period.reached_at is None, f"{entry} behind the payment that closed the period"
        period.rows.append((at, Decimal(amount)))
        self.buyers[buyer_id].spent.append((at, currency, Decimal(amount)))
        if period.gross >= THRESHOLD:
            period.reached_at = at

    @staticmethod
    def _period_end(buyer: Buyer, band: str, at: int) -> int:
        return next_slot(at, buyer.zone, **(buyer.weekly if band == "micro" else buyer.monthly))

    def on_payment_refused(self, entry: Any) -> None:
        data = entry.data
        expected = self.verdict(
            data["buyer"], data["merchant"], int(data["amount_minor"]), data["currency"], entry.at
        )
        assert expected == data["code"], (entry, expected)

    def on_payment_settled(self, entry: Any) -> None:
        data, currency = entry.data, entry.data["currency"]
        gross = Decimal(data["amount_minor"])
        expected = self.verdict(data["buyer"], data["merchant"], int(gross), currency, entry.at)
        assert expected == "accepted", (entry, expected)
        fee = (gross * STANDARD_RATE).quantize(Decimal(1), ROUND_HALF_UP)
        fee = max(fee, LEAST_STANDARD_FEE[currency])
        buyer = self.buyers[data["buyer"]]
        buyer.balance[currency] -= gross
        buyer.allowance[currency] -= gross
        buyer.spent.append((entry.at, currency, gross))
        self._earn(self.owners[data["merchant"]], currency, gross, fee)

    def _earn(self, owner: str, currency: str, gross: Decimal, fee: Decimal) -> None:
        self.credit(owner, currency, gross - fee)
        self.credit("platform", currency, fee)

    def credit(self, owner: str, currency: str, amount: Decimal) -> None:
        self.wallets[owner, currency] = self.wallets.get((owner, currency), Decimal(0)) + amount

    def on_period_closed(self, entry: Any) -> None:
        period = next(p for p in self.open.values() if p.period_id == entry.subject)
        data = entry.data
        by_amount = period.reached_at is not None
        assert entry.at == (period.reached_at if by_amount else period.end), (entry, period)
        assert data["settlement_trigger"] == (
            "amount_threshold" if by_amount else "scheduled_close"
        ), entry
        assert data["usage_count"] == len(period.rows), (entry, period)
        assert Decimal(data["provider_gross_amount_minor"]) == period.gross, (entry, period)
        del self.open[period.key]
        batch = Batch(data["settlement_batch_id"], period, entry.at)
        batch.expected = {"notice": entry.at}
        self.batches[batch.batch_id] = batch

    def _taken(self, entry: Any, what: str) -> Batch:
        """Return the batch of an entry, which must have been expected just then."""
        batch = self.batches[entry.subject]
        assert batch.expected.pop(what, None) == entry.at, (entry, batch)
        return batch

    def on_notice_failed(self, entry: Any) -> None:
        batch = self._taken(entry, "notice")
        assert self.granted("notice_failure", batch) is not None, entry
        batch.tries += 1
        batch.became("notice_delivery_failed", "scheduled")
        if batch.tries < NOTICE_TRIES:
            batch.expected["notice"] = batch.closed_at + batch.tries * HOUR

    def on_notice_recorded(self, entry: Any) -> None:
        batch = self.batches[entry.subject]
        if batch.asked == "redeliver_notice":
            batch.asked = None
            batch.expected.pop("notice", None)
        else:
            self._taken(entry, "notice")
            assert self.granted("notice_failure", batch) is None, entry
        batch.became("ready", "scheduled")
        batch.gate = max(batch.closed_at + GATE, entry.at)
        batch.expected["debit"] = batch.gate

    def on_debit_submitted(self, entry: Any) -> None:
        batch = self._taken(entry, "debit")
        again = batch.status == "failed"
        assert again or batch.status == "ready", (entry, batch)
        assert entry.at >= batch.gate, (entry, batch)
        batch.attempts += 1
        batch.run += 1
        batch.submitted_at = entry.at
        assert (entry.data["attempt"], batch.run <= ATTEMPTS) == (batch.attempts, True), entry
        batch.became("submitted", "retrying" if again else "submitted")
        batch.outcome = self._outcome(batch, entry.at)
        if batch.outcome in ("settled", "unknown"):
            self._move(batch, in_flight=True)
        batch.expected["finish"] = entry.at + self.finality

    def _outcome(self, batch: Batch, at: int) -> str:
        """Foretell how an attempt ends: ``settled``, ``unknown``, or with which code."""
        failure = self.granted("debit_failure", batch) or self._shortage(batch)
        if failure is not None:
            return failure
        return "settled" if self.granted("unknown_outcome", batch) is None else "unknown"

    def _shortage(self, batch: Batch) -> str | None:
        buyer, currency = self.buyers[batch.buyer_id], batch.period.key[2]
        if buyer.balance[currency] < batch.period.gross:
            return "INSUFFICIENT_BALANCE"
        if buyer.allowance[currency] < batch.period.gross:
            return "INSUFFICIENT_ALLOWANCE"
        if not buyer.vault:
            return "BUDGET_VAULT_INACTIVE"
        return None if self._debit_within_caps(buyer, batch.period) else "PAYOUT_CAP_EXCEEDED"

    @staticmethod
    def _debit_within_caps(buyer: Buyer, period: Period) -> bool:
        sums: dict[str, dict[str, Decimal]] = {"per_payment": {}, "day": {}, "month": {}}
        for number, (at, gross) in enumerate(period.rows):
            day = local_day(at, buyer.zone)
            for name, part in (("per_payment", str(number)), ("day", day), ("month", day[:7])):
                sums[name][part] = sums[name].get(part, Decimal(0)) + gross
        return all(
            cap is None or max(sums[name].values()) <= cap for name, cap in buyer.caps.items()
        )

    def _move(self, batch: Batch, *, in_flight: bool) -> None:
        batch.in_flight = in_flight
        buyer, currency = self.buyers[batch.buyer_id], batch.period.key[2]
        gross = batch.period.gross if in_flight else -batch.period.gross
        buyer.balance[currency] -= gross
        buyer.allowance[currency] -= gross

    def on_batch_settled(self, entry: Any) -> None:
        batch = self.batches[entry.subject]
        if batch.asked == "resolve settled":
            batch.asked = None
        else:
            self._taken(entry, "finish")
            assert batch.outcome == "settled", (entry, batch)
        assert batch.in_flight, (entry, batch)
        batch.in_flight = False
        batch.became("settled")
        _, owner, currency, _ = batch.period.key
        self._earn(owner, currency, batch.period.gross, batch.period.fee)

    def on_debit_failed(self, entry: Any) -> None:
        batch = self.batches[entry.subject]
        next_at = batch.submitted_at + BETWEEN_ATTEMPTS
        if batch.asked == "resolve failed":
            batch.asked = None
            self._move(batch, in_flight=False)
            next_at = entry.at + BETWEEN_ATTEMPTS
        else:
            self._taken(entry, "finish")
            assert batch.outcome == entry.data["code"], (entry, batch)
        batch.became("failed", "failed_retryable")
        batch.expected = {"debit": next_at} if batch.run < ATTEMPTS else {"past due": entry.at}

    def on_debit_unknown(self, entry: Any) -> None:
        batch = self._taken(entry, "finish")
        assert batch.outcome == "unknown", (entry, batch)
        batch.became("submitted", "submitted_reconcile_required")

    def on_batch_past_due(self, entry: Any) -> None:
        batch = self._taken(entry, "past due")
        assert batch.run == ATTEMPTS, (entry, batch)
        batch.became("past_due")

    def on_batch_requeued(self, entry: Any) -> None:
        batch = self.batches[entry.subject]
        assert batch.asked == "requeue", entry
        batch.asked = None
        batch.run = 0
        batch.became("ready", "scheduled")
        batch.expected = {"debit": entry.at}

    def on_batch_terminal(self, entry: Any) -> None:
        batch = self.batches[entry.subject]
        assert batch.asked == entry.data["status"], entry
        batch.asked = None
        batch.became(entry.data["status"])

    # -- operators -----------------------------------------------------------------------------

    def may(self, batch_id: str, move: str) -> bool:
        """Say whether an operator's move is one that the batch's state has."""
        batch = self.batches[batch_id]
        return OPERATOR[move] in (batch.status, batch.execution)

    def ripe(self, currency: str, least: Decimal) -> dict[str, Decimal]:
        """Return whom a run of payouts pays, and how much (minor units)."""
        busy = {
            payout["owner"]
            for payout in self.payouts.values()
            if payout["currency"] == currency and payout["status"] in ("pending", "processing")
        }
        return {
            owner: amount
            for (owner, of), amount in self.wallets.items()
            if of == currency and owner not in {"platform", *busy} and amount >= least
        }

    def step(self, payout_id: str, step: str) -> int:
        """Take a payout's step, and return the status of the answer."""
        payout = self.payouts[payout_id]
        source, target = PAYOUT_STEPS[step]
        if payout["status"] == target:
            return 200
        if payout["status"] != source:
            return 400
        held = self.wallets.get((payout["owner"], payout["currency"]), Decimal(0))
        if target == "paid" and held < payout["amount"]:
            return 402
        payout["status"] = target
        if target == "paid":
            self.credit(payout["owner"], payout["currency"], -payout["amount"])
        return 200

    # -- what must be so now ---------------------------------------------------------------------

    def overdue(self, now: int) -> list[object]:
        """Return what should have happened by now and didn't."""
        late: list[object] = [p for p in self.open.values() if p.end <= now or p.reached_at]
        late += [b for b in self.batches.values() if any(at <= now for at in b.expected.values())]
        late += [b for b in self.batches.values() if b.asked is not None]
        return late

    def totals(self, owner: str, currency: str) -> dict[str, Decimal]:
        """Return a provider's receivable by bucket: what a summary must say."""
        sums = dict.fromkeys(
            ("settled", "unsettled", "past_due", "terminal", "uncollectible", "written_off"),
            Decimal(0),
        )
        for period in self.open.values():
            if period.key[1:3] == (owner, currency):
                sums["unsettled"] += period.gross - period.fee
        for batch in self.batches.values():
            if batch.period.key[1:3] == (owner, currency):
                bucket = BUCKETS.get(batch.status, "unsettled")
                sums[bucket] += batch.period.gross - batch.period.fee
        sums["terminal"] = sums["uncollectible"] + sums["written_off"]
        return sums
